package dev.xip.linux;

import java.util.Arrays;

/**
 * The limits of a task, getrlimit(2). Obeyed are those of descriptors, addresses, stack and
 * processor time.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class Limits {
  static final int CPU = 0;
  static final int STACK = 3;
  static final int NOFILE = 7;
  static final int AS = 9;

  /** How many there are. */
  static final int COUNT = 16;

  /** No limit, RLIM_INFINITY. */
  static final long NONE = -1;

  private static final int CORE = 4;
  private static final int NPROC = 6;
  private static final int MEMLOCK = 8;
  private static final int SIGPENDING = 11;
  private static final int MSGQUEUE = 12;
  private static final int NICE = 13;
  private static final int RTPRIO = 14;

  private final long[] soft = new long[COUNT];
  private final long[] hard = new long[COUNT];

  Limits() {
    Arrays.fill(soft, NONE);
    Arrays.fill(hard, NONE);
    soft[STACK] = 8L << 20;
    soft[CORE] = 0;
    set(NPROC, Kernel.MOST_TASKS, Kernel.MOST_TASKS);
    set(NOFILE, Descriptors.USUAL_LIMIT, Descriptors.LIMIT);
    set(MEMLOCK, 8L << 20, 8L << 20);
    set(SIGPENDING, Signal.LAST, Signal.LAST);
    set(MSGQUEUE, 819_200, 819_200);
    set(NICE, 0, 0);
    set(RTPRIO, 0, 0);
  }

  /** Those of a child. */
  Limits forked() {
    Limits child = new Limits();
    for (int i = 0; i < COUNT; i++) {
      child.set(i, soft[i], hard[i]);
    }
    return child;
  }

  long soft(int resource) {
    return soft[resource];
  }

  long hard(int resource) {
    return hard[resource];
  }

  void set(int resource, long softLimit, long hardLimit) {
    soft[resource] = softLimit;
    hard[resource] = hardLimit;
  }
}
