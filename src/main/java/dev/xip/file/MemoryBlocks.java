package dev.xip.file;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.PageRun;
import dev.xip.phys.PageFrames;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;

/**
 * A device of writable memory for files that live no longer than the machine: blocks of one page,
 * of which the last one freed is allocated first. Linux counterpart: the block allocator of ext2 on
 * a ram disk (fs/ext2/balloc.c).
 */
public final class MemoryBlocks {
  /** How long a waiter for a pin sleeps before it looks again. */
  private static final long WAIT_NANOS = 100_000;

  private final MemorySegment memory;
  private final long firstPfn;

  /** Null if pins are not looked at. */
  private final PageFrames frames;

  private final int blocks;

  /** Blocks from this number on were never allocated. Guarded by the monitor. */
  private int used;

  /** The first {@link #freedCount} of these are free too; guarded by the monitor. */
  private int[] freed = new int[64];

  private int freedCount;

  /**
   * Makes a device over memory, with all blocks free.
   *
   * @param memory a whole number of pages: a region's part of the physical memory window, where a
   *     file is mapped for writing
   * @param firstPfn the page frame number of its first page
   * @throws IllegalArgumentException if the memory is not whole pages, or more than 2^31 - 1 of
   *     them (EINVAL), or may not be stored into (EACCES)
   */
  public MemoryBlocks(MemorySegment memory, long firstPfn) {
    this(memory, firstPfn, null);
  }

  /**
   * Makes a device whose blocks may have page frames: a block that is pinned when its file loses it
   * is free only after the last pin. Linux counterpart: {@code dax_layout_busy_page} and the waits
   * of its callers (fs/dax.c, 5fac7408d828).
   *
   * @param memory as for the other constructor
   * @param firstPfn the page frame number of its first page
   * @param frames the machine's page frames; null if pins are not looked at
   * @throws IllegalArgumentException as the other constructor does
   */
  public MemoryBlocks(MemorySegment memory, long firstPfn, PageFrames frames) {
    this.frames = frames;
    Pages.requireAligned(memory.byteSize(), "size of the device");
    if (memory.byteSize() >>> Pages.SHIFT > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "device: expected at most 0x%x pages, found 0x%x",
              Integer.MAX_VALUE, memory.byteSize() >>> Pages.SHIFT));
    }
    this.memory = PhysicalMemory.storable(memory);
    this.firstPfn = firstPfn;
    this.blocks = (int) (memory.byteSize() >>> Pages.SHIFT);
  }

  /**
   * Makes an empty file.
   *
   * @param name its name, for messages
   * @return the file
   */
  public MemoryFile create(String name) {
    return new MemoryFile(name, this);
  }

  /** {@return the number of free blocks} */
  public synchronized long available() {
    return blocks - used + freedCount;
  }

  /** Allocates a block, zeroed before any mapping can show it. */
  long allocate(String file, long page) throws IOException {
    int block;
    synchronized (this) {
      if (available() == 0) {
        throw new IOException(
            Errno.ENOSPC.message(
                "page 0x%x of %s: expected a free block, found all 0x%x in use",
                page, file, blocks));
      }
      block = freedCount > 0 ? freed[--freedCount] : used++;
    }
    PageRun place = new PageRun(firstPfn + block, 1);
    bytes(place).fill((byte) 0);
    return place.pfn();
  }

  /** {@return whether a block is pinned} */
  boolean isPinned(long pfn) {
    return frames != null && frames.pins(pfn) > 0;
  }

  /**
   * Waits until no block of a run is pinned. Precondition: no entry maps one any more, so that none
   * can be pinned anew.
   */
  void awaitUnpinned(long pfn, long pages) {
    for (long each = pfn; each < pfn + pages; each++) {
      while (isPinned(each)) {
        LockSupport.parkNanos(WAIT_NANOS);
      }
    }
  }

  synchronized void giveBack(long pfn, long pages) {
    if (freedCount + pages > freed.length) {
      freed = Arrays.copyOf(freed, (int) Math.min(blocks, 2L * (freedCount + pages)));
    }
    // In reverse order, so that contiguous blocks are allocated as such again.
    for (long i = pages; i-- > 0; ) {
      freed[freedCount++] = (int) (pfn - firstPfn + i);
    }
  }

  /** {@return the memory of contiguous blocks} */
  MemorySegment bytes(PageRun place) {
    return memory.asSlice(place.pfn() - firstPfn << Pages.SHIFT, place.pages() << Pages.SHIFT);
  }
}
