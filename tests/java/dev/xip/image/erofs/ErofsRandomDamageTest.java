package dev.xip.image.erofs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.WholeReading;
import dev.xip.image.erofs.ErofsDamageSeed.Field;
import dev.xip.image.erofs.ErofsDamageSeed.Kind;
import dev.xip.testing.Judge;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * With any numbers in its structures an image is read in limited time and memory, with no
 * exceptions but checked ones, and all ways to read agree.
 *
 * <p>{@code -Dxip.seed=S} repeats a run; {@code -Dxip.stress=true} makes it long.
 */
class ErofsRandomDamageTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int MUTANTS = Boolean.getBoolean("xip.stress") ? 100_000 : 8_000;
  private static final long MOST_HEAP = 512L << 20;
  private static final long MOST_SECONDS = 10;

  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir static Path folder;
  private static List<ErofsDamageSeed> seeds;

  @BeforeAll
  static void makeSeeds() throws IOException {
    Judge.program("mkfs.erofs");
    seeds = ErofsDamageSeed.all(folder);
  }

  @Test
  void theSoundImagesAreReadWholly() throws IOException {
    for (ErofsDamageSeed seed : seeds) {
      WholeReading reading = new WholeReading(new ErofsFormat(), seed.sound);
      reading.everything();
      assertThat(reading.damage).as(seed.name).isNull();
      assertThat(reading.types).as(seed.name).hasSize(4);
      assertThat(reading.attributes).as(seed.name).isGreaterThanOrEqualTo(8);
    }
    assertThat(seeds).hasSizeGreaterThan(5);
  }

  @Test
  @Timeout(3600)
  void onlyCheckedExceptionsComeOutOfADamagedImage() {
    System.err.println("ErofsRandomDamageTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    int opened = 0;
    int damaged = 0;
    for (ErofsDamageSeed seed : seeds) {
      for (int i = 0; i < MUTANTS / seeds.size(); i++) {
        byte[] image = seed.sound.clone();
        String change = mutate(random, seed, image);
        String told = "seed %d, mutant %d of %s: %s".formatted(SEED, i, seed.name, change);
        WholeReading reading = new WholeReading(new ErofsFormat(), image);
        judge(reading, told);
        opened += reading.opened ? 1 : 0;
        damaged += reading.opened && reading.damage != null ? 1 : 0;
      }
    }
    assertThat(opened).as("images that open").isGreaterThan(MUTANTS / 2);
    assertThat(damaged).as("images that open and are damaged").isGreaterThan(MUTANTS / 10);
    assertThat(opened - damaged).as("images that are read wholly").isGreaterThan(MUTANTS / 10);
  }

  private static void judge(WholeReading reading, String told) {
    long heap = THREADS.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    try {
      reading.everything();
    } catch (IOException refused) {
      assertThat(refused).as(told).hasMessageContaining(WholeReading.NAME);
    } catch (RuntimeException | Error bug) {
      throw new AssertionError(told, bug);
    }
    assertThat(System.nanoTime() - start).as(told).isLessThan(MOST_SECONDS * 1_000_000_000L);
    assertThat(THREADS.getCurrentThreadAllocatedBytes() - heap).as(told).isLessThan(MOST_HEAP);
  }

  /** Changes a field or a few of a kind, now and then bytes anywhere; says which. */
  private static String mutate(Random random, ErofsDamageSeed seed, byte[] image) {
    StringBuilder told = new StringBuilder();
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    List<Kind> kinds = List.copyOf(seed.fields.keySet());
    int choice = random.nextInt(kinds.size() + 1);
    int count = random.nextInt(3) == 0 ? 2 + random.nextInt(6) : 1;
    for (int i = 0; i < count; i++) {
      if (choice == kinds.size()) {
        put(bytes, new Field(random.nextInt(image.length), 1), random.nextInt(), told);
        continue;
      }
      List<Field> fields = seed.fields.get(kinds.get(choice));
      Field field = fields.get(random.nextInt(fields.size()));
      Field other = fields.get(random.nextInt(fields.size()));
      put(bytes, field, value(random, field, get(bytes, field), get(bytes, other)), told);
    }
    ErofsDamageSeed.sum(image);
    return told.toString();
  }

  private static long value(Random random, Field field, long was, long other) {
    return switch (random.nextInt(11)) {
      case 0 -> 0;
      case 1 -> 1;
      case 2 -> -1;
      case 3 -> 1L << 8 * field.width() - 1;
      case 4 -> was + 1;
      case 5 -> was - 1;
      case 6 -> was ^ 1L << random.nextInt(8 * field.width());
      case 7 -> random.nextLong();
      case 8 -> random.nextInt(300);
      default -> other;
    };
  }

  private static long get(ByteBuffer bytes, Field field) {
    long value = 0;
    for (int i = 0; i < field.width(); i++) {
      value |= (bytes.get(field.at() + i) & 0xffL) << 8 * i;
    }
    return value;
  }

  private static void put(ByteBuffer bytes, Field field, long value, StringBuilder told) {
    for (int i = 0; i < field.width(); i++) {
      bytes.put(field.at() + i, (byte) (value >> 8 * i));
    }
    told.append(" 0x%x(%d)=0x%x".formatted(field.at(), field.width(), value));
  }
}
