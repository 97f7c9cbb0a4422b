package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.CorruptImageException;
import dev.xip.image.ext.JournalWriter.Checksums;
import dev.xip.image.ext.JournalWriter.Kind;
import dev.xip.image.ext.JournalWriter.Logged;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random journals of every kind, replayed by us, by e2fsck and by the kernel: all bytes of the
 * image are the same afterwards, and where the kernel refuses, so do we.
 *
 * <p>{@code -Dxip.seed=S} repeats a run; {@code -Dxip.stress=true} makes it long.
 */
class JournalHistoryTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int HISTORIES = Boolean.getBoolean("xip.stress") ? 2_000 : 25;

  /** With room for fast commits; e2fsck 1.47.0 takes that for a part of the log. */
  private static final String FAST = "-t ext4 -b 1024 -J size=2 -O ^metadata_csum,fast_commit";

  @TempDir static Path folder;
  private static List<JournalImage> images;

  /** What comes behind the last complete transaction. */
  private enum End {
    NOTHING,
    NO_COMMIT_BLOCK,
    WRONG_COMMIT,
    WRONG_COMMIT_AND_ONE_MORE,
    LOST_BLOCK,
    OLD_TRANSACTION,
    OTHER_SEQUENCE
  }

  /** A random journal in an image. */
  private record History(JournalImage base, Kind kind, End end, byte[] image) {}

  @BeforeAll
  static void makeImages() throws IOException {
    System.err.println("JournalHistoryTest: -Dxip.seed=" + SEED);
    images = new ArrayList<>();
    for (String options :
        List.of(
            "-t ext3 -b 4096",
            "-t ext4 -b 1024 -O ^metadata_csum,64bit",
            "-t ext3 -b 2048",
            "-t ext4 -b 4096 -O metadata_csum,64bit",
            FAST)) {
      images.add(JournalImage.make(folder, options));
    }
  }

  /** Recovers the image in a file. */
  private interface Recovery {
    /** Returns whether it was recovered. */
    boolean recovers(Path file) throws IOException;
  }

  @Test
  void aReplayGivesWhatE2fsckWrites() throws IOException {
    judge(
        file -> Processes.runAny("e2fsck", "-fy", "-E", "journal_only", file.toString()).exit() < 4,
        false);
  }

  @Test
  void aReplayGivesWhatTheKernelWritesAndIsRefusedIfItRefuses() throws IOException {
    Judge.loopMount();
    judge(JournalHistoryTest::recoveredByKernel, true);
  }

  /**
   * Compares all histories.
   *
   * @param kernel whether the judge is the kernel: e2fsck repairs what the kernel refuses, and
   *     takes the room for fast commits for a part of the log
   */
  private static void judge(Recovery theirs, boolean kernel) throws IOException {
    int replayed = 0;
    for (int i = 0; i < HISTORIES; i++) {
      History history = history(new Random(SEED + i), i);
      byte[] ours = null;
      String refusal = "";
      try {
        ours = history.base.comparable(JournalImage.replayed(history.image));
        replayed++;
      } catch (CorruptImageException e) {
        refusal = e.getMessage();
      }
      if (!kernel && (ours == null || history.kind.fastCommits())) {
        continue;
      }
      String told =
          "seed %d, history %d: %s %s %s %s"
              .formatted(SEED, i, history.base.options, history.kind, history.end, refusal);
      Path file = Files.write(folder.resolve("history.img"), history.image);
      assertThat(theirs.recovers(file)).as(told).isEqualTo(ours != null);
      if (ours != null) {
        byte[] judged = history.base.comparable(Files.readAllBytes(file));
        assertThat(Arrays.mismatch(ours, judged))
            .as("first byte that differs, " + told)
            .isEqualTo(-1);
      }
    }
    assertThat(replayed).isGreaterThan(HISTORIES / 4);
  }

  /** Returns whether the kernel mounts the image, which it recovers by that. */
  private static boolean recoveredByKernel(Path file) {
    try {
      Images.recovered(file, "ro", root -> {});
      return true;
    } catch (IOException refused) {
      assertThat(refused).hasMessageContaining("mount");
      return false;
    }
  }

  private static History history(Random random, int number) {
    JournalImage base = images.get(number % images.size());
    Checksums checksums = Checksums.values()[random.nextInt(4)];
    // The kernel does not mount an image with 64bit whose journal cannot have features.
    boolean old =
        checksums == Checksums.NONE && base.options.contains("ext3") && random.nextBoolean();
    Kind kind =
        old
            ? new Kind(1, false, Checksums.NONE, false, false)
            : new Kind(
                2,
                random.nextBoolean(),
                checksums,
                random.nextInt(4) == 0,
                base.options.equals(FAST));
    byte[] image = base.clean.clone();
    int first = random.nextInt(4) == 0 ? -2 : 1 + random.nextInt(1000);
    int ring = base.journal.length - 1 - (kind.fastCommits() ? 256 : 0);
    int start = 1 + random.nextInt(ring - 1);
    JournalWriter writer =
        new JournalWriter(image, base.blockSize, base.journal, kind, start, first, null);
    if (random.nextBoolean()) {
      writer.mostTags = 1 + random.nextInt(5);
    }
    int transactions = random.nextInt(8);
    for (int i = 0; i < transactions; i++) {
      writer.commit(logged(random, base), revoked(random, base));
    }
    End end = End.values()[random.nextInt(End.values().length)];
    end(random, base, writer, end);
    if (kind.fastCommits() && random.nextBoolean()) {
      writer.fastCommit(writer.sequence - random.nextInt(2));
    }
    writer.finish();
    return new History(base, kind, end, image);
  }

  private static void end(Random random, JournalImage base, JournalWriter writer, End end) {
    int place = writer.next;
    switch (end) {
      case NOTHING -> {}
      case NO_COMMIT_BLOCK -> writer.body(logged(random, base), revoked(random, base));
      case WRONG_COMMIT -> writer.commitWrongly(logged(random, base), revoked(random, base));
      case WRONG_COMMIT_AND_ONE_MORE -> {
        writer.commitWrongly(logged(random, base), revoked(random, base));
        writer.commit(logged(random, base), revoked(random, base));
      }
      case LOST_BLOCK -> {
        writer.commit(logged(random, base), List.of());
        writer.image.put(
            (int) base.journal[place % writer.ring() + 1] * base.blockSize + 77,
            (byte) random.nextInt());
      }
      case OLD_TRANSACTION -> {
        writer.time -= 1_000_000;
        writer.commitWrongly(logged(random, base), List.of());
      }
      case OTHER_SEQUENCE -> {
        writer.sequence += 1 + random.nextInt(3);
        writer.commit(logged(random, base), revoked(random, base));
      }
      default -> throw new AssertionError(end);
    }
  }

  private static List<Logged> logged(Random random, JournalImage base) {
    List<Logged> logged = new ArrayList<>();
    for (int i = random.nextInt(30); i >= 0; i--) {
      byte[] bytes = new byte[base.blockSize];
      random.nextBytes(bytes);
      if (random.nextInt(4) == 0) {
        ByteBuffer.wrap(bytes).putInt(JournalWriter.MAGIC);
      }
      logged.add(new Logged(anyBlock(random, base), bytes));
    }
    return logged;
  }

  private static List<Long> revoked(Random random, JournalImage base) {
    List<Long> revoked = new ArrayList<>();
    for (int i = random.nextInt(3) == 0 ? random.nextInt(40) : 0; i > 0; i--) {
      revoked.add(anyBlock(random, base));
    }
    return revoked;
  }

  private static long anyBlock(Random random, JournalImage base) {
    return base.data[random.nextInt(60)];
  }
}
