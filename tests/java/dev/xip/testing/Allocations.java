package dev.xip.testing;

import java.lang.management.ManagementFactory;

/** Measures the heap allocation of code. */
public final class Allocations {
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Allocations() {}

  /**
   * Runs code once to load its classes, and then several times.
   *
   * @return the fewest bytes that this thread allocated in one of the later runs
   */
  public static long of(Runnable code) {
    code.run();
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      code.run();
      best = Math.min(best, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return best;
  }
}
