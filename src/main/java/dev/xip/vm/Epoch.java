package dev.xip.vm;

import dev.xip.base.LostPages;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The time between two flushes of an address space. What was looked up in an epoch may be used as
 * long as it is not over, which is asked after the use. An epoch is a number, and the number of the
 * present one is a counter in native memory, so that it is over as well when the handler of SIGBUS
 * has put zeros in the place of a page that was cut away: see {@link LostPages#COUNTERS}.
 *
 * <p>There are so many counters. If there are more spaces than that, two share one, and a flush of
 * the one makes the other look its translations up again.
 */
final class Epoch {
  /** No epoch has this number. */
  static final long NONE = -1;

  /** A constant, and indexed through a constant mask: no check is left of a load from it. */
  private static final MemorySegment COUNTERS = LostPages.COUNTERS;

  private static final long MASK = LostPages.COUNTERS.byteSize() - LostPages.STRIDE;

  private static final VarHandle COUNTER = ValueLayout.JAVA_LONG.varHandle();

  private static final AtomicLong SPACES = new AtomicLong();

  private Epoch() {}

  /** Chooses a counter for a new space: its place, to be handed to all other methods. */
  static long newCounter() {
    // The first one counts what was lost, and nothing else.
    long count = MASK / LostPages.STRIDE;
    return (1 + SPACES.getAndIncrement() % count) * LostPages.STRIDE;
  }

  /** The present epoch. What the caller loads afterwards is of this epoch or of a later one. */
  static long present(long counter) {
    return (long) COUNTER.getAcquire(COUNTERS, counter & MASK);
  }

  /**
   * Ends an epoch. A reader that does not see the end has read before what the caller does
   * afterwards.
   */
  static void end(long counter) {
    COUNTER.getAndAdd(COUNTERS, counter & MASK, 1L);
  }

  /** Tells whether an epoch has ended, after all that the caller has loaded until now. */
  static boolean isOver(long counter, long epoch) {
    // A load with acquire would not do: it orders what comes after it.
    VarHandle.loadLoadFence();
    return COUNTERS.get(ValueLayout.JAVA_LONG, counter & MASK) != epoch;
  }
}
