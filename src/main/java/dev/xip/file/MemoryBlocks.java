package dev.xip.file;

import dev.xip.base.Pages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A device of writable memory for files that live no longer than the machine: blocks of one page,
 * the one freed last handed out first. Linux counterpart: the block allocator of ext2 on a ram disk
 * (fs/ext2/balloc.c).
 */
public final class MemoryBlocks {
  private final MemorySegment memory;
  private final long firstPfn;

  /**
   * The free blocks are the first {@link #freeCount} of these; guarded by this object's monitor.
   */
  private final int[] free;

  private int freeCount;

  /**
   * Takes memory over, all of it free.
   *
   * @param memory writable memory, a whole number of pages: a region's part of the physical memory
   *     window
   * @param firstPfn the page frame number of its first page
   * @throws IllegalArgumentException if the memory is not whole pages (EINVAL)
   */
  public MemoryBlocks(MemorySegment memory, long firstPfn) {
    Pages.requireAligned(memory.byteSize(), "size of the device");
    this.memory = memory;
    this.firstPfn = firstPfn;
    this.free = new int[Math.toIntExact(memory.byteSize() >>> Pages.SHIFT)];
    for (int i = 0; i < free.length; i++) {
      free[i] = free.length - 1 - i;
    }
    this.freeCount = free.length;
  }

  /**
   * Makes an empty file.
   *
   * @param name its name, for people
   * @return the file
   */
  public MemoryFile create(String name) {
    return new MemoryFile(name, this);
  }

  /**
   * Counts the blocks that no file has.
   *
   * @return the number of pages
   */
  public synchronized long available() {
    return freeCount;
  }

  /** Takes a block and zeroes it before anybody can see it. */
  long take(String file, long page) throws IOException {
    int block;
    synchronized (this) {
      if (freeCount == 0) {
        throw new IOException(
            "ENOSPC: page 0x%x of %s: expected a free block, found all 0x%x in use"
                .formatted(page, file, free.length));
      }
      block = free[--freeCount];
    }
    long pfn = firstPfn + block;
    bytes(pfn).fill((byte) 0);
    return pfn;
  }

  synchronized void giveBack(long pfn) {
    free[freeCount++] = (int) (pfn - firstPfn);
  }

  /** The bytes of a block. */
  MemorySegment bytes(long pfn) {
    return memory.asSlice(pfn - firstPfn << Pages.SHIFT, Pages.SIZE);
  }
}
