package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import java.io.IOException;
import java.util.function.LongSupplier;

/** futex(2). Linux counterpart: kernel/futex/syscalls.c. */
final class FutexCalls {
  private static final int WAIT = 0;
  private static final int WAKE = 1;
  private static final int REQUEUE = 3;
  private static final int CMP_REQUEUE = 4;
  private static final int WAIT_BITSET = 9;
  private static final int WAKE_BITSET = 10;
  private static final int PRIVATE = 128;
  private static final int REALTIME = 256;
  private static final int ANY = -1;

  private final Task task;
  private final TimeCalls times;

  FutexCalls(Task task, TimeCalls times) {
    this.task = task;
    this.times = times;
  }

  /**
   * futex(2).
   *
   * @param timeout the address of a time, or how many tasks to move at most
   */
  long futex(long va, int what, int value, long timeout, long other, int third) throws IOException {
    int operation = what & ~(PRIVATE | REALTIME);
    if ((va & 3) != 0) {
      return -Errno.EINVAL.number();
    }
    Futexes.Place place = place(va, what);
    return switch (operation) {
      case WAIT -> await(place, va, value, timeout(timeout, false, false), ANY);
      case WAIT_BITSET ->
          third == 0
              ? -Errno.EINVAL.number()
              : await(place, va, value, timeout(timeout, true, (what & REALTIME) != 0), third);
      case WAKE -> wake(place, value, ANY);
      case WAKE_BITSET -> third == 0 ? -Errno.EINVAL.number() : wake(place, value, third);
      case REQUEUE -> move(place, place(other, what), value, (int) timeout);
      case CMP_REQUEUE ->
          task.memory().getInt(va) != third
              ? -Errno.EAGAIN.number()
              : move(place, place(other, what), value, (int) timeout);
      default -> -Errno.ENOSYS.number();
    };
  }

  private Futexes.Place place(long va, int what) {
    return (what & PRIVATE) != 0
        ? new Futexes.Place(task.process().space(), va)
        : new Futexes.Place(null, va & Pages.SIZE - 1);
  }

  /** The end of a wait by {@link System#nanoTime}. */
  private long timeout(long va, boolean absolute, boolean realtime) throws IOException {
    long nanos = times.timeout(va);
    if (nanos == PollCalls.FOREVER) {
      return Long.MAX_VALUE;
    }
    LongSupplier clock = times.source(realtime ? 0 : 1);
    return System.nanoTime() + (absolute ? nanos - clock.getAsLong() : nanos);
  }

  private long await(Futexes.Place place, long va, int value, long deadline, int bits)
      throws IOException {
    Futexes futexes = task.kernel().futexes();
    Futexes.Waiter waiter;
    synchronized (task.kernel()) {
      waiter = futexes.add(place, bits);
    }
    try {
      // Without the monitor, which a page fault must not hold: a task that changes the word from
      // here on wakes the waiter.
      if (task.memory().getInt(va) != value) {
        return -Errno.EAGAIN.number();
      }
      synchronized (task.kernel()) {
        while (!waiter.isWoken()) {
          if (deadline != Long.MAX_VALUE && deadline - System.nanoTime() <= 0) {
            return -Errno.ETIMEDOUT.number();
          }
          task.kernel().await(task, deadline);
        }
      }
      return 0;
    } finally {
      synchronized (task.kernel()) {
        futexes.remove(waiter);
      }
    }
  }

  private long wake(Futexes.Place place, int most, int bits) {
    synchronized (task.kernel()) {
      int woken = task.kernel().futexes().wake(place, Math.max(most, 1), bits);
      task.kernel().notifyAll();
      return woken;
    }
  }

  private long move(Futexes.Place from, Futexes.Place to, int woken, int moved) {
    if (woken < 0 || moved < 0) {
      return -Errno.EINVAL.number();
    }
    synchronized (task.kernel()) {
      int count = task.kernel().futexes().wake(from, woken, ANY);
      task.kernel().notifyAll();
      return count + task.kernel().futexes().move(from, to, moved);
    }
  }
}
