package dev.xip.testing;

import java.lang.management.ManagementFactory;

/** Measures what a piece of code allocates on the heap. */
public final class Allocations {
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  private Allocations() {}

  /**
   * Runs something once to load what it needs, and then again and again.
   *
   * @return the bytes that this thread allocated in the best of the later runs
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
