package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;

/** System calls about time. */
final class TimeCalls {
  private static final long SECOND = 1_000_000_000;
  private static final int TIMER_ABSTIME = 1;
  private static final int USAGE_BYTES = 144;
  private static final int TIMES_BYTES = 32;

  private final Task task;

  TimeCalls(Task task) {
    this.task = task;
  }

  private static long now(int clock) {
    return clock == 0 ? System.currentTimeMillis() * 1_000_000 : System.nanoTime() & Long.MAX_VALUE;
  }

  /** clock_gettime(2). */
  long clock(int clock, long va) throws MemoryFaultException {
    put(va, now(clock));
    return 0;
  }

  private void put(long va, long nanos) throws MemoryFaultException {
    task.memory().putLong(va, nanos / SECOND);
    task.memory().putLong(va + 8, nanos % SECOND);
  }

  /** gettimeofday(2). */
  long day(long va) throws MemoryFaultException {
    if (va != 0) {
      long now = now(0);
      task.memory().putLong(va, now / SECOND);
      task.memory().putLong(va + 8, now % SECOND / 1000);
    }
    return 0;
  }

  /** time(2). */
  long seconds(long va) throws MemoryFaultException {
    long seconds = now(0) / SECOND;
    if (va != 0) {
      task.memory().putLong(va, seconds);
    }
    return seconds;
  }

  /** getrusage(2): processor time is not accounted. */
  long usage(long va) throws MemoryFaultException {
    task.memory().write(va, new byte[USAGE_BYTES], USAGE_BYTES);
    return 0;
  }

  /** times(2), in hundredths of a second: processor time is not accounted. */
  long times(long va) throws MemoryFaultException {
    if (va != 0) {
      task.memory().write(va, new byte[TIMES_BYTES], TIMES_BYTES);
    }
    return now(1) / (SECOND / 100);
  }

  /** Reads struct timespec, in nanoseconds; negative if it is none. */
  long nanos(long va) throws MemoryFaultException {
    long seconds = task.memory().getLong(va);
    long rest = task.memory().getLong(va + 8);
    return seconds < 0 || rest < 0 || rest >= SECOND
        ? -1
        : Math.min(seconds, Integer.MAX_VALUE) * SECOND + rest;
  }

  /** nanosleep(2) and clock_nanosleep(2). */
  long sleep(int clock, int flags, long wanted, long left) throws IOException {
    long nanos = nanos(wanted);
    if (nanos < 0) {
      return -Errno.EINVAL.number();
    }
    boolean absolute = (flags & TIMER_ABSTIME) != 0;
    long deadline = System.nanoTime() + (absolute ? nanos - now(clock) : nanos);
    try {
      synchronized (task.kernel()) {
        while (deadline - System.nanoTime() > 0) {
          task.kernel().await(task, deadline);
        }
      }
    } catch (InterruptedCallException e) {
      if (left != 0 && !absolute) {
        put(left, Math.max(deadline - System.nanoTime(), 0));
      }
      throw e;
    }
    return 0;
  }
}
