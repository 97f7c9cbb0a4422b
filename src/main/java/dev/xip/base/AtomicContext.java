package dev.xip.base;

import java.util.Arrays;
import java.util.List;

/**
 * Knows whether the current thread holds a spin lock, and so must not block. Linux counterpart:
 * {@code preempt_count} and {@code might_sleep} (include/linux/kernel.h, kernel/sched.c).
 */
public final class AtomicContext {
  private static final ThreadLocal<Held> HELD = ThreadLocal.withInitial(Held::new);

  private AtomicContext() {}

  /** The locks of one thread, the last one taken at the end. */
  private static final class Held {
    private String[] locks = new String[8];
    private int count;

    List<String> toList() {
      return List.of(Arrays.copyOf(locks, count));
    }
  }

  /**
   * Notes that the current thread has taken a lock under which it may not block. Called by the
   * locks themselves.
   *
   * @param lock the lock's name, for reports
   */
  public static void enter(String lock) {
    Held held = HELD.get();
    if (held.count == held.locks.length) {
      held.locks = Arrays.copyOf(held.locks, 2 * held.count);
    }
    held.locks[held.count++] = lock;
  }

  /**
   * Notes that the current thread has released a lock. Called by the locks themselves.
   *
   * @param lock the lock's name
   * @throws IllegalStateException if the thread does not hold it
   */
  public static void leave(String lock) {
    Held held = HELD.get();
    // Locks nest, so the one released is nearly always the last one taken.
    int last = held.count - 1;
    int index = last;
    while (index >= 0 && !held.locks[index].equals(lock)) {
      index--;
    }
    if (index < 0) {
      throw new IllegalStateException("%s released but not held".formatted(lock));
    }
    System.arraycopy(held.locks, index + 1, held.locks, index, last - index);
    held.count = last;
  }

  /**
   * Tells whether the current thread holds a spin lock.
   *
   * @return true in atomic context
   */
  public static boolean inAtomic() {
    return HELD.get().count > 0;
  }

  /**
   * Called by everything that may block before it does.
   *
   * @param what what is about to block
   * @throws SleepingInAtomicException if the thread holds a spin lock
   */
  public static void mightSleep(String what) {
    Held held = HELD.get();
    if (held.count > 0) {
      throw new SleepingInAtomicException(what, held.toList());
    }
  }
}
