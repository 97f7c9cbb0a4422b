package dev.xip.linux;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/**
 * The timers of a task: those of setitimer(2), those of timer_create(2), and the limit of processor
 * time. A child has none of its parent's.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class Timers {
  private static final int SI_TIMER = -2;
  private static final int MOST = 64;
  private static final long SECOND = 1_000_000_000;

  private final Task task;

  /** ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF; the two last count the same. */
  private final IntervalTimer[] intervals;

  private final IntervalTimer softLimit;
  private final IntervalTimer hardLimit;
  private final Map<Integer, IntervalTimer> created = new TreeMap<>();
  private int next;

  Timers(Task task) {
    this.task = task;
    LongSupplier used = task.times()::total;
    this.intervals =
        new IntervalTimer[] {
          new IntervalTimer(task, System::nanoTime, signal(Signal.SIGALRM, "the time is over")),
          new IntervalTimer(task, used, signal(Signal.SIGVTALRM, "the time is used up")),
          new IntervalTimer(task, used, signal(Signal.SIGPROF, "the time is used up")),
        };
    String limit = "the limit of processor time is reached";
    this.softLimit = new IntervalTimer(task, used, signal(Signal.SIGXCPU, limit));
    this.hardLimit = new IntervalTimer(task, used, signal(Signal.SIGKILL, limit));
  }

  private static SignalInfo signal(int number, String why) {
    return SignalInfo.fromKernel(number, why);
  }

  /** A timer of setitimer(2), 0 to 2. */
  IntervalTimer interval(int which) {
    return intervals[which];
  }

  /**
   * Makes a timer.
   *
   * @param signal what it sends, 0 for nothing
   * @return its number, -1 if there are too many
   */
  int create(LongSupplier clock, int signal, Integer value) {
    if (created.size() >= MOST) {
      return -1;
    }
    int number = next++;
    int given = value == null ? number : value;
    SignalInfo info =
        signal == 0 ? null : new SignalInfo(signal, SI_TIMER, number, given, 0, "timer " + number);
    created.put(number, new IntervalTimer(task, clock, info));
    return number;
  }

  /** A timer that was made; null if there is none of that number. */
  IntervalTimer created(int number) {
    return created.get(number);
  }

  /** Whether there was a timer of that number. */
  boolean delete(int number) {
    IntervalTimer timer = created.remove(number);
    if (timer != null) {
      timer.cancel();
    }
    return timer != null;
  }

  /** Obeys RLIMIT_CPU: SIGXCPU each second from the soft limit on, SIGKILL at the hard one. */
  void obey(Limits limits) {
    softLimit.set(nanos(limits.soft(Limits.CPU)), SECOND);
    hardLimit.set(nanos(limits.hard(Limits.CPU)), 0);
  }

  /** A limit of 0 seconds is one of a second. */
  private static long nanos(long seconds) {
    return seconds < 0 || seconds > Integer.MAX_VALUE ? 0 : Math.max(seconds, 1) * SECOND;
  }

  /** The program is replaced. */
  void exec() {
    created.values().forEach(IntervalTimer::cancel);
    created.clear();
  }

  /** The task ends. */
  void end() {
    exec();
    for (IntervalTimer each : intervals) {
      each.cancel();
    }
    softLimit.cancel();
    hardLimit.cancel();
  }
}
