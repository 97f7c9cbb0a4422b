package dev.xip.measure;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Where works that go through the same places begin: each somewhere else. Otherwise one that takes
 * its turn after another, or runs beside it, would find in the caches what that one has just read.
 */
final class Beginnings {
  private static final AtomicLong GIVEN = new AtomicLong();

  private Beginnings() {}

  /**
   * Gives a beginning, far from those given before.
   *
   * @param count how many there are to choose from
   * @return one of 0..count-1
   */
  static int next(long count) {
    // Multiples of the golden ratio keep their distance, however many there are.
    double part = GIVEN.getAndIncrement() * 0.6180339887498949 % 1;
    return (int) (part * count);
  }
}
