package dev.xip.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.image.CorruptImageException;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.ext.ExtImage;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.PageRun;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An in-place file translates its pages to contiguous runs on the device. */
class InPlaceFileTest {
  private static final long FIRST_PFN = 0x10_0000;

  @TempDir Path folder;
  private Arena arena;
  private Path packed;
  private ExtImage image;

  /** A device that is contiguous in runs of this many pages. */
  private record Device(long byteSize, long stretch) implements DirectAccess {
    @Override
    public PageRun directAccess(long offset, long length) throws IOException {
      if (offset % 4096 != 0 || offset + length > byteSize) {
        throw new IOException("ERANGE: 0x%x".formatted(offset));
      }
      long page = offset / 4096;
      long together = stretch - page % stretch;
      return new PageRun(FIRST_PFN + page, Math.min(together, Math.ceilDiv(length, 4096)));
    }
  }

  @BeforeEach
  void packATree() throws IOException {
    arena = Arena.ofShared();
    Path tree = Trees.small(folder.resolve("tree"));
    Trees.write(tree.resolve("mixed"), 2 * 4096, 6 * 4096, new Random(4));
    Trees.write(tree.resolve("mixed"), 20 * 4096, 100, new Random(5));
    packed = Images.ext2(tree);
    image = Images.open(packed, arena);
  }

  @AfterEach
  void unmap() {
    arena.close();
  }

  private InPlaceFile open(String path, long stretch) throws IOException {
    Inode inode = PathResolver.resolve(image, path, true);
    return InPlaceFile.open(path, image, inode, new Device(image.memory().byteSize(), stretch));
  }

  private static long pfn(InPlaceFile file, long page) {
    return FIRST_PFN + file.blockMap().imageOffset(page * 4096) / 4096;
  }

  @Test
  void aPageLiesWhereItsBlockLiesOnTheDevice() throws IOException {
    InPlaceFile file = open("mixed", Long.MAX_VALUE);
    assertThat(file.name()).isEqualTo("mixed");
    assertThat(file.size()).isEqualTo(20 * 4096 + 100);
    assertThat(file.translate(2)).isEqualTo(new PageRun(pfn(file, 2), 6));
    assertThat(file.translate(7)).isEqualTo(new PageRun(pfn(file, 7), 1));
    assertThat(file.translate(20)).isEqualTo(new PageRun(pfn(file, 20), 1));
  }

  @Test
  void aHoleIsARunOfItsOwn() throws IOException {
    InPlaceFile file = open("mixed", Long.MAX_VALUE);
    assertThat(file.translate(0)).isEqualTo(new PageRun(-1, 2));
    assertThat(file.translate(8)).isEqualTo(new PageRun(-1, 12));
  }

  @Test
  void aRunEndsWhereTheDeviceIsNotContiguous() throws IOException {
    InPlaceFile file = open("mixed", 2);
    long page = pfn(file, 2) % 2 == 0 ? 2 : 3;
    assertThat(file.translate(page)).isEqualTo(new PageRun(pfn(file, page), 2));
    assertThat(file.translate(page + 1)).isEqualTo(new PageRun(pfn(file, page + 1), 1));
  }

  @Test
  void aPagePastTheEndHoldsNothing() throws IOException {
    InPlaceFile file = open("mixed", Long.MAX_VALUE);
    assertThat(file.translate(21)).isEqualTo(PageRun.HOLE);
    assertThat(file.translate(Long.MAX_VALUE)).isEqualTo(PageRun.HOLE);
    assertThat(open("empty", 1).translate(0)).isEqualTo(PageRun.HOLE);
  }

  @Test
  void aNegativePageIsRefused() throws IOException {
    InPlaceFile file = open("mixed", 1);
    assertThatThrownBy(() -> file.translate(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void theRunsOfAFileAddUpToIt() throws IOException {
    InPlaceFile file = open("indirect", 3);
    long page = 0;
    while (page * 4096 < file.size()) {
      PageRun run = file.translate(page);
      for (long i = 0; i < run.pages(); i++) {
        assertThat(run.pfn() + i).isEqualTo(pfn(file, page + i));
      }
      page += run.pages();
    }
    assertThat(page).isEqualTo(Math.ceilDiv(file.size(), 4096));
  }

  @Test
  void aDeviceSmallerThanTheImageSaysSo() throws IOException {
    Inode inode = PathResolver.resolve(image, "mixed", true);
    InPlaceFile file = InPlaceFile.open("mixed", image, inode, new Device(4096, 1));
    assertThatThrownBy(() -> file.translate(2)).hasMessageContaining("ERANGE");
  }

  @Test
  void readingGivesThePackedBytes() throws IOException {
    InPlaceFile file = open("mixed", 1);
    byte[] read = new byte[(int) file.size()];
    assertThat(file.read(0, MemorySegment.ofArray(read))).isEqualTo(read.length);
    assertThat(read).isEqualTo(Files.readAllBytes(folder.resolve("tree/mixed")));
  }

  @Test
  void whatCannotBeInPlaceIsRefusedWithTheReason() {
    assertThatThrownBy(() -> open("sub", 1))
        .isInstanceOf(FileSystemException.class)
        .hasMessage("sub: cannot be used in place: not a regular file");
  }

  @Test
  void readingATruncatedImageIsACheckedException() throws IOException {
    InPlaceFile file = open("indirect", 1);
    try (FileChannel channel = FileChannel.open(packed, StandardOpenOption.WRITE)) {
      channel.truncate(4096);
    }
    assertThatThrownBy(() -> file.read(0, MemorySegment.ofArray(new byte[100_000])))
        .isInstanceOf(CorruptImageException.class)
        .hasMessageContaining("truncated while in use");
  }
}
