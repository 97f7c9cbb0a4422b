package dev.xip.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.segment.ExtmemModel.Held;
import dev.xip.segment.ExtmemModel.Stored;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Processes that share a store, each with its state in the model. */
final class StoreWorkers implements AutoCloseable {
  private static final int PAGE = 4096;

  /** How much private memory the system gives a worker, in bytes. */
  private static final long DATA_LIMIT = 4L << 30;

  private final SegmentStore store;
  private final ExtmemModel model;
  private final List<Worker> workers = new ArrayList<>();

  /** How often each call ended with each code. */
  private final Map<String, Integer> met = new TreeMap<>();

  /** A process under test and its state in the model. */
  static final class Worker {
    final WorkerProcess process;
    final ExtmemModel.Owner owner;
    final DcssblkModel devices;
    boolean claimed;

    Worker(SegmentStore store, ExtmemModel model) throws IOException {
      process = new WorkerProcess(store.folder(), ExtmemSteps.WINDOW, ExtmemSteps.RAM, DATA_LIMIT);
      owner = new ExtmemModel.Owner(process.pid(), ExtmemSteps.RAM);
      devices = new DcssblkModel(model, owner);
    }
  }

  StoreWorkers(SegmentStore store, ExtmemModel model, int processes) throws IOException {
    this.store = store;
    this.model = model;
    for (int i = 0; i < processes; i++) {
      workers.add(new Worker(store, model));
    }
  }

  List<Worker> all() {
    return workers;
  }

  Map<String, Integer> met() {
    return met;
  }

  /** Kills a worker by SIGKILL and starts another in its place. */
  void replace(int at) throws IOException {
    workers.get(at).process.close();
    model.kill(workers.get(at).owner);
    workers.set(at, new Worker(store, model));
    met.merge("killed", 1, Integer::sum);
  }

  /** Makes a call that must fail with a code, or succeed without a result if that is null. */
  void expect(Errno expected, Worker worker, String... call) throws IOException {
    expect(expected, List::of, worker, call);
  }

  /** Makes a call. If it must succeed, the fields are its result; null for any. */
  void expect(Errno expected, Supplier<List<String>> fields, Worker worker, String... call)
      throws IOException {
    List<String> answer = worker.process.ask(call);
    String found = answer.getFirst();
    met.merge(call[0] + " " + found, 1, Integer::sum);
    String what = "%s: %s".formatted(List.of(call), answer);
    assertThat(found).as(what).isEqualTo(expected == null ? "ok" : expected.name());
    if (expected == null && fields != null) {
      assertThat(answer.subList(1, answer.size())).as(what).isEqualTo(fields.get());
    }
  }

  /** What a load returns. */
  static List<String> shown(Held held) {
    return List.of(
        held.stored.type(),
        Long.toHexString(held.stored.firstByte()),
        Long.toHexString(held.stored.lastByte()),
        Long.toString(held.stored.version));
  }

  /** What the attributes of a device show. */
  static String shown(DcssblkModel.Device device) {
    return "dcssblk%d %s %s %x-%x %s %s opened %d%s"
        .formatted(
            device.minor,
            device.names,
            device.first().stored.type(),
            device.firstByte(),
            device.lastByte(),
            device.sharing,
            device.isReadOnly() ? "read-only" : "writable",
            device.opened,
            device.toBeSaved ? " to be saved" : "");
  }

  /** All that a process has loaded with one page of each, and its devices, are as in the model. */
  void compareState(Worker worker, int page) throws IOException {
    List<String> expected = new ArrayList<>();
    worker.owner.held.values().stream()
        .sorted(Comparator.comparingLong(each -> each.stored.firstByte()))
        .forEach(
            held -> {
              int at = page % held.stored.pages.length;
              expected.add(
                  "%s %s %s %s references %d byte %x: %02x"
                      .formatted(
                          held.name,
                          shown(held),
                          held.mode,
                          held.isReadOnly() ? "read-only" : "writable",
                          held.references,
                          at * PAGE,
                          held.page(at)));
            });
    int regions = worker.owner.held.size() + worker.owner.claimed.size();
    expected.add("%d regions".formatted(regions));
    worker.devices.devices().forEach(each -> expected.add(shown(each)));
    List<String> found = worker.process.ask("state", Integer.toString(page));
    assertThat(found.subList(1, found.size())).isEqualTo(expected);
  }

  /** Every loaded page and the whole store are as in the model. */
  void compareAll() throws IOException {
    for (Worker worker : workers) {
      for (Held held : worker.owner.held.values()) {
        byte[] pages = new byte[held.stored.pages.length];
        for (int page = 0; page < pages.length; page++) {
          pages[page] = held.page(page);
        }
        assertThat(worker.process.ask("pages", held.name.value()))
            .as("%s of %d", held.name, worker.owner.pid)
            .containsExactly("ok", HexFormat.of().formatHex(pages));
      }
    }
    SegmentStore.Survey survey = store.survey();
    assertThat(survey.segments().stream().map(StoreWorkers::shown)).isEqualTo(model.survey());
    assertThat(survey.damaged()).hasSize((int) model.damaged());
    for (SegmentState state : survey.segments()) {
      if (!state.pendingPurge()) {
        compareCurrent(state.stored());
      }
    }
  }

  private static String shown(SegmentState state) {
    List<String> users =
        state.users().stream().map(user -> user.pid() + " " + user.mode()).sorted().toList();
    return "%s %d %s %s"
        .formatted(
            state.stored().name(),
            state.stored().version(),
            state.pendingPurge() ? "pending purge" : "current",
            users);
  }

  private void compareCurrent(StoredSegment found) throws IOException {
    Stored expected = model.store().get(found.name());
    assertThat(found.definition().parts()).isEqualTo(expected.parts);
    if (expected.pages.length > 0 && !expected.broken) {
      byte[] data = Files.readAllBytes(found.dataFile());
      for (int page = 0; page < expected.pages.length; page++) {
        assertThat(data[page * PAGE])
            .as("page %x of %s", page, found.dataFile())
            .isEqualTo(expected.pages[page]);
      }
    }
  }

  @Override
  public void close() throws IOException {
    for (Worker each : workers) {
      each.process.close();
    }
  }
}
