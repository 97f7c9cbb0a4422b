package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.xip.image.FileContent;
import dev.xip.image.FileType;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever bytes the metadata holds, reading ends, and with an IOException if at all. */
class RandomDamageTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int ROUNDS = 5_000;

  @TempDir Path folder;

  @Test
  @Timeout(120)
  void onlyIoExceptionsComeOutOfADamagedImage() throws IOException {
    System.err.println("RandomDamageTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    byte[] sound = Files.readAllBytes(Images.ext2(Trees.small(folder.resolve("tree"))));
    int[] targets = metadata(sound);
    byte[] image = sound.clone();
    int refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
      int[] flipped = random.ints(1 + random.nextInt(8), 0, targets.length).toArray();
      for (int target : flipped) {
        image[targets[target]] = interesting(random, image[targets[target]]);
      }
      try {
        readEverything(ExtImage.open("random.img", MemorySegment.ofArray(image)));
      } catch (IOException damage) {
        assertThat(damage).hasMessageContaining("random.img");
        refused++;
      } catch (RuntimeException | Error bug) {
        fail("round %d of seed %d".formatted(round, SEED), bug);
      }
      for (int target : flipped) {
        image[targets[target]] = sound[targets[target]];
      }
    }
    assertThat(refused).as("the damage is noticed now and then").isBetween(100, ROUNDS - 100);
  }

  private static byte interesting(Random random, byte was) {
    return switch (random.nextInt(4)) {
      case 0 -> 0;
      case 1 -> (byte) 0xff;
      case 2 -> (byte) (was ^ 1 << random.nextInt(8));
      default -> (byte) random.nextInt(256);
    };
  }

  /** Returns the offsets of the bytes that the reader believes something from. */
  private static int[] metadata(byte[] sound) throws IOException {
    ExtImage image = ExtImage.open("sound.img", MemorySegment.ofArray(sound));
    List<int[]> ranges = new ArrayList<>();
    ranges.add(new int[] {1024, 1024 + 0x88});
    ranges.add(new int[] {4096, 4096 + 32});
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          int at = (int) inode.offset();
          ranges.add(new int[] {at, at + 0x90});
          if (inode.type() == FileType.DIRECTORY) {
            int block = (int) image.blockMap(inode).imageOffset(0);
            ranges.add(new int[] {block, block + 256});
          }
          for (int depth = 0; depth < 2 && inode.type() == FileType.REGULAR; depth++) {
            int pointer = at + ExtLayout.I_BLOCK + 4 * (ExtLayout.DIRECT_BLOCKS + depth);
            int block = (sound[pointer] & 0xff | (sound[pointer + 1] & 0xff) << 8) * 4096;
            if (block != 0) {
              ranges.add(new int[] {block, block + 128});
            }
          }
        });
    return ranges.stream().flatMapToInt(range -> IntStream.range(range[0], range[1])).toArray();
  }

  private static void readEverything(FsImage image) throws IOException {
    byte[] buffer = new byte[4096];
    IOException[] first = {null};
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          try {
            readOne(image, inode, buffer);
          } catch (IOException damage) {
            first[0] = damage;
          }
        });
    PathResolver.resolve(image, "/sub/deeper/absolute", true);
    if (first[0] != null) {
      throw first[0];
    }
  }

  private static void readOne(FsImage image, Inode inode, byte[] buffer) throws IOException {
    if (inode.type() == FileType.SYMLINK) {
      image.readLink(inode);
    } else if (inode.type() == FileType.REGULAR) {
      FileContent content = FileContent.of(image, inode);
      Arrays.fill(buffer, (byte) 1);
      // Both ends: a damaged size can make a file of terabytes of zeros.
      content.read(0, MemorySegment.ofArray(buffer));
      content.read(Math.max(0, inode.size() - 4096), MemorySegment.ofArray(buffer));
    }
  }
}
