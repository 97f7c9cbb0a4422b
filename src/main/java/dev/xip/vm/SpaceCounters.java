package dev.xip.vm;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What one address space has counted. Linux counterpart: {@code mm_rss_stat} and {@code min_flt}
 * (include/linux/mm_types.h, sched.h).
 */
final class SpaceCounters {
  private final AtomicLong fileFrames = new AtomicLong();
  private final AtomicLong anonymousFrames = new AtomicLong();
  private final AtomicLong minorFaults = new AtomicLong();
  private final AtomicLong copies = new AtomicLong();

  /** One more entry for a frame: of the space's own memory, or of a file. */
  void mapped(boolean anonymous) {
    (anonymous ? anonymousFrames : fileFrames).incrementAndGet();
  }

  /** One entry less. */
  void unmapped(boolean anonymous) {
    (anonymous ? anonymousFrames : fileFrames).decrementAndGet();
  }

  void faulted() {
    minorFaults.incrementAndGet();
  }

  void copied() {
    copies.incrementAndGet();
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
