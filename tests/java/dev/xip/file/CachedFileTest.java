package dev.xip.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AtomicContext;
import dev.xip.base.Pages;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.image.ext.ExtImage;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.testing.Allocations;
import dev.xip.testing.Images;
import dev.xip.testing.Trees;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A file through the page cache: a frame for each page that was needed, and no other copy. */
class CachedFileTest {
  private static final int RAM_PAGES = 64;

  @TempDir Path folder;
  private PhysicalMemory memory;
  private FrameAllocator allocator;
  private PageCache cache;

  @BeforeEach
  void boot() throws IOException {
    memory = PhysicalMemory.boot(64L << 20, RAM_PAGES * Pages.SIZE);
    allocator = memory.allocator();
    cache = new PageCache(memory);
  }

  @AfterEach
  void close() {
    assertThat(allocator.inUse(FrameUse.PAGE_CACHE)).isEqualTo(cache.pages());
    memory.close();
  }

  private static MemorySegment bytes(int length, int value) {
    byte[] bytes = new byte[length];
    Arrays.fill(bytes, (byte) value);
    return MemorySegment.ofArray(bytes);
  }

  private static byte[] read(CachedFile file, long position, int length) throws IOException {
    byte[] bytes = new byte[length];
    long read = file.read(position, MemorySegment.ofArray(bytes));
    return Arrays.copyOf(bytes, (int) read);
  }

  @Test
  void aFileInRamHoldsWhatIsWrittenAndHasNoPagesForItsHoles() throws IOException {
    CachedFile file = cache.create("f");
    assertThat(file.write(3 * Pages.SIZE - 1, bytes(2, 7))).isEqualTo(2);
    assertThat(file.size()).isEqualTo(3 * Pages.SIZE + 1);
    assertThat(read(file, 3 * Pages.SIZE - 2, 10)).containsExactly(0, 7, 7);
    assertThat(read(file, 0, 1)).containsExactly(0);
    assertThat(cache.pages()).isEqualTo(2);
    assertThat(file.frame(0)).isNegative();
  }

  @Test
  void truncationFreesPagesAndZeroesTheRestOfTheLast() throws IOException {
    CachedFile file = cache.create("f");
    file.write(0, bytes(3 * (int) Pages.SIZE, 7));
    file.truncate(Pages.SIZE + 1);
    assertThat(cache.pages()).isEqualTo(2);
    file.truncate(2 * Pages.SIZE);
    assertThat(read(file, Pages.SIZE, 3)).containsExactly(7, 0, 0);
    file.evict();
    assertThat(cache.pages()).isZero();
  }

  @Test
  void aPageOfAnImageIsReadInOnceAndEqualsTheImagesBytes() throws IOException {
    try (Arena arena = Arena.ofShared()) {
      CachedFile file = ofImage(arena, 10);
      byte[] expected = Files.readAllBytes(folder.resolve("tree/file"));
      assertThat(read(file, 0, expected.length + 5)).isEqualTo(expected);
      assertThat(cache.pagesAdded()).isEqualTo(10);
      long frame = file.frame(3);
      read(file, 0, expected.length);
      assertThat(cache.pagesAdded()).isEqualTo(10);
      assertThat(file.frame(3)).isEqualTo(frame);
      assertThat(file.isWritable()).isFalse();
      assertThatThrownBy(() -> file.write(0, bytes(1, 1))).hasMessageContaining("EROFS");
      file.evict();
    }
  }

  private CachedFile ofImage(Arena arena, int pages) throws IOException {
    Path tree = Trees.small(folder.resolve("tree"));
    Trees.write(tree.resolve("file"), 0, pages * (int) Pages.SIZE - 100, new Random(1));
    ExtImage image = Images.open(Images.ext2(tree), arena);
    Inode inode = PathResolver.resolve(image, "file", true);
    return cache.open("file", image, inode);
  }

  @Test
  void whenRamRunsOutTheOldestUnusedPagesThatCanBeReadAgainAreGivenUp() throws IOException {
    try (Arena arena = Arena.ofShared()) {
      CachedFile dirty = cache.create("dirty");
      dirty.write(0, bytes(4 * (int) Pages.SIZE, 7));
      CachedFile file = ofImage(arena, 40);
      file.readAhead(0, Long.MAX_VALUE);
      assertThat(file.cachedPageCount()).isEqualTo(40);
      memory.frames().get(file.frame(0));
      memory.frames().addMapping(file.frame(1));
      while (file.cachedPageCount() == 40) {
        assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isNotNegative();
      }
      assertThat(file.frame(0)).as("a page that is pinned").isNotNegative();
      assertThat(file.frame(1)).as("a page that is mapped").isNotNegative();
      assertThat(file.frame(2)).as("the oldest other page").isNegative();
      assertThat(file.frame(39)).as("the youngest page").isNotNegative();
      assertThat(dirty.cachedPageCount()).isEqualTo(4);
      while (allocator.allocate(FrameUse.ANONYMOUS) >= 0) {
        // Until nothing is left.
      }
      assertThat(cache.pages()).isEqualTo(6);
      assertThatThrownBy(() -> dirty.write(4 * Pages.SIZE, bytes(1, 1)))
          .hasMessageContaining("ENOMEM");
      memory.frames().removeMapping(file.frame(1));
      allocator.put(file.frame(0));
      assertThat(dirty.write(4 * Pages.SIZE, bytes(1, 1))).isEqualTo(1);
      assertThat(file.cachedPageCount()).isZero();
    }
  }

  @Test
  void noPageIsGivenUpInAtomicContext() throws IOException {
    try (Arena arena = Arena.ofShared()) {
      CachedFile file = ofImage(arena, 8);
      file.readAhead(0, 8);
      while (allocator.available() > 0) {
        allocator.allocate(FrameUse.ANONYMOUS);
      }
      AtomicContext.enter("test lock");
      try {
        assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isNegative();
      } finally {
        AtomicContext.leave("test lock");
      }
      assertThat(file.cachedPageCount()).isEqualTo(8);
    }
  }

  @Test
  void aHitAllocatesNothing() throws IOException {
    CachedFile file = cache.create("f");
    file.write(0, bytes(1, 1));
    assertThat(
            Allocations.ofCompiled(
                () -> {
                  for (int i = 0; i < 1000; i++) {
                    file.tryLock(0).unlock();
                    file.frame(0);
                  }
                }))
        .isZero();
  }
}
