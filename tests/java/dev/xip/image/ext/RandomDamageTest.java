package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.FileType;
import dev.xip.image.WholeReading;
import dev.xip.image.ext.DamageSeed.Field;
import dev.xip.image.ext.DamageSeed.Kind;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
class RandomDamageTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int MUTANTS = Boolean.getBoolean("xip.stress") ? 40_000 : 12_000;
  private static final long MOST_HEAP = 64L << 20;
  private static final long MOST_SECONDS = 10;

  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  @TempDir static Path folder;
  private static List<DamageSeed> seeds;

  @BeforeAll
  static void makeSeeds() throws IOException {
    seeds = DamageSeed.all(folder);
  }

  @Test
  void theSoundImagesAreReadWholly() throws IOException {
    for (DamageSeed seed : seeds) {
      WholeReading reading = new WholeReading(new ExtFormat(), seed.sound);
      reading.everything();
      assertThat(reading.damage).as(seed.name).isNull();
      assertThat(reading.types)
          .as(seed.name)
          .isEqualTo(EnumSet.complementOf(EnumSet.of(FileType.UNKNOWN)));
      assertThat(reading.attributes).as(seed.name).isEqualTo(seed.hasAttributes() ? 6 : 0);
      byte[] sealed = seed.sound.clone();
      seed.seals.put(sealed);
      assertThat(sealed).as("checksums of %s", seed.name).isEqualTo(seed.sound);
      assertThat(seed.kinds()).as(seed.name).hasSize(seed.hasAttributes() ? 6 : 5);
    }
  }

  @Test
  @Timeout(3600)
  void onlyCheckedExceptionsComeOutOfADamagedImage() throws IOException {
    System.err.println("RandomDamageTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    int opened = 0;
    int damaged = 0;
    for (DamageSeed seed : seeds) {
      byte[] image = seed.sound.clone();
      for (int i = 0; i < MUTANTS / seeds.size(); i++) {
        Map<Integer, Byte> undo = new LinkedHashMap<>();
        String change = mutate(random, seed, image, undo);
        if (random.nextInt(8) > 0) {
          seed.seals.put(image, List.copyOf(undo.keySet()), at -> undo.putIfAbsent(at, image[at]));
        }
        String told = "seed %d, mutant %d of %s: %s".formatted(SEED, i, seed.name, change);
        WholeReading reading = new WholeReading(new ExtFormat(), image);
        judge(reading, told);
        opened += reading.opened ? 1 : 0;
        damaged += reading.opened && reading.damage != null ? 1 : 0;
        undo.forEach((at, was) -> image[at] = was);
      }
      assertThat(image).isEqualTo(seed.sound);
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
  private static String mutate(
      Random random, DamageSeed seed, byte[] image, Map<Integer, Byte> undo) {
    StringBuilder told = new StringBuilder();
    ByteBuffer bytes = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
    List<Kind> kinds = seed.kinds();
    int choice = random.nextInt(kinds.size() + 1);
    int count = random.nextInt(3) == 0 ? 2 + random.nextInt(6) : 1;
    for (int i = 0; i < count; i++) {
      if (choice == kinds.size()) {
        int at = random.nextInt(image.length);
        put(bytes, new Field(at, 1), random.nextInt(), undo, told);
        continue;
      }
      List<Field> fields = seed.fields.get(kinds.get(choice));
      Field field = fields.get(random.nextInt(fields.size()));
      int other = get(bytes, fields.get(random.nextInt(fields.size())));
      put(bytes, field, value(random, field, get(bytes, field), other, image.length), undo, told);
    }
    return told.toString();
  }

  private static int value(Random random, Field field, int was, int other, int length) {
    return switch (random.nextInt(11)) {
      case 0 -> 0;
      case 1 -> 1;
      case 2 -> -1;
      case 3 -> 1 << 8 * field.width() - 1;
      case 4 -> was + 1;
      case 5 -> was - 1;
      case 6 -> was ^ 1 << random.nextInt(8 * field.width());
      case 7 -> random.nextInt();
      case 8 -> random.nextInt(length / 4096 + 2);
      default -> other;
    };
  }

  private static int get(ByteBuffer bytes, Field field) {
    return switch (field.width()) {
      case 1 -> bytes.get(field.at());
      case 2 -> bytes.getShort(field.at());
      default -> bytes.getInt(field.at());
    };
  }

  private static void put(
      ByteBuffer bytes, Field field, int value, Map<Integer, Byte> undo, StringBuilder told) {
    for (int i = 0; i < field.width(); i++) {
      undo.putIfAbsent(field.at() + i, bytes.get(field.at() + i));
      bytes.put(field.at() + i, (byte) (value >> 8 * i));
    }
    told.append(" 0x%x(%d)=0x%x".formatted(field.at(), field.width(), value));
  }
}
