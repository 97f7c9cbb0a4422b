package dev.xip.vm;

import dev.xip.base.SpinLock;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.FrameUse;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Reports of entries that no rule of the memory manager can have made; the kernel prints "Bad page
 * map". A report never blocks and never stops the machine. Where the rules limit them, after a
 * burst of {@value #BURST} reports the rest of the minute is silent, and the first report of the
 * next says how many were left out. Linux counterpart: {@code print_bad_pte} (mm/memory.c).
 *
 * <p>Lock held by the caller: any, an entry lock included.
 */
public final class BadEntries {
  /** How many reports are made in one window of time. */
  public static final int BURST = 60;

  /** How many lines are kept where reports are not limited; the kernel's log has an end too. */
  private static final int MOST_LINES = 1000;

  private static final long WINDOW_NANOS = 60_000_000_000L;

  private final EntryLayout layout;
  private final Iterable<Mm> spaces;
  private final LongSupplier clock;
  private final boolean limited;
  private final SpinLock lock = new SpinLock("bad entries lock");

  /** The lines of the window. Guarded by the lock, as are all that follow. */
  private final List<String> lines = new ArrayList<>();

  private long count;
  private long windowStart;
  private int shown;
  private long suppressed;

  /**
   * Makes an empty log.
   *
   * @param layout describes entries
   * @param spaces the machine's address spaces, to be read without a lock
   * @param clock nanoseconds from any origin
   * @param limited whether the rest of a minute is silent after a burst
   */
  BadEntries(EntryLayout layout, Iterable<Mm> spaces, LongSupplier clock, boolean limited) {
    this.layout = layout;
    this.spaces = spaces;
    this.clock = clock;
    this.limited = limited;
  }

  /** Reports an entry, unless the limit is reached. May be called with an entry lock held. */
  void report(Vma vma, long va, long pte, String why) {
    report(
        () ->
            "%s: pte 0x%016x (%s) at address 0x%x, vm_flags 0x%x, %s: %s"
                .formatted(spaceOf(vma, va), pte, layout.describe(pte), va, vma.flags(), vma, why));
  }

  /** Reports a frame whose entry was removed and had never been counted. */
  void reportFrame(Mm mm, long pfn, FrameUse use) {
    report(
        () ->
            "space %s: pfn 0x%x (%s): its map count would go below zero"
                .formatted(mm.name(), pfn, use));
  }

  private void report(Supplier<String> what) {
    long missed;
    lock.lock();
    try {
      count++;
      long now = clock.getAsLong();
      if (limited && shown > 0 && now - windowStart >= WINDOW_NANOS) {
        shown = 0;
      }
      if (limited && shown == BURST) {
        suppressed++;
        return;
      }
      if (shown++ == 0) {
        windowStart = now;
        lines.clear();
      }
      missed = suppressed;
      suppressed = 0;
    } finally {
      lock.unlock();
    }
    String line = "BUG: Bad page map in " + what.get();
    lock.lock();
    try {
      if (missed > 0) {
        lines.add("BUG: Bad page map: %d messages suppressed".formatted(missed));
      }
      lines.add(line);
      if (lines.size() > MOST_LINES) {
        lines.removeFirst();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The space that lists the mapping; none may while the mapping is being cut or moved. */
  private String spaceOf(Vma vma, long va) {
    for (Mm mm : spaces) {
      if (mm.find(va) == vma) {
        return "space " + mm.name();
      }
    }
    return "an unknown space";
  }

  /** {@return the number of bad entries met since boot, reported or not} */
  public long count() {
    lock.lock();
    try {
      return count;
    } finally {
      lock.unlock();
    }
  }

  /** {@return the number of reports suppressed since the last one} */
  public long suppressed() {
    lock.lock();
    try {
      return suppressed;
    } finally {
      lock.unlock();
    }
  }

  /**
   * {@return the reports of the current window of time, oldest first: at most one burst and one
   * line about suppressed ones}
   */
  public List<String> lines() {
    lock.lock();
    try {
      return List.copyOf(lines);
    } finally {
      lock.unlock();
    }
  }

  /** {@return the last report, one line; empty if there was none} */
  public String last() {
    lock.lock();
    try {
      return lines.isEmpty() ? "" : lines.getLast();
    } finally {
      lock.unlock();
    }
  }
}
