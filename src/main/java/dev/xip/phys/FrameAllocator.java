package dev.xip.phys;

import dev.xip.base.Pages;
import dev.xip.base.SpinLock;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Hands out the frames of RAM, zeroed, and takes them back. A freed frame is the next one to be
 * handed out, while it is still in the processor's cache.
 *
 * <p>The free list is linked through the frames' own records and guarded by one spin lock, so
 * nothing is allocated on the heap.
 */
public final class FrameAllocator {
  private static final long NONE = -1;

  private final MemorySegment window;
  private final PageFrames frames;
  private final SpinLock lock = new SpinLock("zone lock");
  private final AtomicLongArray inUse = new AtomicLongArray(FrameUse.values().length);

  /** The last frame freed, or {@link #NONE}. Guarded by the lock. */
  private long free = NONE;

  /** Every frame from here on was never used, so it is zero already. Guarded by the lock. */
  private long untouched;

  FrameAllocator(MemorySegment window, PageFrames frames) {
    this.window = window;
    this.frames = frames;
  }

  /**
   * Takes a frame of zeros with a reference count of one.
   *
   * @param use what it will be used for
   * @return the page frame number, or -1 if RAM is used up (ENOMEM)
   */
  public long allocate(FrameUse use) {
    long pfn;
    boolean dirty;
    lock.lock();
    try {
      dirty = free != NONE;
      if (dirty) {
        pfn = free;
        free = frames.link(pfn);
      } else if (untouched < frames.count()) {
        pfn = untouched++;
      } else {
        return NONE;
      }
    } finally {
      lock.unlock();
    }
    if (dirty) {
      window.asSlice(pfn << Pages.SHIFT, Pages.SIZE).fill((byte) 0);
    }
    frames.setUse(pfn, use);
    frames.setReferences(pfn, 1);
    inUse.incrementAndGet(use.ordinal());
    return pfn;
  }

  /**
   * Drops a reference and takes the frame back if it was the last. Linux counterpart: {@code
   * put_page}.
   *
   * @param pfn a frame in use
   * @return true if the frame is free now
   * @throws IllegalStateException if an entry still maps it
   */
  public boolean put(long pfn) {
    if (frames.drop(pfn) > 0) {
      return false;
    }
    if (frames.mappings(pfn) != 0) {
      throw new IllegalStateException(
          "pfn 0x%x freed with %d mappings".formatted(pfn, frames.mappings(pfn)));
    }
    inUse.decrementAndGet(frames.use(pfn).ordinal());
    frames.setUse(pfn, FrameUse.FREE);
    lock.lock();
    try {
      frames.setLink(pfn, free);
      free = pfn;
    } finally {
      lock.unlock();
    }
    return true;
  }

  /**
   * Counts the frames that are used for something.
   *
   * @param use what for
   * @return the number of frames
   */
  public long inUse(FrameUse use) {
    return inUse.get(use.ordinal());
  }

  /**
   * Counts the frames in use for anything at all.
   *
   * @return the number of frames
   */
  public long inUse() {
    long sum = 0;
    for (int i = 0; i < inUse.length(); i++) {
      sum += inUse.get(i);
    }
    return sum;
  }

  /**
   * Counts the frames that are left.
   *
   * @return the number of free frames
   */
  public long available() {
    return frames.count() - inUse();
  }
}
