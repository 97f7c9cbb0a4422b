package dev.xip.vm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The time between two flushes of an address space. A translation that was looked up in an epoch is
 * true until the epoch ends, which the reader asks after its use. An object and not a number alone:
 * the reader loads one field of one object and compares it with nothing. Each load that a read
 * takes costs the processor a place in the queue of loads that wait for memory.
 */
final class Epoch {
  private static final VarHandle ENDED;

  static {
    try {
      ENDED = MethodHandles.lookup().findVarHandle(Epoch.class, "ended", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long number;
  private boolean ended;

  /** Begins an epoch; numbers only grow. */
  Epoch(long number) {
    this.number = number;
  }

  /** How many epochs the space had before. */
  long number() {
    return number;
  }

  /**
   * Ends it. A reader that does not see the end has read before what the caller does afterwards.
   */
  void end() {
    ENDED.setVolatile(this, true);
  }

  /** Tells whether it has ended, after all that the caller has loaded until now. */
  boolean hasEnded() {
    // A load with acquire would not do: it orders what comes after it.
    VarHandle.loadLoadFence();
    return ended;
  }

  /**
   * The same for a caller that has put that fence before the load of its reference to this epoch:
   * the JIT then checks the reference for null by the load itself.
   */
  boolean hasEndedBehindFence() {
    return ended;
  }
}
