package dev.xip.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/**
 * Limits of a reading, whatever is read: time, heap, and no exceptions but checked ones.
 *
 * @param most the longest that it may take
 * @param heap the most bytes that its thread may allocate
 */
public record Bounded(Duration most, long heap) {
  private static final com.sun.management.ThreadMXBean THREADS =
      (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** What is read. */
  @FunctionalInterface
  public interface Reading {
    /**
     * Reads it.
     *
     * @throws IOException if it is damaged
     */
    void read() throws IOException;
  }

  /**
   * Reads within the limits.
   *
   * @param told what is read, for a failure
   * @param reading reads it
   * @throws IOException what the reading threw
   */
  public void run(String told, Reading reading) throws IOException {
    long before = THREADS.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    try {
      reading.read();
    } catch (RuntimeException | Error bug) {
      throw new AssertionError(told, bug);
    } finally {
      assertThat(System.nanoTime() - start).as(told).isLessThan(most.toNanos());
      assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).as(told).isLessThan(heap);
    }
  }
}
