package dev.xip.measure;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Start offsets, far from each other, for workloads that go through the same places. From the same
 * offset a workload would find its data in the caches, loaded by the contender before it.
 */
final class StartOffsets {
  private static final AtomicLong GIVEN = new AtomicLong();

  private StartOffsets() {}

  /** {@return the next offset, one of 0..count-1, far from those returned before} */
  static int next(long count) {
    // Multiples of the golden ratio keep their distance, however many there are.
    double part = GIVEN.getAndIncrement() * 0.6180339887498949 % 1;
    return (int) (part * count);
  }
}
