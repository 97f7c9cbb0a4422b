package dev.xip.testing;

import java.lang.management.ManagementFactory;

/** Measures the heap allocation of code. */
public final class Allocations {
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static final long LIMIT_NANOS = 3_000_000_000L;

  private Allocations() {}

  /**
   * Runs code once to load its classes, and then five times.
   *
   * @return the fewest bytes that this thread allocated in one of the later runs
   */
  public static long of(Runnable code) {
    code.run();
    return fewest(code, 5);
  }

  /**
   * The same with as many runs as it takes until nothing is allocated, for three seconds at most:
   * code that is not compiled yet makes objects that the compiler leaves out.
   */
  public static long ofCompiled(Runnable code) {
    long best = of(code);
    long start = System.nanoTime();
    while (best > 0 && System.nanoTime() - start < LIMIT_NANOS) {
      best = Math.min(best, fewest(code, 10));
    }
    return best;
  }

  private static long fewest(Runnable code, int runs) {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < runs; i++) {
      long before = THREADS.getCurrentThreadAllocatedBytes();
      code.run();
      best = Math.min(best, THREADS.getCurrentThreadAllocatedBytes() - before);
    }
    return best;
  }
}
