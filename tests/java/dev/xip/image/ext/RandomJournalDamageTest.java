package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.CorruptImageException;
import dev.xip.image.Overlay;
import dev.xip.image.ext.JournalWriter.Checksums;
import dev.xip.image.ext.JournalWriter.Kind;
import dev.xip.image.ext.JournalWriter.Logged;
import dev.xip.testing.Bounded;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A journal with any numbers in it, under right checksums, is replayed or refused in limited time
 * and memory; what is replayed lies inside the image and outside the journal.
 *
 * <p>{@code -Dxip.seed=S} repeats a run; {@code -Dxip.stress=true} makes it long.
 */
class RandomJournalDamageTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int MUTANTS = Boolean.getBoolean("xip.stress") ? 100_000 : 1_000;
  private static final Bounded LIMITS = new Bounded(Duration.ofSeconds(5), 16L << 20);

  @TempDir static Path folder;
  private static JournalImage base;

  @BeforeAll
  static void makeAnImage() throws IOException {
    System.err.println("RandomJournalDamageTest: -Dxip.seed=" + SEED);
    base = JournalImage.make(folder, "-t ext3 -b 4096");
  }

  @Test
  void aDamagedJournalIsReplayedOrRefused() throws IOException {
    AtomicInteger replayed = new AtomicInteger();
    int refused = 0;
    byte[] image = base.clean.clone();
    for (int i = 0; i < MUTANTS; i++) {
      Random random = new Random(SEED + i);
      restore(image);
      write(random, image);
      for (int bytes = random.nextInt(3) == 0 ? 1 + random.nextInt(8) : 0; bytes > 0; bytes--) {
        long block = base.journal[random.nextInt(20)];
        image[(int) block * 4096 + random.nextInt(random.nextBoolean() ? 64 : 4096)] ^=
            (byte) (1 << random.nextInt(8));
      }
      String told = "seed %d, mutant %d".formatted(SEED, i);
      try {
        LIMITS.run(
            told,
            () -> {
              Overlay overlay = JournalImage.overlay(image);
              replayed.addAndGet(overlay.isEmpty() ? 0 : 1);
              requireInside(overlay, told);
            });
      } catch (CorruptImageException e) {
        assertThat(e.offset()).as(told).isBetween(0L, (long) image.length);
        refused++;
      }
    }
    assertThat(replayed.get()).as("replayed").isGreaterThan(MUTANTS / 10);
    assertThat(refused).as("refused").isGreaterThan(MUTANTS / 10);
  }

  /** Puts back what a journal overwrites. */
  private static void restore(byte[] image) {
    System.arraycopy(base.clean, 1024, image, 1024, 1024);
    for (long block : base.journal) {
      System.arraycopy(base.clean, (int) block * 4096, image, (int) block * 4096, 4096);
    }
  }

  private static void requireInside(Overlay overlay, String told) {
    long last = -1;
    for (int i = 0; i < overlay.pieces(); i++) {
      Overlay.Piece piece = overlay.piece(i);
      assertThat(piece.place()).as(told).isGreaterThan(last);
      last = piece.place() + 4095;
      assertThat(last).as(told).isLessThan(base.clean.length);
      assertThat(base.journal).as(told).contains(piece.source() / 4096);
      assertThat(base.journal).as(told).doesNotContain(piece.place() / 4096);
    }
  }

  private static void write(Random random, byte[] image) {
    Checksums checksums = Checksums.values()[random.nextInt(4)];
    Kind kind = new Kind(2, random.nextBoolean(), checksums, random.nextInt(4) == 0, false);
    Random damage = random.nextInt(8) == 0 ? null : random;
    int start = random.nextBoolean() ? 1 : base.journal.length - 10;
    JournalWriter writer =
        new JournalWriter(image, 4096, base.journal, kind, start, random.nextInt(3) - 1, damage);
    writer.mostTags = 1 + random.nextInt(10);
    for (int i = random.nextInt(5); i >= 0; i--) {
      List<Logged> logged = new ArrayList<>();
      for (int j = random.nextInt(10); j >= 0; j--) {
        logged.add(new Logged(base.data[random.nextInt(20)], new byte[4096]));
      }
      List<Long> revoked = new ArrayList<>();
      for (int j = random.nextInt(4); j > 0; j--) {
        revoked.add(base.data[random.nextInt(20)]);
      }
      writer.commit(logged, revoked);
    }
    writer.finish();
  }
}
