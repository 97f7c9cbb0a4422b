package dev.xip.vm;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The counters of one address space, or of a whole machine. Linux counterpart: {@code mm_rss_stat}
 * and {@code min_flt} (include/linux/mm_types.h, sched.h).
 *
 * <p>Lock held by the caller: none needed.
 */
final class SpaceCounters {
  /** The machine's counters, which count along; null in these themselves. */
  private final SpaceCounters machine;

  private final AtomicLong fileFrames = new AtomicLong();
  private final AtomicLong anonymousFrames = new AtomicLong();
  private final AtomicLong minorFaults = new AtomicLong();
  private final AtomicLong copies = new AtomicLong();

  SpaceCounters(SpaceCounters machine) {
    this.machine = machine;
  }

  /** Counts an entry for a frame, anonymous or of a file. */
  void mapped(boolean anonymous) {
    (anonymous ? anonymousFrames : fileFrames).incrementAndGet();
    if (machine != null) {
      machine.mapped(anonymous);
    }
  }

  /** Uncounts such an entry. */
  void unmapped(boolean anonymous) {
    (anonymous ? anonymousFrames : fileFrames).decrementAndGet();
    if (machine != null) {
      machine.unmapped(anonymous);
    }
  }

  void faulted() {
    minorFaults.incrementAndGet();
    if (machine != null) {
      machine.faulted();
    }
  }

  void copied() {
    copies.incrementAndGet();
    if (machine != null) {
      machine.copied();
    }
  }

  long fileFrames() {
    return fileFrames.get();
  }

  long anonymousFrames() {
    return anonymousFrames.get();
  }

  long minorFaults() {
    return minorFaults.get();
  }

  long copies() {
    return copies.get();
  }
}
