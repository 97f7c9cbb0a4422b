package dev.xip.base;

import java.util.ArrayList;
import java.util.List;

/**
 * Knows whether the current thread holds a spin lock, and so must not block. Linux counterpart:
 * {@code preempt_count} and {@code might_sleep} (include/linux/kernel.h, kernel/sched.c).
 */
public final class AtomicContext {
  /**
   * The locks of each thread, the last one taken at the end. No class of ours, as the thread may
   * outlive the loader of this class and would keep it.
   */
  private static final ThreadLocal<ArrayList<String>> HELD =
      ThreadLocal.withInitial(ArrayList::new);

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
   * @throws IllegalStateException if the thread does not hold it
   */
  public static void leave(String lock) {
    ArrayList<String> held = HELD.get();
    int index = held.lastIndexOf(lock);
    if (index < 0) {
      throw new IllegalStateException("%s released but not held".formatted(lock));
    }
    held.remove(index);
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
    ArrayList<String> held = HELD.get();
    if (!held.isEmpty()) {
      throw new SleepingInAtomicException(what, List.copyOf(held));
    }
  }
}
