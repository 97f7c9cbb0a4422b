package dev.xip.image.ext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.CorruptImageException;
import dev.xip.image.PathResolver;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which images are not written anew. What becomes of the others is for AlignedPackTest. */
class AlignedImageTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  private final Random random = new Random(SEED);

  @TempDir Path folder;
  private Path tree;

  @BeforeEach
  void makeTree() throws IOException {
    System.err.println("AlignedImageTest: -Dxip.seed=" + SEED);
    tree = Files.createDirectory(folder.resolve("tree"));
    Trees.write(tree.resolve("large"), 0, (4 << 20) + 4096, random);
    Trees.write(tree.resolve("other"), 0, 4096, random);
  }

  /** Writes an image anew. */
  private void anew(Path image) throws IOException {
    Path out = Files.createTempFile(folder, "anew", ".img");
    try (FileChannel from = FileChannel.open(image);
        AlignedImage aligned = AlignedImage.of(image.toString(), from);
        FileChannel to = FileChannel.open(out, StandardOpenOption.WRITE)) {
      assertThat(aligned.obstacles()).isEmpty();
      aligned.write(to, done -> {});
    }
    Processes.run("e2fsck", "-fn", out.toString());
  }

  private Path mke2fs() throws IOException {
    return Images.ext2(tree, folder.resolve("made"), "-b", "4096", "-O", "^resize_inode");
  }

  @Test
  void anImageWithFeaturesThatAreNotUnderstoodIsLeftAlone() throws Exception {
    Path image = Images.ext2(tree);
    try (FileChannel from = FileChannel.open(image);
        AlignedImage aligned = AlignedImage.of(image.toString(), from)) {
      assertThat(aligned.obstacles()).containsExactly("resize_inode");
    }
  }

  @Test
  void aBlockInUseOfWhichNothingIsKnownIsRefused() throws Exception {
    Path image = mke2fs();
    anew(image);
    Images.debugfsWrite(image, "setb 3000");
    assertThatThrownBy(() -> anew(image))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("expected block 3000 to be free")
        .hasMessageContaining("bitmap of group 0");
  }

  @Test
  void aBlockOfTwoFilesIsRefused() throws Exception {
    Path image = mke2fs();
    String stolen;
    try (Arena arena = Arena.ofConfined()) {
      ExtImage open = Images.open(image, arena);
      long at = open.blockMap(PathResolver.resolve(open, "/large", true)).imageOffset(0);
      stolen = Long.toString(at >> 12);
    }
    Images.debugfsWrite(image, "set_inode_field other block[0] " + stolen);
    assertThatThrownBy(() -> anew(image))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("block %s, which is something else's as well".formatted(stolen));
  }

  @Test
  void whateverIsDamagedIsRefusedOrComesOutWhole() throws Exception {
    Path image = mke2fs();
    int refused = 0;
    for (int round = 0; round < 200; round++) {
      // The group's description, the first inodes, the folders and the first file.
      long[] places = random.longs(1 + random.nextInt(8), 1024, 31 * 4096).distinct().toArray();
      byte bit = (byte) (1 << random.nextInt(8));
      flip(image, places, bit);
      try (FileChannel from = FileChannel.open(image);
          AlignedImage aligned = AlignedImage.of(image.toString(), from);
          FileChannel to =
              FileChannel.open(
                  Files.createTempFile(folder, "anew", ".img"),
                  StandardOpenOption.WRITE,
                  StandardOpenOption.DELETE_ON_CLOSE)) {
        if (aligned.obstacles().isEmpty()) {
          aligned.write(to, done -> {});
          assertThat(to.size()).isEqualTo(from.size());
        }
      } catch (CorruptImageException expected) {
        refused++;
      }
      flip(image, places, bit);
    }
    assertThat(refused).isPositive();
  }

  private static void flip(Path image, long[] places, byte bit) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
      for (long place : places) {
        file.seek(place);
        int old = file.read();
        file.seek(place);
        file.write(old ^ bit);
      }
    }
  }
}
