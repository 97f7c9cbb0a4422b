package dev.xip.segment;

import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.testing.ForkingJvm;
import dev.xip.testing.Jvm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that save are killed by SIGKILL at random moments: 500 times, with {@code
 * -Dxip.stress=true} 5,000 times. Several save segments of one store, so that a killed one may hold
 * the store's lock while the others wait for it, and another process loads and checks all the time.
 */
class KilledSaveTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int KILLS = Boolean.getBoolean("xip.stress") ? 5000 : 500;
  private static final int SIGKILL = 9;
  private static final int SAVERS = 3;
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(120);

  @TempDir Path temp;
  private SegmentStore store;
  private ForkingJvm jvm;
  private Process reader;
  private final Random random = new Random(SEED);
  private final List<Saver> savers = new ArrayList<>();

  /** A running {@link SaveLoop} and the file that it writes its lines to. */
  private record Saver(SegmentName name, long pid, Path lines) {
    /** The last version that it says is saved, 0 if none yet. */
    long told() throws IOException {
      String text = Files.exists(lines) ? Files.readString(lines) : "";
      List<String> whole = text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
      return whole.isEmpty() ? 0 : Long.parseLong(whole.getLast());
    }
  }

  @BeforeEach
  void startAll() throws IOException {
    store = SegmentStore.create(temp.resolve("store"));
    jvm = ForkingJvm.start(SaveLoop.class);
    List<String> names = new ArrayList<>(List.of(store.folder().toString()));
    for (int i = 0; i < SAVERS; i++) {
      SegmentName name = new SegmentName("S" + i);
      store.define(
          definition(name, SegmentType.SR, 0x100000 + i * 0x1000, SaveLoop.PAGES),
          SegmentSource.zeros());
      savers.add(start(name));
      names.add(name.toString());
    }
    reader =
        new ProcessBuilder(Jvm.command(LoadLoop.class, names.toArray(String[]::new)))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
  }

  @AfterEach
  void endAll() throws Exception {
    if (reader != null) {
      reader.destroyForcibly().waitFor();
    }
    for (Saver each : savers) {
      kill(each);
    }
    if (jvm != null) {
      jvm.close();
    }
  }

  @Test
  void aStoreHasTheOldOrTheNewVersionWholeWhereverASaveWasKilled() throws Exception {
    System.err.println("KilledSaveTest: -Dxip.seed=" + SEED);
    int leftovers = 0;
    int untold = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      Saver saver = savers.removeFirst();
      long told = killAtRandom(saver);
      StoredSegment stored = SegmentStore.open(store.folder()).query(saver.name);
      String where = "-Dxip.seed=%d, kill %d, %s".formatted(SEED, kill, stored);
      assertThat(stored.version()).as(where).isBetween(told, told + 1);
      assertThat(versionsIn(stored)).as(where).containsOnly(stored.version()).hasSize(1);
      untold += stored.version() > told ? 1 : 0;
      leftovers += isUnfinished(stored) ? 1 : 0;
      savers.add(start(saver.name));
    }
    long loads = endReader();
    System.err.printf(
        "KilledSaveTest: %d kills, %d left files of a save behind, %d came after the switch;"
            + " %d loads%n",
        KILLS, leftovers, untold, loads);
    assertThat(leftovers).as("kills inside a save").isPositive();
    assertThat(loads).as("loads meanwhile").isPositive();
    for (Saver each : savers) {
      kill(each);
      store.save(each.name, SegmentSource.zeros());
    }
    savers.clear();
    assertThat(store.check()).isEmpty();
    try (Stream<Path> files = Files.list(store.folder())) {
      assertThat(files).as("two files of each segment and the lock").hasSize(2 * SAVERS + 1);
    }
  }

  private Saver start(SegmentName name) throws IOException {
    Path lines = temp.resolve(name + ".lines");
    Files.deleteIfExists(lines);
    return new Saver(name, jvm.fork(store.folder(), name, lines), lines);
  }

  /**
   * Waits until it saves, lets it save for a random time, kills it, and returns the version it
   * reported.
   */
  private long killAtRandom(Saver saver) throws IOException {
    long started = System.nanoTime();
    while (saver.told() == 0) {
      assertThat(System.nanoTime() - started).as("waiting for %s", saver).isLessThan(PATIENCE);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(20)));
    kill(saver);
    return saver.told();
  }

  private void kill(Saver saver) throws IOException {
    ProcessHandle.of(saver.pid).ifPresent(ProcessHandle::destroyForcibly);
    assertThat(jvm.waitFor(saver.pid)).as("the signal that ended %s", saver).isEqualTo(SIGKILL);
  }

  /** Returns how many loads it checked. */
  private long endReader() throws Exception {
    reader.getOutputStream().write('\n');
    reader.getOutputStream().close();
    String loads = new String(reader.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
    assertThat(reader.waitFor()).as("exit of the reader").isZero();
    return Long.parseLong(loads.strip());
  }

  /** The version that the pages of the data file carry. */
  private static List<Long> versionsIn(StoredSegment stored) throws IOException {
    byte[] data = Files.readAllBytes(stored.dataFile());
    assertThat(data).hasSize((int) stored.definition().byteSize());
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.nativeOrder());
    return IntStream.range(0, SaveLoop.PAGES)
        .mapToObj(page -> bytes.getLong(page * (int) Pages.SIZE))
        .distinct()
        .toList();
  }

  /** Whether there are files of a save that did not reach its rename. */
  private boolean isUnfinished(StoredSegment stored) throws IOException {
    try (Stream<Path> files = Files.list(store.folder())) {
      return files
          .flatMap(file -> StoreFile.of(file.getFileName().toString()).stream())
          .filter(file -> file.name().equals(stored.name()))
          .anyMatch(
              file ->
                  file.kind() == StoreFile.Kind.NEW_DEFINITION
                      || file.kind() == StoreFile.Kind.DATA && file.version() > stored.version());
    }
  }
}
