package dev.xip.linux;

import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Sends a signal when a clock has reached a time, once or again and again. Linux counterpart:
 * {@code struct k_itimer}.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class IntervalTimer {
  /** A timer that goes off again looks at its clock no sooner than this, in nanoseconds. */
  private static final long LEAST_WAIT = 1_000_000;

  private final Task task;
  private final LongSupplier clock;

  /** What it sends; null for nothing. */
  private final SignalInfo info;

  private Future<?> waiting;

  /** When it goes off, in the clock's nanoseconds; 0 if it does not. */
  private long due;

  private long interval;
  private long overruns;

  IntervalTimer(Task task, LongSupplier clock, SignalInfo info) {
    this.task = task;
    this.clock = clock;
    this.info = info;
  }

  /** The time of its clock, in nanoseconds. */
  long now() {
    return clock.getAsLong();
  }

  /** The nanoseconds until it goes off, 0 if it does not. */
  long left() {
    return due == 0 ? 0 : Math.max(due - now(), 1);
  }

  long interval() {
    return interval;
  }

  /** How often it went off more than it has sent its signal the last time. */
  long overruns() {
    return overruns;
  }

  /**
   * Sets it.
   *
   * @param first the clock's time at which it goes off, 0 for never
   * @param every the nanoseconds until it does so again, 0 for never
   */
  void set(long first, long every) {
    cancel();
    due = first;
    interval = every;
    if (due != 0) {
      schedule(Math.max(due - now(), 0));
    }
  }

  /** It does not go off any more. */
  void cancel() {
    due = 0;
    if (waiting != null) {
      waiting.cancel(false);
      waiting = null;
    }
  }

  private void schedule(long nanos) {
    waiting = task.kernel().alarms().schedule(this::look, nanos, TimeUnit.NANOSECONDS);
  }

  /** Processor time goes by more slowly than the time that was waited. */
  private void look() {
    synchronized (task.kernel()) {
      long now = now();
      if (due == 0 || task.hasEnded()) {
        return;
      }
      if (now >= due) {
        if (info != null) {
          task.kernel().send(task, info);
        }
        if (interval == 0) {
          due = 0;
          return;
        }
        overruns = (now - due) / interval;
        due += (overruns + 1) * interval;
      }
      schedule(Math.max(due - now, LEAST_WAIT));
    }
  }
}
