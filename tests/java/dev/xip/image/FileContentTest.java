package dev.xip.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.ext.ExtImage;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading at any place, of any length, gives the bytes that were packed. */
class FileContentTest {
  @TempDir static Path folder;
  private static Arena arena;
  private static Path tree;
  private static ExtImage image;

  @BeforeAll
  static void packATree() throws IOException {
    arena = Arena.ofShared();
    tree = Trees.small(folder.resolve("tree"));
    image = Images.open(Images.ext2(tree), arena);
  }

  @AfterAll
  static void unmap() {
    arena.close();
  }

  private static FileContent content(String path) throws IOException {
    return FileContent.of(image, PathResolver.resolve(image, path, true));
  }

  @Test
  void everyRangeIsWhatWasPacked() throws IOException {
    byte[] packed = Files.readAllBytes(tree.resolve("holes"));
    FileContent content = content("holes");
    Random random = new Random(3);
    for (int i = 0; i < 2000; i++) {
      int from = random.nextInt(i % 2 == 0 ? 60_000 : packed.length);
      byte[] read = new byte[random.nextInt(20_000)];
      Arrays.fill(read, (byte) 0x55);
      long count = content.read(from, MemorySegment.ofArray(read));
      assertThat(count).isEqualTo(Math.min(read.length, packed.length - from));
      int end = from + (int) count;
      assertThat(Arrays.equals(read, 0, (int) count, packed, from, end)).isTrue();
    }
  }

  @Test
  void aHoleReadsAsZeros() throws IOException {
    byte[] read = new byte[100];
    Arrays.fill(read, (byte) 1);
    content("holes").read(0, MemorySegment.ofArray(read));
    assertThat(read).containsOnly(0);
  }

  @Test
  void readingStopsAtTheEndAndLeavesTheRestAlone() throws IOException {
    byte[] read = new byte[8];
    Arrays.fill(read, (byte) '.');
    assertThat(content("hello.txt").read(4, MemorySegment.ofArray(read))).isEqualTo(2);
    assertThat(new String(read)).isEqualTo("o\n......");
  }

  @Test
  void atAndPastTheEndThereIsNothing() throws IOException {
    MemorySegment read = MemorySegment.ofArray(new byte[8]);
    assertThat(content("hello.txt").read(6, read)).isZero();
    assertThat(content("hello.txt").read(Long.MAX_VALUE, read)).isZero();
    assertThat(content("empty").read(0, read)).isZero();
    assertThat(content("hello.txt").read(0, read.asSlice(0, 0))).isZero();
  }

  @Test
  void aNegativePositionIsRefused() throws IOException {
    FileContent content = content("hello.txt");
    assertThatThrownBy(() -> content.read(-1, MemorySegment.ofArray(new byte[1])))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("EINVAL");
  }

  @Test
  void whatIsNotARegularFileCannotBeRead() {
    assertThatThrownBy(() -> content("sub"))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("not a regular file");
  }
}
