package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.FileName;
import dev.xip.base.ProgressListener;
import dev.xip.image.BlockMap;
import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.TreeWalk;
import dev.xip.image.ext.DamageSeed.Field;
import dev.xip.image.ext.DamageSeed.Kind;
import dev.xip.mount.DirectoryListing;
import dev.xip.mount.Placement;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
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
  private static final int MUTANTS = Boolean.getBoolean("xip.stress") ? 40_000 : 2_000;
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
      Reading reading = new Reading(seed.sound);
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
        Reading reading = new Reading(image);
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

  private static void judge(Reading reading, String told) {
    long heap = THREADS.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    try {
      reading.everything();
    } catch (IOException refused) {
      assertThat(refused).as(told).hasMessageContaining(Reading.NAME);
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

  /** One image, read in every way. */
  private static final class Reading {
    static final String NAME = "random.img";

    final byte[] buffer = new byte[4096];
    final Set<FileType> types = new HashSet<>();
    final Set<Long> regular = new HashSet<>();
    private final byte[] bytes;
    private ExtImage image;
    boolean opened;
    int attributes;
    private boolean placed = true;

    /** The first damage met after opening. */
    IOException damage;

    Reading(byte[] bytes) {
      this.bytes = bytes;
    }

    void everything() throws IOException {
      image = ExtImage.open(NAME, MemorySegment.ofArray(bytes));
      opened = true;
      boolean walked = passes(() -> TreeWalk.walk(image, root(), (walk, inode) -> one(inode)));
      Set<Long> judged = new HashSet<>();
      boolean checked =
          passes(
              () ->
                  Placement.check(
                      image,
                      root(),
                      file -> judged.add(file.inode().number()),
                      ProgressListener.NONE));
      assertThat(checked)
          .as("check ends well if a walk and its maps do")
          .isEqualTo(walked && placed);
      if (checked) {
        assertThat(judged).as("what check saw").isEqualTo(regular);
      }
    }

    private Inode root() throws IOException {
      return image.root();
    }

    /** Reading that may meet damage. */
    private interface Part {
      void read() throws IOException;
    }

    private boolean passes(Part part) {
      try {
        part.read();
        return true;
      } catch (IOException e) {
        assertThat(e).hasMessageContaining(NAME);
        damage = damage == null ? e : damage;
        return false;
      }
    }

    private void one(Inode inode) {
      types.add(inode.type());
      passes(() -> attributes += image.extendedAttributes(inode).size());
      switch (inode.type()) {
        case SYMLINK -> passes(() -> image.readLink(inode));
        case REGULAR -> {
          regular.add(inode.number());
          placed &= passes(() -> image.blockMap(inode));
          passes(() -> contents(inode));
        }
        case DIRECTORY -> passes(() -> names(inode));
        default -> {}
      }
    }

    /** Both ends, and what lies at the first extents: a damaged size can be terabytes of zeros. */
    private void contents(Inode inode) throws IOException {
      FileContent content = FileContent.of(image, inode);
      BlockMap map = image.blockMap(inode);
      Arrays.fill(buffer, (byte) 1);
      content.read(0, MemorySegment.ofArray(buffer));
      content.read(Math.max(0, inode.size() - 4096), MemorySegment.ofArray(buffer));
      for (int i = 0; i < Math.min(8, map.extentCount()); i++) {
        content.read(map.extent(i).fileOffset(), MemorySegment.ofArray(buffer));
      }
    }

    private void names(Inode folder) throws IOException {
      Map<FileName, Long> listed = new LinkedHashMap<>();
      image.list(folder, (name, number, type) -> listed.put(name, number) == null);
      for (Map.Entry<FileName, Long> each : listed.entrySet()) {
        assertThat(image.find(folder, each.getKey())).isEqualTo(each.getValue());
      }
      assertThat(image.find(folder, FileName.of("not there"))).isEqualTo(-1);
      for (DirectoryListing.Entry entry : DirectoryListing.of(image, folder)) {
        assertThat(entry.inode().number()).isEqualTo(listed.remove(entry.name()));
      }
      listed.keySet().removeAll(List.of(FileName.of("."), FileName.of("..")));
      assertThat(listed).isEmpty();
    }
  }
}
