package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.image.DamageSeed.Field;
import dev.xip.image.DamageSeed.Kind;
import dev.xip.testing.Bounded;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * With any numbers in its structures an image is read in limited time and memory, with no
 * exceptions but checked ones, and all ways to read agree. A subclass makes the images.
 *
 * <p>{@code -Dxip.seed=S} repeats a run; {@code -Dxip.stress=true} makes it long.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class RandomDamageContract {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  private final ImageFormat format;
  private final int mutants;
  private final Bounded limits;
  private List<? extends DamageSeed> seeds;

  /**
   * Sets the limits.
   *
   * @param format the reader
   * @param mutants how many images are damaged
   * @param heap the most bytes that reading one may allocate
   */
  protected RandomDamageContract(ImageFormat format, int mutants, long heap) {
    this.format = format;
    this.mutants = Boolean.getBoolean("xip.stress") ? 10 * mutants : mutants;
    this.limits = new Bounded(Duration.ofSeconds(10), heap);
  }

  /**
   * Makes sound images.
   *
   * @param folder where
   * @return the images
   * @throws IOException if they cannot be made
   */
  protected abstract List<? extends DamageSeed> seeds(Path folder) throws IOException;

  /**
   * Checks that an image holds all that can be damaged.
   *
   * @param seed the image
   * @param reading its whole reading
   */
  protected abstract void checkSound(DamageSeed seed, WholeReading reading);

  @BeforeAll
  void makeSeeds(@TempDir Path folder) throws IOException {
    seeds = seeds(folder);
  }

  @Test
  void theSoundImagesAreReadWholly() throws IOException {
    for (DamageSeed seed : seeds) {
      WholeReading reading = new WholeReading(format, seed.sound);
      reading.everything();
      assertThat(reading.damage).as(seed.name).isNull();
      checkSound(seed, reading);
    }
    assertThat(seeds).hasSizeGreaterThan(5);
  }

  @Test
  @Timeout(3600)
  void onlyCheckedExceptionsComeOutOfADamagedImage() {
    System.err.println(getClass().getSimpleName() + ": -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    int opened = 0;
    int damaged = 0;
    for (DamageSeed seed : seeds) {
      byte[] image = seed.sound.clone();
      for (int i = 0; i < mutants / seeds.size(); i++) {
        Map<Integer, Byte> undo = new LinkedHashMap<>();
        String change = mutate(random, seed, image, undo);
        if (random.nextInt(8) > 0) {
          seed.seal(image, List.copyOf(undo.keySet()), at -> undo.putIfAbsent(at, image[at]));
        }
        String told = "seed %d, mutant %d of %s: %s".formatted(SEED, i, seed.name, change);
        WholeReading reading = new WholeReading(format, image);
        try {
          limits.run(told, reading::everything);
        } catch (IOException refused) {
          assertThat(refused).as(told).hasMessageContaining(WholeReading.NAME);
        }
        opened += reading.opened ? 1 : 0;
        damaged += reading.opened && reading.damage != null ? 1 : 0;
        undo.forEach((at, was) -> image[at] = was);
      }
      assertThat(image).isEqualTo(seed.sound);
    }
    assertThat(opened).as("images that open").isGreaterThan(mutants / 2);
    assertThat(damaged).as("images that open and are damaged").isGreaterThan(mutants / 10);
    assertThat(opened - damaged).as("images that are read wholly").isGreaterThan(mutants / 10);
  }

  /** Changes a field or a few of a kind, now and then bytes anywhere; says which. */
  private static String mutate(
      Random random, DamageSeed seed, byte[] image, Map<Integer, Byte> undo) {
    StringBuilder told = new StringBuilder();
    List<Kind> kinds = seed.kinds();
    int choice = random.nextInt(kinds.size() + 1);
    int count = random.nextInt(3) == 0 ? 2 + random.nextInt(6) : 1;
    for (int i = 0; i < count; i++) {
      Field field = new Field(random.nextInt(image.length), 1);
      long value = random.nextInt();
      if (choice < kinds.size()) {
        List<Field> fields = seed.fields(kinds.get(choice));
        field = fields.get(random.nextInt(fields.size()));
        Field other = fields.get(random.nextInt(fields.size()));
        value = value(random, field, image, other.get(image));
      }
      for (int j = 0; j < field.width(); j++) {
        undo.putIfAbsent(field.at() + j, image[field.at() + j]);
        image[field.at() + j] = (byte) (value >> 8 * j);
      }
      told.append(" 0x%x(%d)=0x%x".formatted(field.at(), field.width(), value));
    }
    return told.toString();
  }

  private static long value(Random random, Field field, byte[] image, long other) {
    long was = field.get(image);
    return switch (random.nextInt(11)) {
      case 0 -> 0;
      case 1 -> 1;
      case 2 -> -1;
      case 3 -> 1L << 8 * field.width() - 1;
      case 4 -> was + 1;
      case 5 -> was - 1;
      case 6 -> was ^ 1L << random.nextInt(8 * field.width());
      case 7 -> random.nextLong();
      case 8 -> random.nextInt(Math.max(300, image.length / 4096 + 2));
      default -> other;
    };
  }
}
