package dev.xip.base;

import java.lang.foreign.MemorySegment;

/**
 * Has the fault of a mapped file that was cut underneath us thrown where it happened. The JVM
 * reports such a fault as an {@link InternalError}, and compiled code goes on with made-up bytes
 * until the thread next stops at a safepoint, which can be outside every method that knew about the
 * file.
 */
public final class PendingFaults {
  private static final Object ANY_LOCK = new Object();

  private PendingFaults() {}

  /**
   * Takes a fault that was met so far, here and not later. To be called before a {@code try} that
   * touched mapped memory is left, in a {@code finally}, for what made-up bytes lead to may be an
   * exception too. A native call that does next to nothing (some 10 ns): coming back from native
   * code, a thread always takes what is pending for it.
   *
   * @throws InternalError if memory that was touched is gone
   */
  public static void settle() {
    Thread.holdsLock(ANY_LOCK);
  }

  /**
   * Copies bytes of which one side may be a mapped file, and takes the fault that this may meet.
   *
   * @param source where the bytes are
   * @param from the byte offset there
   * @param destination where they go
   * @param to the byte offset there
   * @param bytes how many
   * @throws InternalError if memory that was touched is gone
   */
  public static void copy(
      MemorySegment source, long from, MemorySegment destination, long to, long bytes) {
    try {
      MemorySegment.copy(source, from, destination, to, bytes);
    } finally {
      settle();
    }
  }
}
