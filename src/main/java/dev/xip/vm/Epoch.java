package dev.xip.vm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The time between two flushes of an address space. What was looked up in an epoch may be used as
 * long as it is not over. An object and not a number alone: whoever has used a translation then
 * asks one field of one object, with nothing to compare it to.
 */
final class Epoch {
  private static final VarHandle OVER;

  static {
    try {
      OVER = MethodHandles.lookup().findVarHandle(Epoch.class, "over", boolean.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final long number;
  private boolean over;

  /** Begins an epoch; numbers only grow. */
  Epoch(long number) {
    this.number = number;
  }

  /** How many epochs the space had before. */
  long number() {
    return number;
  }

  /** Ends it. What the caller does afterwards happens to nobody who is told that it is not over. */
  void end() {
    OVER.setVolatile(this, true);
  }

  /** Tells whether it has ended, after all that the caller has loaded until now. */
  boolean isOver() {
    // A load with acquire would not do: it orders what comes after it.
    VarHandle.loadLoadFence();
    return over;
  }

  /**
   * The same for who has put that fence there itself, before even loading the reference to this
   * object: the JIT then checks the reference for null by the load itself.
   */
  boolean isOverBehindFence() {
    return over;
  }
}
