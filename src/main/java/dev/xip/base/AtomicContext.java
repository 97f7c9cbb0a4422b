package dev.xip.base;

import java.util.ArrayList;
import java.util.List;

/**
 * Records whether the current thread holds a spin lock and so must not block. Linux counterpart:
 * {@code preempt_count} and {@code might_sleep} (include/linux/kernel.h, kernel/sched.c).
 */
public final class AtomicContext {
  /**
   * The names of the locks that each thread holds, in the order taken. A value of JDK classes
   * alone: a class of ours would keep its loader reachable as long as the thread lives.
   */
  private static final ThreadLocal<ArrayList<String>> HELD =
      ThreadLocal.withInitial(ArrayList::new);

  private AtomicContext() {}

  /**
   * Records that the current thread has taken a lock under which it must not block. Called by the
   * locks themselves.
   *
   * @param lock the lock's name, for reports
   */
  public static void enter(String lock) {
    HELD.get().add(lock);
  }

  /**
   * Records that the current thread has released a lock. Called by the locks themselves.
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

  /** {@return whether the current thread may block: it holds no spin lock} */
  public static boolean mayBlock() {
    return HELD.get().isEmpty();
  }

  /**
   * Checks that the current thread may block. Called before every operation that may.
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
