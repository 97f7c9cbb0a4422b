package dev.xip.base;

import java.util.ArrayList;
import java.util.List;

/**
 * Knows whether the current thread holds a spin lock, and so must not block. Linux counterpart:
 * {@code preempt_count} and {@code might_sleep} (include/linux/kernel.h, kernel/sched.c).
 */
public final class AtomicContext {
  private static final ThreadLocal<List<String>> HELD = ThreadLocal.withInitial(ArrayList::new);

  private AtomicContext() {}

  /**
   * Notes that the current thread has taken a lock under which it may not block. Called by the
   * locks themselves.
   *
   * @param lock the lock's name, for reports
   */
  public static void enter(String lock) {
    HELD.get().add(lock);
  }

  /**
   * Notes that the current thread has released a lock. Called by the locks themselves.
   *
   * @param lock the lock's name
   */
  public static void leave(String lock) {
    List<String> held = HELD.get();
    // Locks nest, so the one released is nearly always the last one taken.
    held.remove(held.lastIndexOf(lock));
  }

  /**
   * Tells whether the current thread holds a spin lock.
   *
   * @return true in atomic context
   */
  public static boolean inAtomic() {
    return !HELD.get().isEmpty();
  }

  /**
   * Called by everything that may block before it does.
   *
   * @param what what is about to block
   * @throws SleepingInAtomicException if the thread holds a spin lock
   */
  public static void mightSleep(String what) {
    List<String> held = HELD.get();
    if (!held.isEmpty()) {
      throw new SleepingInAtomicException(what, held);
    }
  }
}
