package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;
import java.util.function.LongSupplier;

/**
 * System calls about timers. Linux counterpart: kernel/time/itimer.c, kernel/time/posix-timers.c.
 */
final class TimerCalls {
  private static final long SECOND = 1_000_000_000;
  private static final long MICROSECOND = 1000;
  private static final int TIMER_ABSTIME = 1;
  private static final int SIGEV_SIGNAL = 0;
  private static final int SIGEV_NONE = 1;
  private static final int SIGEV_THREAD_ID = 4;
  private static final int INTERVAL_TIMERS = 3;

  private final Task task;
  private final TimeCalls times;

  TimerCalls(Task task, TimeCalls times) {
    this.task = task;
    this.times = times;
  }

  /** alarm(2). */
  long alarm(long seconds) {
    synchronized (task.kernel()) {
      IntervalTimer timer = task.timers().interval(0);
      long left = timer.left();
      timer.set(seconds == 0 ? 0 : timer.now() + Math.min(seconds, Integer.MAX_VALUE) * SECOND, 0);
      // As in the kernel: rounded, but never to 0.
      return left == 0 ? 0 : Math.max((left + SECOND / 2) / SECOND, 1);
    }
  }

  /** getitimer(2). */
  long interval(int which, long to) throws MemoryFaultException {
    if (which < 0 || which >= INTERVAL_TIMERS) {
      return -Errno.EINVAL.number();
    }
    long left;
    long every;
    synchronized (task.kernel()) {
      left = task.timers().interval(which).left();
      every = task.timers().interval(which).interval();
    }
    put(to, every, left, MICROSECOND);
    return 0;
  }

  /** setitimer(2). */
  long setInterval(int which, long from, long old) throws MemoryFaultException {
    long every = from == 0 ? 0 : times.nanos(from, MICROSECOND);
    long first = from == 0 ? 0 : times.nanos(from + 16, MICROSECOND);
    if (every < 0 || first < 0 || which < 0 || which >= INTERVAL_TIMERS) {
      return -Errno.EINVAL.number();
    }
    long left;
    long before;
    synchronized (task.kernel()) {
      IntervalTimer timer = task.timers().interval(which);
      left = timer.left();
      before = timer.interval();
      timer.set(first == 0 ? 0 : timer.now() + first, every);
    }
    if (old != 0) {
      put(old, before, left, MICROSECOND);
    }
    return 0;
  }

  /** timer_create(2). */
  long create(int clock, long event, long to) throws MemoryFaultException {
    LongSupplier source = times.source(clock);
    int notify = event == 0 ? SIGEV_SIGNAL : task.memory().getInt(event + 12);
    int signal = event == 0 ? Signal.SIGALRM : task.memory().getInt(event + 8);
    Integer value = event == 0 ? null : (Integer) task.memory().getInt(event);
    boolean own = notify == SIGEV_THREAD_ID && task.memory().getInt(event + 16) == task.pid();
    if (source == null
        || notify != SIGEV_SIGNAL && notify != SIGEV_NONE && !own
        || notify != SIGEV_NONE && (signal < 1 || signal > Signal.LAST)) {
      return -Errno.EINVAL.number();
    }
    int number;
    synchronized (task.kernel()) {
      number = task.timers().create(source, notify == SIGEV_NONE ? 0 : signal, value);
    }
    if (number < 0) {
      return -Errno.EAGAIN.number();
    }
    try {
      task.memory().putInt(to, number);
    } catch (MemoryFaultException e) {
      delete(number);
      throw e;
    }
    return 0;
  }

  /** timer_settime(2). */
  long set(int number, int flags, long from, long old) throws MemoryFaultException {
    if (from == 0) {
      return -Errno.EINVAL.number();
    }
    long every = times.nanos(from, 1);
    long first = times.nanos(from + 16, 1);
    long left;
    long before;
    synchronized (task.kernel()) {
      IntervalTimer timer = task.timers().created(number);
      if (every < 0 || first < 0 || timer == null) {
        return -Errno.EINVAL.number();
      }
      left = timer.left();
      before = timer.interval();
      long start = (flags & TIMER_ABSTIME) != 0 ? 0 : timer.now();
      timer.set(first == 0 ? 0 : start + first, every);
    }
    if (old != 0) {
      put(old, before, left, 1);
    }
    return 0;
  }

  /** timer_gettime(2). */
  long get(int number, long to) throws MemoryFaultException {
    long left;
    long every;
    synchronized (task.kernel()) {
      IntervalTimer timer = task.timers().created(number);
      if (timer == null) {
        return -Errno.EINVAL.number();
      }
      left = timer.left();
      every = timer.interval();
    }
    put(to, every, left, 1);
    return 0;
  }

  /** timer_getoverrun(2). */
  long overruns(int number) {
    synchronized (task.kernel()) {
      IntervalTimer timer = task.timers().created(number);
      return timer == null ? -Errno.EINVAL.number() : Math.min(timer.overruns(), Integer.MAX_VALUE);
    }
  }

  /** timer_delete(2). */
  long delete(int number) {
    synchronized (task.kernel()) {
      return task.timers().delete(number) ? 0 : -Errno.EINVAL.number();
    }
  }

  private void put(long va, long every, long left, long unit) throws MemoryFaultException {
    task.memory().putLong(va, every / SECOND);
    task.memory().putLong(va + 8, every % SECOND / unit);
    task.memory().putLong(va + 16, left / SECOND);
    task.memory()
        .putLong(va + 24, left == 0 ? 0 : Math.max(left % SECOND / unit, left < SECOND ? 1 : 0));
  }
}
