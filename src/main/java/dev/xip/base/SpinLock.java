package dev.xip.base;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A spin lock: the holder may not block, and a waiter burns cycles. It is not reentrant. Linux
 * counterpart: {@code spinlock_t}. {@link LockOrder} defines which locks may be taken under it.
 */
public final class SpinLock {
  private static final VarHandle HOLDER;

  static {
    try {
      HOLDER = MethodHandles.lookup().findVarHandle(SpinLock.class, "holder", Thread.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final String name;
  private final LockOrder.Rank rank;

  /** The thread that holds the lock, or null. */
  @SuppressWarnings("unused")
  private Thread holder;

  /**
   * Makes a free lock under which no other is taken.
   *
   * @param name its name, for what {@link AtomicContext} reports
   */
  public SpinLock(String name) {
    this(name, LockOrder.Rank.LEAF);
  }

  /**
   * Makes a free lock under which others may be taken.
   *
   * @param name its name, for what {@link AtomicContext} reports
   * @param rank its place in the order
   */
  public SpinLock(String name, LockOrder.Rank rank) {
    this.name = name;
    this.rank = rank;
  }

  /**
   * Takes the lock, spinning until it is free, and enters atomic context.
   *
   * @throws IllegalStateException if this thread holds it already
   */
  public void lock() {
    Thread me = Thread.currentThread();
    if (HOLDER.getOpaque(this) == me) {
      throw new IllegalStateException("spin lock " + name + " taken twice by " + me.getName());
    }
    LockOrder.take(rank);
    while (!HOLDER.compareAndSet(this, (Thread) null, me)) {
      Thread.onSpinWait();
    }
    AtomicContext.enter(name);
  }

  /**
   * Releases the lock and leaves its atomic context.
   *
   * @throws IllegalStateException if this thread does not hold it
   */
  public void unlock() {
    if (HOLDER.getOpaque(this) != Thread.currentThread()) {
      throw new IllegalStateException("spin lock " + name + " released by a thread without it");
    }
    AtomicContext.leave(name);
    HOLDER.setRelease(this, (Thread) null);
    LockOrder.release(rank);
  }
}
