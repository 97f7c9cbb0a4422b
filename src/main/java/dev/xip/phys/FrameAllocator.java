package dev.xip.phys;

import dev.xip.base.AddrRange;
import dev.xip.base.AtomicContext;
import dev.xip.base.Pages;
import dev.xip.base.SpinLock;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.BooleanSupplier;

/**
 * Hands out the frames of RAM, zeroed, and takes them back: one by one, or in contiguous runs for
 * tables larger than a frame. A freed frame is the next one to be handed out, while it is still in
 * the processor's cache.
 *
 * <p>The free lists are linked through the frames' own records and guarded by one spin lock, so it
 * does not allocate on the heap until RAM is nearly used up. Linux counterpart: mm/page_alloc.c.
 * The kernel keeps buddies of every order; here a freed run stays whole, and runs are split or
 * joined only when nothing else is free.
 */
public final class FrameAllocator {
  private static final long NONE = -1;

  private final MemorySegment ram;
  private final PageFrames frames;
  private final SpinLock lock = new SpinLock("zone lock");
  private final AtomicLongArray inUse = new AtomicLongArray(FrameUse.values().length);

  /** The last single frame freed, or {@link #NONE}. Guarded by the lock. */
  private long free = NONE;

  /** The first frame of the run freed last, or {@link #NONE}. Guarded by the lock. */
  private long freeRuns = NONE;

  /** The banks from which fresh frames are not used up. Guarded by the lock. */
  private final Iterator<AddrRange> banks;

  /** The first frame of a bank that was never used: it and all behind it are zero. Likewise. */
  private long untouched;

  /** The end of that bank. Likewise. */
  private long untouchedEnd;

  /** Frames that are no RAM and whose last reference was dropped. */
  private final NavigableSet<Long> refused = new ConcurrentSkipListSet<>();

  /** Frees frames that can be read in again; false if there are none. */
  private volatile BooleanSupplier reclaim = () -> false;

  FrameAllocator(MemorySegment ram, PageFrames frames, RamBanks banks) {
    this.ram = ram;
    this.frames = frames;
    this.banks = banks.ranges().iterator();
  }

  /**
   * Names what to do when no frame is free and the caller of an allocation may block. Linux
   * counterpart: {@code try_to_free_pages} (mm/vmscan.c).
   *
   * @param how frees some frames, and returns false if it found none to free
   */
  public void reclaimBy(BooleanSupplier how) {
    reclaim = how;
  }

  /**
   * Takes a frame of zeros with a reference count of one.
   *
   * @param use what it will be used for
   * @return the page frame number, or -1 if RAM is used up (ENOMEM)
   */
  public long allocate(FrameUse use) {
    return allocateRun(use, 1);
  }

  /**
   * Takes contiguous frames of zeros. The first stands for all of them: it has a reference count of
   * one, the others have none, and {@link #put} of the first frees the run. Linux counterpart:
   * {@code alloc_pages} with {@code __GFP_COMP}.
   *
   * @param use what they will be used for
   * @param pages how many, 1 or more
   * @return the number of the first, or -1 if RAM has no such run left (ENOMEM)
   */
  public long allocateRun(FrameUse use, int pages) {
    return allocate(use, pages, true);
  }

  /**
   * Takes a frame without clearing it. Precondition: the caller overwrites all of it before it can
   * be read.
   *
   * @param use what it will be used for
   * @return the page frame number, or -1 if RAM is used up (ENOMEM)
   */
  public long allocateUncleared(FrameUse use) {
    return allocate(use, 1, false);
  }

  private long allocate(FrameUse use, int pages, boolean cleared) {
    long pfn;
    boolean fresh;
    do {
      lock.lock();
      try {
        pfn = pages == 1 ? popSingle() : popRun(pages);
        fresh = pfn == NONE && hasFresh(pages);
        if (fresh) {
          pfn = untouched;
          untouched += pages;
        } else if (pfn == NONE) {
          pfn = pages == 1 ? splitRun() : joinSingles(pages);
        }
      } finally {
        lock.unlock();
      }
    } while (pfn == NONE && AtomicContext.mayBlock() && reclaim.getAsBoolean());
    if (pfn == NONE) {
      return NONE;
    }
    if (cleared && !fresh) {
      clear(ram.asSlice(pfn << Pages.SHIFT, pages * Pages.SIZE));
    }
    for (long each = pfn; each < pfn + pages; each++) {
      frames.setUse(each, use);
    }
    frames.setRun(pfn, pages);
    frames.setReferences(pfn, 1);
    inUse.addAndGet(use.ordinal(), pages);
    return pfn;
  }

  /** A loop that the compiler unrolls is twice as fast for a page as a fill, which is a call. */
  private static void clear(MemorySegment frame) {
    int words = (int) (frame.byteSize() / Long.BYTES);
    for (int i = 0; i < words; i++) {
      frame.setAtIndex(ValueLayout.JAVA_LONG, i, 0);
    }
  }

  /** Goes on to the next bank if this one has no such run left; the rest of this one is freed. */
  private boolean hasFresh(int pages) {
    while (untouched + pages > untouchedEnd && banks.hasNext()) {
      while (untouched < untouchedEnd) {
        pushSingle(untouched++);
      }
      AddrRange bank = banks.next();
      untouched = bank.start() >>> Pages.SHIFT;
      untouchedEnd = bank.end() >>> Pages.SHIFT;
    }
    return untouched + pages <= untouchedEnd;
  }

  private long popSingle() {
    long pfn = free;
    if (pfn != NONE) {
      free = frames.link(pfn);
    }
    return pfn;
  }

  private void pushSingle(long pfn) {
    frames.setRun(pfn, 1);
    frames.setLink(pfn, free);
    free = pfn;
  }

  /** Takes the run of that length that was freed last. */
  private long popRun(int pages) {
    long before = NONE;
    for (long pfn = freeRuns; pfn != NONE; pfn = frames.link(pfn)) {
      if (frames.run(pfn) == pages) {
        if (before == NONE) {
          freeRuns = frames.link(pfn);
        } else {
          frames.setLink(before, frames.link(pfn));
        }
        return pfn;
      }
      before = pfn;
    }
    return NONE;
  }

  /** Splits a run when there are no single frames left, and takes one of them. */
  private long splitRun() {
    long run = freeRuns;
    if (run == NONE) {
      return NONE;
    }
    freeRuns = frames.link(run);
    for (long pfn = run + frames.run(run) - 1; pfn >= run; pfn--) {
      pushSingle(pfn);
    }
    return popSingle();
  }

  /** Joins neighbouring single frames to a run. Slow: RAM is about to run out. */
  private long joinSingles(int pages) {
    long[] singles = drainSingles();
    Arrays.sort(singles);
    int first = 0;
    while (first + pages <= singles.length
        && singles[first + pages - 1] - singles[first] != pages - 1) {
      first++;
    }
    boolean found = first + pages <= singles.length;
    for (int i = singles.length - 1; i >= 0; i--) {
      if (!found || i < first || i >= first + pages) {
        pushSingle(singles[i]);
      }
    }
    return found ? singles[first] : NONE;
  }

  private long[] drainSingles() {
    int count = 0;
    for (long pfn = free; pfn != NONE; pfn = frames.link(pfn)) {
      count++;
    }
    long[] singles = new long[count];
    for (int i = 0; i < count; i++) {
      singles[i] = popSingle();
    }
    return singles;
  }

  /**
   * Drops a reference; if it was the last, frees the frame, or the run that begins with it. A frame
   * that is no RAM is kept out and noted in {@link #refused}. Linux counterpart: {@code put_page}.
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
    if (frames.use(pfn) == FrameUse.DEVICE) {
      return false;
    }
    if (!frames.isRam(pfn)) {
      refused.add(pfn);
      return false;
    }
    int pages = frames.run(pfn);
    inUse.addAndGet(frames.use(pfn).ordinal(), -pages);
    for (long each = pfn; each < pfn + pages; each++) {
      frames.setUse(each, FrameUse.FREE);
    }
    lock.lock();
    try {
      if (pages == 1) {
        pushSingle(pfn);
      } else {
        frames.setLink(pfn, freeRuns);
        freeRuns = pfn;
      }
    } finally {
      lock.unlock();
    }
    return true;
  }

  /**
   * {@return the frames that would have been handed out as RAM although they are none, ascending} A
   * memory model called them valid, they were counted, and the last reference was dropped. The
   * kernel of 2.6.24 prints "Bad page state" and frees such a page, unless it is reserved ({@code
   * free_pages_check}).
   */
  public List<Long> refused() {
    return List.copyOf(refused);
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

  /** {@return the number of frames in use} */
  public long inUse() {
    long sum = 0;
    for (int i = 0; i < inUse.length(); i++) {
      sum += inUse.get(i);
    }
    return sum;
  }

  /** {@return the number of free frames} */
  public long available() {
    return frames.count() - inUse();
  }
}
