package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.function.LongSupplier;

/** System calls about time. */
final class TimeCalls {
  private static final long SECOND = 1_000_000_000;
  private static final int TIMER_ABSTIME = 1;
  private static final int CLOCK_REALTIME = 0;
  private static final int CLOCK_MONOTONIC = 1;
  private static final int CLOCK_PROCESS_CPUTIME_ID = 2;
  private static final int CLOCK_THREAD_CPUTIME_ID = 3;
  private static final int CLOCK_MONOTONIC_RAW = 4;
  private static final int CLOCK_REALTIME_COARSE = 5;
  private static final int CLOCK_MONOTONIC_COARSE = 6;
  private static final int CLOCK_BOOTTIME = 7;
  private static final int CLOCK_TAI = 11;
  private static final int USAGE_BYTES = 144;
  private static final int RUSAGE_CHILDREN = -1;
  private static final int RUSAGE_THREAD = 1;

  /** The unit of times(2), USER_HZ. */
  private static final long TICK = SECOND / 100;

  /** What the coarse clocks can tell apart: a tick of the kernel's clock. */
  private static final long COARSE = 4_000_000;

  private final Task task;

  TimeCalls(Task task) {
    this.task = task;
  }

  private static long now() {
    Instant now = Instant.now();
    return now.getEpochSecond() * SECOND + now.getNano();
  }

  /** What tells the time of a clock in nanoseconds; null if there is no such clock. */
  LongSupplier source(int clock) {
    return switch (clock) {
      case CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI -> TimeCalls::now;
      case CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME ->
          System::nanoTime;
      case CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID -> task.times()::total;
      default -> clock < 0 && (clock & 3) != 3 ? processorTime(~(clock >> 3)) : null;
    };
  }

  /** The clock of a process or of its thread (include/linux/posix-timers.h). */
  private LongSupplier processorTime(int pid) {
    synchronized (task.kernel()) {
      Task of = task.numbered(pid);
      return of == null ? null : of.times()::total;
    }
  }

  /** clock_gettime(2). */
  long clock(int clock, long va) throws MemoryFaultException {
    LongSupplier source = source(clock);
    if (source == null) {
      return -Errno.EINVAL.number();
    }
    put(va, source.getAsLong());
    return 0;
  }

  /** clock_getres(2). */
  long resolution(int clock, long va) throws MemoryFaultException {
    if (source(clock) == null) {
      return -Errno.EINVAL.number();
    }
    if (va != 0) {
      boolean coarse = clock == CLOCK_REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
      put(va, coarse ? COARSE : 1);
    }
    return 0;
  }

  private void put(long va, long nanos) throws MemoryFaultException {
    task.memory().putLong(va, nanos / SECOND);
    task.memory().putLong(va + 8, nanos % SECOND);
  }

  /** gettimeofday(2), where the time zone is that of Greenwich. */
  long day(long va, long zone) throws MemoryFaultException {
    if (va != 0) {
      long now = now();
      task.memory().putLong(va, now / SECOND);
      task.memory().putLong(va + 8, now % SECOND / 1000);
    }
    if (zone != 0) {
      task.memory().putLong(zone, 0);
    }
    return 0;
  }

  /** time(2). */
  long seconds(long va) throws MemoryFaultException {
    long seconds = now() / SECOND;
    if (va != 0) {
      task.memory().putLong(va, seconds);
    }
    return seconds;
  }

  /** getrusage(2). */
  long usage(int who, long va) throws MemoryFaultException {
    if (who < RUSAGE_CHILDREN || who > RUSAGE_THREAD) {
      return -Errno.EINVAL.number();
    }
    put(va, who == RUSAGE_CHILDREN ? task.times().childrenSeen() : task.times().usage());
    return 0;
  }

  /** Writes struct rusage. */
  void put(long va, ProcessorTimes.Usage usage) throws MemoryFaultException {
    ByteBuffer struct = ByteBuffer.allocate(USAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    struct.putLong(usage.user() / SECOND).putLong(usage.user() % SECOND / 1000);
    struct.putLong(usage.system() / SECOND).putLong(usage.system() % SECOND / 1000);
    struct.putLong(usage.pages() * (Pages.SIZE >> 10)).putLong(64, usage.faults());
    task.memory().write(va, struct.array(), USAGE_BYTES);
  }

  /** times(2). */
  long times(long va) throws MemoryFaultException {
    if (va != 0) {
      ProcessorTimes.Usage own = task.times().usage();
      ProcessorTimes.Usage children = task.times().childrenSeen();
      long[] words = {own.user(), own.system(), children.user(), children.system()};
      for (int i = 0; i < words.length; i++) {
        task.memory().putLong(va + 8L * i, words[i] / TICK);
      }
    }
    return System.nanoTime() / TICK;
  }

  /**
   * Reads struct timespec or timeval, in nanoseconds; negative if it is none.
   *
   * @param unit the nanoseconds that the second word counts
   */
  long nanos(long va, long unit) throws MemoryFaultException {
    long seconds = task.memory().getLong(va);
    long rest = task.memory().getLong(va + 8);
    return seconds < 0 || rest < 0 || rest >= SECOND / unit
        ? -1
        : Math.min(seconds, Integer.MAX_VALUE) * SECOND + rest * unit;
  }

  /**
   * Reads how long a call waits, a struct timespec; {@link PollCalls#FOREVER} without one.
   *
   * @throws IllegalArgumentException for EINVAL: it is less than 0 or has too many nanoseconds
   */
  long timeout(long va) throws MemoryFaultException {
    return va == 0 ? PollCalls.FOREVER : required(nanos(va, 1));
  }

  /** The same for select(2): a struct timeval, whose microseconds may be more than a second. */
  long timeoutOfSelect(long va) throws MemoryFaultException {
    if (va == 0) {
      return PollCalls.FOREVER;
    }
    long micros = task.memory().getLong(va + 8);
    long seconds = task.memory().getLong(va) + micros / 1_000_000;
    long rest = micros % 1_000_000;
    return required(
        seconds < 0 || rest < 0 ? -1 : Math.min(seconds, Integer.MAX_VALUE) * SECOND + rest * 1000);
  }

  private static long required(long nanos) {
    if (nanos < 0) {
      throw new IllegalArgumentException("a time of less than 0 or with too many nanoseconds");
    }
    return nanos;
  }

  /** nanosleep(2) and clock_nanosleep(2). */
  long sleep(int clock, int flags, long wanted, long left) throws IOException {
    long nanos = nanos(wanted, 1);
    LongSupplier source = source(clock);
    if (nanos < 0 || source == null || clock < 0 || clock == CLOCK_THREAD_CPUTIME_ID) {
      return -Errno.EINVAL.number();
    }
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock < CLOCK_BOOTTIME) {
      return -Errno.EOPNOTSUPP.number();
    }
    boolean absolute = (flags & TIMER_ABSTIME) != 0;
    long deadline =
        task.delivery()
            .deadline(System.nanoTime() + (absolute ? nanos - source.getAsLong() : nanos));
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
