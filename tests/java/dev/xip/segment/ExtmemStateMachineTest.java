package dev.xip.segment;

import static dev.xip.segment.StoreWorkers.shown;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.segment.ExtmemModel.Held;
import dev.xip.segment.ExtmemModel.Stored;
import dev.xip.segment.StoreWorkers.Worker;
import dev.xip.testing.Folders;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Properties 13 and 14 over real processes: random calls of three processes that share a store end
 * as the rules of extmem and dcssblk say, in codes, addresses, versions, modes, references,
 * contents and deleted files. Now and then one of them is killed by SIGKILL, perhaps while it
 * loads, and another takes its place. 10,000 steps, with {@code -Dxip.stress=true} 100,000, and on
 * until every code has been met.
 */
class ExtmemStateMachineTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int STEPS = Boolean.getBoolean("xip.stress") ? 100_000 : 10_000;
  private static final int PROCESSES = 3;
  private static final int STEPS_OF_A_LIFE = 300;
  private static final int PAGE = 4096;

  /** More private memory than the system gives a worker. */
  private static final SegmentName HUGE = new SegmentName("HUGE");

  /** Its last page is past the window. */
  private static final SegmentName EDGE = new SegmentName("EDGE");

  private static final Map<SegmentName, List<SegmentPart>> SPECIAL =
      Map.of(
          HUGE,
          List.of(new SegmentPart(SegmentType.EW, 0x800000, 0x9fffff)),
          EDGE,
          List.of(new SegmentPart(SegmentType.SR, 0xffffff, 0x1000000)));

  /**
   * The codes of extmem and dcssblk that each call must have met, and some more. ENOSPC of 2.6.26,
   * for a segment in RAM, is EBUSY here as it is today.
   */
  private static final Map<String, String> MUST_BE_MET =
      Map.of(
          "load", "ok ENOSYS EPERM ENOMEM ENOENT EIO EOPNOTSUPP EBUSY ERANGE",
          "type", "ok ENOSYS ENOENT EIO EOPNOTSUPP",
          "modify", "ok EINVAL EAGAIN EBUSY ENOENT EIO EOPNOTSUPP",
          "save", "ok EINVAL EIO EOPNOTSUPP",
          "device add",
              "ok ENAMETOOLONG EINVAL EEXIST EPERM ENOMEM ENOENT EIO EOPNOTSUPP EBUSY ERANGE",
          "device remove", "ok ENAMETOOLONG ENODEV EBUSY",
          "device shared", "ok EBUSY EINVAL EAGAIN ENODEV ENOENT EIO EOPNOTSUPP",
          "device save", "ok EINVAL ENODEV",
          "device access", "ok EINVAL ERANGE ENODEV");

  private static final List<String> MUST_BE_MET_TOO =
      List.of(
          "unload ok",
          "unload EINVAL",
          "define ok",
          "define EEXIST",
          "remove ok",
          "remove ENOENT",
          "device open ok",
          "device open ENODEV",
          "device close ok",
          "device read ok",
          "device read EIO",
          "device write ok",
          "device write EIO");

  /** In memory if possible: the waits for a disk are not what is tested here. */
  @TempDir(factory = Folders.InMemory.class)
  Path folder;

  private SegmentStore store;
  private ExtmemModel model;
  private StoreWorkers workers;
  private StoreSteps onStore;
  private final Random random = new Random(SEED);
  private final ExtmemSteps choose = new ExtmemSteps(random);

  @BeforeEach
  void start() throws IOException {
    store = SegmentStore.create(folder.resolve("store"));
    model = new ExtmemModel(ExtmemSteps.WINDOW, HUGE);
    for (Map.Entry<SegmentName, List<SegmentPart>> each : SPECIAL.entrySet()) {
      store.define(new SegmentDefinition(each.getKey(), each.getValue()), SegmentSource.zeros());
      model.define(each.getKey(), each.getValue());
    }
    workers = new StoreWorkers(store, model, PROCESSES);
    onStore = new StoreSteps(store, model, workers, random);
  }

  @AfterEach
  void endAll() throws IOException {
    workers.close();
  }

  @Test
  void randomCallsOfSeveralProcessesEndAsTheRulesSay() throws IOException {
    System.err.println("ExtmemStateMachineTest: -Dxip.seed=" + SEED);
    for (Worker each : workers.all()) {
      workers.compareState(each, 0); // after it has opened the store, which the first step may move
    }
    for (int step = 0; step < STEPS || step < 4 * STEPS && !missing().isEmpty(); step++) {
      try {
        step(random.nextInt(PROCESSES));
        if (step % 100 == 0) {
          workers.compareAll();
        }
      } catch (AssertionError | RuntimeException | IOException e) {
        String where = "-Dxip.seed=%d, step %d".formatted(SEED, step);
        throw new AssertionError(where + ": " + e.getMessage(), e);
      }
    }
    workers.compareAll();
    System.err.println("ExtmemStateMachineTest: met " + workers.met());
    assertThat(missing()).as("-Dxip.seed=%d: codes not met", SEED).isEmpty();
  }

  /** What must be met and was not yet. */
  private List<String> missing() {
    List<String> missing = new ArrayList<>(MUST_BE_MET_TOO);
    MUST_BE_MET.forEach(
        (call, codes) ->
            Arrays.stream(codes.split(" ")).forEach(code -> missing.add(call + " " + code)));
    missing.removeAll(workers.met().keySet());
    return missing;
  }

  private void step(int at) throws IOException {
    if (random.nextInt(STEPS_OF_A_LIFE) == 0) {
      kill(at);
    } else {
      act(workers.all().get(at));
    }
    workers.compareState(workers.all().get(at), random.nextInt(0x101));
    workers.compareState(choose.any(workers.all()), random.nextInt(0x101));
  }

  private void kill(int at) throws IOException {
    Worker worker = workers.all().get(at);
    SegmentName name = choose.name(worker.owner);
    Stored stored = model.store().get(name);
    // Whether SN was cleared is seen in the store until the next first user comes.
    if (random.nextBoolean() && (stored == null || !stored.letters().equals("SN"))) {
      worker.process.tell("load", name.value(), choose.mode().name());
    }
    workers.replace(at);
  }

  private void act(Worker worker) throws IOException {
    int dice = random.nextInt(100);
    if (random.nextInt(100) == 0) {
      withoutStore(worker);
    } else if (dice < 35) {
      loadOrUnload(worker, dice);
    } else if (dice < 43) {
      poke(worker);
    } else if (dice < 65) {
      onStore.step(worker, dice - 43);
    } else if (dice < 68) {
      claimOrRelease(worker);
    } else {
      onDevices(worker);
    }
  }

  private void loadOrUnload(Worker worker, int dice) throws IOException {
    SegmentName name = choose.name(worker.owner);
    SharingMode mode = choose.mode();
    // A device that has lost a segment can only be removed.
    if (dice < 16 || worker.devices.has(name) && random.nextInt(8) > 0) {
      SegmentName wanted = random.nextInt(20) == 0 ? choose.any(List.of(HUGE, EDGE)) : name;
      workers.expect(
          model.load(worker.owner, wanted, mode),
          () -> shown(worker.owner.held.get(wanted)),
          worker,
          "load",
          wanted.value(),
          mode.name());
    } else if (dice < 27) {
      workers.expect(model.unload(worker.owner, name), worker, "unload", name.value());
    } else {
      if (random.nextInt(6) == 0 && Files.exists(store.folder())) {
        onStore.change(worker, name);
      }
      workers.expect(
          model.modify(worker.owner, name, mode),
          () -> shown(worker.owner.held.get(name)),
          worker,
          "modify",
          name.value(),
          mode.name());
    }
  }

  /** The store is briefly missing, as for a guest without a hypervisor. */
  private void withoutStore(Worker worker) throws IOException {
    Path aside = folder.resolve("aside");
    Files.move(store.folder(), aside);
    model.setAway(true);
    switch (random.nextInt(3)) {
      case 0 -> loadOrUnload(worker, random.nextInt(35));
      case 1 -> onStore.type(worker, choose.name(worker.owner));
      default -> {
        String list = choose.deviceList(model.store(), List.of(HUGE, EDGE));
        workers.expect(worker.devices.add(list), null, worker, "device add", list);
      }
    }
    model.setAway(false);
    Files.move(aside, store.folder());
  }

  private void poke(Worker worker) throws IOException {
    Held held = worker.owner.held.get(choose.name(worker.owner));
    if (held != null && !held.isReadOnly()) {
      int page = random.nextInt(held.stored.pages.length);
      byte value = (byte) random.nextInt(256);
      held.write(page, value);
      workers.expect(
          null,
          worker,
          "poke",
          held.name.value(),
          Integer.toHexString(page),
          Integer.toHexString(value & 0xff));
    }
  }

  /** Something else than a segment in physical memory. */
  private void claimOrRelease(Worker worker) throws IOException {
    if (worker.claimed) {
      workers.expect(null, worker, "release");
      worker.owner.claimed.removeLast();
      worker.claimed = false;
      return;
    }
    long first = (4L << 30) + random.nextInt(0x500) * (long) PAGE;
    long last = first + PAGE - 1;
    boolean free =
        worker.owner.held.values().stream()
            .noneMatch(held -> held.stored.firstByte() <= last && first <= held.stored.lastByte());
    if (free) {
      workers.expect(null, worker, "claim", Long.toHexString(first));
      worker.owner.claimed.add(new long[] {first, last});
      worker.claimed = true;
    }
  }

  private void onDevices(Worker worker) throws IOException {
    List<DcssblkModel.Device> there = worker.devices.devices();
    if (there.isEmpty() || random.nextInt(5) == 0) {
      String list = choose.deviceList(model.store(), List.of(HUGE, EDGE));
      workers.expect(
          worker.devices.add(list),
          () -> List.of(shown(worker.devices.last())),
          worker,
          "device add",
          list);
      return;
    }
    DcssblkModel.Device device = choose.any(there);
    String name = device.names.getFirst().value();
    int dice = random.nextInt(20);
    if (dice < 2 || device.isGone() && dice < 8) {
      String wanted = choose.any(List.of(name, name, name, "", "TOOLONGNAME", "P", "U"));
      workers.expect(worker.devices.remove(wanted), worker, "device remove", wanted);
    } else if (dice < 4) {
      disturb(worker, device, name);
    } else if (dice < 6) {
      String flag = choose.flag();
      workers.expect(worker.devices.shared(device, flag), worker, "device shared", name, flag);
    } else if (dice < 8) {
      String flag = choose.flag();
      workers.expect(worker.devices.save(device, flag), null, worker, "device save", name, flag);
    } else if (device.opened == 0 || dice < 9) {
      workers.expect(worker.devices.open(device), worker, "device open", name);
    } else if (dice < 11) {
      workers.expect(worker.devices.close(device), worker, "device close", name);
    } else {
      request(worker, device, name, dice);
    }
  }

  /** Changes a segment of a device and reloads it, or unloads one and goes on using the device. */
  private void disturb(Worker worker, DcssblkModel.Device device, String name) throws IOException {
    SegmentName segment = choose.any(device.names);
    for (Held each : device.segments) {
      for (int left = each.references; left > 1; left--) {
        workers.expect(model.unload(worker.owner, each.name), worker, "unload", each.name.value());
      }
    }
    if (random.nextInt(3) == 0) {
      workers.expect(model.unload(worker.owner, segment), worker, "unload", segment.value());
      if (device.opened > 0) {
        request(worker, device, name, 12 + random.nextInt(8));
      } else if (random.nextBoolean()) {
        workers.expect(worker.devices.save(device, "1"), null, worker, "device save", name, "1");
      } else {
        workers.expect(worker.devices.shared(device, "0"), worker, "device shared", name, "0");
      }
      return;
    }
    while (device.opened > 0) {
      workers.expect(worker.devices.close(device), worker, "device close", name);
    }
    onStore.change(worker, segment);
    String other = device.sharing == SharingMode.SHARED ? "0" : "1";
    workers.expect(worker.devices.shared(device, other), worker, "device shared", name, other);
  }

  private void request(Worker worker, DcssblkModel.Device device, String name, int dice)
      throws IOException {
    long offset = choose.offset(device.bytes());
    long length = choose.length();
    String sector = Long.toHexString(offset / 512);
    String bytes = Long.toHexString(length);
    if (dice < 15) {
      Supplier<List<String>> pages =
          () -> {
            byte[] read = new byte[(int) (length / PAGE)];
            for (int i = 0; i < read.length; i++) {
              read[i] = device.page(offset + i * PAGE);
            }
            return List.of(HexFormat.of().formatHex(read));
          };
      Errno code = worker.devices.read(device, offset / 512, length);
      workers.expect(code, pages, worker, "device read", name, sector, bytes);
    } else if (dice < 18) {
      byte value = (byte) random.nextInt(256);
      Errno code = worker.devices.write(device, offset / 512, length, value);
      String text = Integer.toHexString(value & 0xff);
      workers.expect(code, worker, "device write", name, sector, bytes, text);
    } else {
      Supplier<List<String>> range =
          () ->
              List.of(
                  Long.toHexString((device.firstByte() + offset) / PAGE),
                  Long.toHexString((length + PAGE - 1) / PAGE));
      Errno code = worker.devices.access(device, offset, length);
      workers.expect(code, range, worker, "device access", name, Long.toHexString(offset), bytes);
    }
  }
}
