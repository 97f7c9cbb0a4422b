package dev.xip.segment;

import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that save are killed by SIGKILL at random moments: 100 times, with {@code
 * -Dxip.stress=true} 500 times. Several save segments of one store, so that a killed one may hold
 * the store's lock while the others wait for it.
 */
class KilledSaveTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int KILLS = Boolean.getBoolean("xip.stress") ? 500 : 100;
  private static final int SAVERS = 3;
  private static final int PAGES = 300;
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(120);

  @TempDir Path temp;
  private SegmentStore store;
  private final Random random = new Random(SEED);
  private final Saver[] savers = new Saver[SAVERS];

  /** A running {@link SaveLoop} and the file that it writes its lines to. */
  private record Saver(SegmentName name, Process process, Path lines) {
    /** The last version that it says is saved, 0 if none yet. */
    long told() throws IOException {
      String text = Files.readString(lines);
      List<String> whole = text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
      return whole.isEmpty() ? 0 : Long.parseLong(whole.getLast());
    }
  }

  @AfterEach
  void endAll() throws InterruptedException {
    for (Saver each : savers) {
      if (each != null) {
        each.process.destroyForcibly().waitFor();
      }
    }
  }

  @Test
  void aStoreHasTheOldOrTheNewVersionWholeWhereverASaveWasKilled() throws Exception {
    System.err.println("KilledSaveTest: -Dxip.seed=" + SEED);
    store = SegmentStore.create(temp.resolve("store"));
    for (int i = 0; i < SAVERS; i++) {
      SegmentName name = new SegmentName("S" + i);
      store.define(
          definition(name, SegmentType.SW, 0x100000 + i * 0x1000, PAGES), SegmentSource.zeros());
      savers[i] = start(name);
    }
    int leftovers = 0;
    int untold = 0;
    for (int kill = 0; kill < KILLS; kill++) {
      int victim = kill % SAVERS;
      Saver saver = savers[victim];
      long told = killAtRandom(saver);
      StoredSegment stored = SegmentStore.open(store.folder()).query(saver.name);
      String where = "-Dxip.seed=%d, kill %d, %s".formatted(SEED, kill, stored);
      assertThat(stored.version()).as(where).isBetween(told, told + 1);
      assertThat(versionsIn(stored)).as(where).containsOnly(stored.version()).hasSize(1);
      untold += stored.version() > told ? 1 : 0;
      leftovers += filesOf(saver.name) > 2 ? 1 : 0;
      savers[victim] = start(saver.name);
    }
    endAll();
    System.err.printf(
        "KilledSaveTest: %d kills, %d left files of a save behind, %d came after the switch%n",
        KILLS, leftovers, untold);
    assertThat(leftovers).as("kills inside a save").isPositive();
    assertThat(store.list().damaged()).isEmpty();
    for (Saver each : savers) {
      StoredSegment saved = store.save(each.name, SegmentSource.zeros());
      assertThat(filesOf(each.name)).as("files of %s", saved).isEqualTo(2);
    }
  }

  private Saver start(SegmentName name) throws IOException {
    Path lines = Files.createTempFile(temp, name.toString(), ".lines");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx64m",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                SaveLoop.class.getName(),
                store.folder().toString(),
                name.toString())
            .redirectOutput(lines.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    return new Saver(name, process, lines);
  }

  /** Waits until it saves, lets it save for a random time, kills it, and returns what it told. */
  private long killAtRandom(Saver saver) throws Exception {
    long started = System.nanoTime();
    while (saver.told() == 0) {
      assertThat(saver.process.isAlive()).as("%s still saves", saver).isTrue();
      assertThat(System.nanoTime() - started).as("waiting for %s", saver).isLessThan(PATIENCE);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
    LockSupport.parkNanos(random.nextLong(TimeUnit.MILLISECONDS.toNanos(20)));
    saver.process.destroyForcibly();
    assertThat(saver.process.waitFor()).as("exit after SIGKILL").isEqualTo(128 + 9);
    return saver.told();
  }

  /** What the pages of the data file say they are of. */
  private static List<Long> versionsIn(StoredSegment stored) throws IOException {
    byte[] data = Files.readAllBytes(stored.dataFile());
    assertThat(data).hasSize((int) stored.definition().byteSize());
    ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.nativeOrder());
    return IntStream.range(0, PAGES)
        .mapToObj(page -> bytes.getLong(page * (int) Pages.SIZE))
        .distinct()
        .toList();
  }

  /** A definition and a data file are two; more were left by somebody who died. */
  private long filesOf(SegmentName name) {
    try (Stream<Path> files = Files.list(store.folder())) {
      return files.filter(each -> each.getFileName().toString().startsWith(name + ".")).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
