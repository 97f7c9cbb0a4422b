package dev.xip.vm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The time between two flushes of an address space. A translation may be used while the epoch of
 * its look-up lasts; the reader checks that after the use. An object and not only a number, so that
 * the check is one load of one field: each load of a read occupies an entry of the processor's load
 * queue.
 *
 * <p>Lock held by the caller: none needed.
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

  /** Begins an epoch; the numbers of a space only grow. */
  Epoch(long number) {
    this.number = number;
  }

  /** How many epochs the space had before. */
  long number() {
    return number;
  }

  /**
   * Ends it. The loads of a reader that does not see the end precede all that the caller does
   * afterwards.
   */
  void end() {
    ENDED.setVolatile(this, true);
  }

  /** Tells whether it has ended; the check is ordered after all earlier loads of the caller. */
  boolean hasEnded() {
    // A load with acquire would not do: it orders later loads, not earlier ones.
    VarHandle.loadLoadFence();
    return ended;
  }

  /**
   * The same for a caller with a fence of its own before it loads the reference to this epoch: the
   * JIT then needs no separate null check.
   */
  boolean hasEndedBehindFence() {
    return ended;
  }
}
