package dev.xip.vm;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What one address space has counted, or all of a machine together. Linux counterpart: {@code
 * mm_rss_stat} and {@code min_flt} (include/linux/mm_types.h, sched.h).
 */
final class SpaceCounters {
  /** Counts along for the whole machine; null there. */
  private final SpaceCounters machine;

  private final AtomicLong fileFrames = new AtomicLong();
  private final AtomicLong anonymousFrames = new AtomicLong();
  private final AtomicLong minorFaults = new AtomicLong();
  private final AtomicLong copies = new AtomicLong();

  SpaceCounters(SpaceCounters machine) {
    this.machine = machine;
  }

  /** One more entry for a frame: of the space's own memory, or of a file. */
  void mapped(boolean anonymous) {
    (anonymous ? anonymousFrames : fileFrames).incrementAndGet();
    if (machine != null) {
      machine.mapped(anonymous);
    }
  }

  /** One entry less. */
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
