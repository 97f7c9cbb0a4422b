package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;
import java.util.List;

/**
 * System calls about scheduling, which is the host's: what a program sets is noted and given back.
 * Linux counterpart: kernel/sched/core.c, {@code setpriority} (kernel/sys.c).
 */
final class SchedulingCalls {
  private static final int SCHED_FIFO = 1;
  private static final int SCHED_RR = 2;
  private static final int SCHED_BATCH = 3;
  private static final int SCHED_IDLE = 5;
  private static final int SCHED_RESET_ON_FORK = 0x4000_0000;
  private static final int HIGHEST_PRIORITY = 99;
  private static final int NICE_LIMIT = 20;
  private static final int KEEP = -1;
  private static final long ROUND_NANOS = 100_000_000;
  private static final long SLICE_NANOS = 4_000_000;

  private final Task task;

  SchedulingCalls(Task task) {
    this.task = task;
  }

  private Attributes of(int pid) {
    synchronized (task.kernel()) {
      Task of = task.numbered(pid);
      return of == null ? null : of.attributes();
    }
  }

  /** The tasks that PRIO_PROCESS, PRIO_PGRP or PRIO_USER means; null for another kind. */
  private List<Task> tasks(int kind, int who) {
    if (kind < 0 || kind > 2) {
      return null;
    }
    int number =
        who != 0
            ? who
            : switch (kind) {
              case 0 -> task.pid();
              case 1 -> task.group();
              default -> task.attributes().credentials.users[0];
            };
    return task.kernel().tasks().stream()
        .filter(
            each ->
                number
                    == switch (kind) {
                      case 0 -> each.pid();
                      case 1 -> each.group();
                      default -> each.attributes().credentials.users[0];
                    })
        .toList();
  }

  /** getpriority(2): 20 less the nice value. */
  long priority(int kind, int who) {
    synchronized (task.kernel()) {
      List<Task> found = tasks(kind, who);
      if (found == null) {
        return -Errno.EINVAL.number();
      }
      return found.stream()
          .mapToLong(each -> NICE_LIMIT - each.attributes().nice)
          .max()
          .orElse(-Errno.ESRCH.number());
    }
  }

  /** setpriority(2). */
  long setPriority(int kind, int who, int nice) {
    synchronized (task.kernel()) {
      List<Task> found = tasks(kind, who);
      if (found == null || found.isEmpty()) {
        return -(found == null ? Errno.EINVAL : Errno.ESRCH).number();
      }
      int wanted = Math.clamp(nice, -NICE_LIMIT, NICE_LIMIT - 1);
      for (Task each : found) {
        if (wanted < each.attributes().nice
            && !task.attributes().credentials.may(Credentials.CAP_SYS_NICE)) {
          return -Errno.EACCES.number();
        }
        each.attributes().nice = wanted;
      }
      return 0;
    }
  }

  /** sched_setscheduler(2), and with {@link #KEEP} sched_setparam(2). */
  private long set(int pid, int policy, long parameter) throws MemoryFaultException {
    if (pid < 0 || parameter == 0) {
      return -Errno.EINVAL.number();
    }
    int priority = task.memory().getInt(parameter);
    Attributes attributes = of(pid);
    if (attributes == null) {
      return -Errno.ESRCH.number();
    }
    int wanted = policy == KEEP ? attributes.policy : policy & ~SCHED_RESET_ON_FORK;
    long least = lowest(wanted);
    if (least < 0 || priority < least || priority > highest(wanted)) {
      return -Errno.EINVAL.number();
    }
    attributes.policy = wanted;
    attributes.priority = priority;
    return 0;
  }

  /** sched_setscheduler(2). */
  long setPolicy(int pid, int policy, long parameter) throws MemoryFaultException {
    return policy < 0 ? -Errno.EINVAL.number() : set(pid, policy, parameter);
  }

  /** sched_setparam(2). */
  long setParameter(int pid, long parameter) throws MemoryFaultException {
    return set(pid, KEEP, parameter);
  }

  /** sched_getscheduler(2). */
  long policy(int pid) {
    Attributes attributes = pid < 0 ? null : of(pid);
    return attributes != null
        ? attributes.policy
        : -(pid < 0 ? Errno.EINVAL : Errno.ESRCH).number();
  }

  /** sched_getparam(2). */
  long parameter(int pid, long parameter) throws MemoryFaultException {
    Attributes attributes = pid < 0 || parameter == 0 ? null : of(pid);
    if (attributes == null) {
      return -(pid < 0 || parameter == 0 ? Errno.EINVAL : Errno.ESRCH).number();
    }
    task.memory().putInt(parameter, attributes.priority);
    return 0;
  }

  /** sched_get_priority_max(2). */
  long highest(int policy) {
    return lowest(policy) == 1 ? HIGHEST_PRIORITY : lowest(policy);
  }

  /** sched_get_priority_min(2). */
  long lowest(int policy) {
    return switch (policy) {
      case SCHED_FIFO, SCHED_RR -> 1;
      case 0, SCHED_BATCH, SCHED_IDLE -> 0;
      default -> -Errno.EINVAL.number();
    };
  }

  /** sched_rr_get_interval(2). */
  long interval(int pid, long to) throws MemoryFaultException {
    long policy = policy(pid);
    if (policy < 0) {
      return policy;
    }
    task.memory().putLong(to, 0);
    task.memory()
        .putLong(to + 8, policy == SCHED_RR ? ROUND_NANOS : policy == SCHED_FIFO ? 0 : SLICE_NANOS);
    return 0;
  }

  /** sched_getaffinity(2). */
  long processors(int pid, long bytes, long va) throws MemoryFaultException {
    if (bytes < Long.BYTES || bytes % Long.BYTES != 0) {
      return -Errno.EINVAL.number();
    }
    Attributes attributes = of(pid);
    if (attributes == null) {
      return -Errno.ESRCH.number();
    }
    task.memory().putLong(va, attributes.processors);
    return Long.BYTES;
  }

  /** sched_setaffinity(2). */
  long setProcessors(int pid, long bytes, long va) throws MemoryFaultException {
    long mask = 0;
    for (int i = 0; i < Math.min(bytes & 0xffff_ffffL, Long.BYTES); i++) {
      mask |= (task.memory().read(va + i, 1)[0] & 0xffL) << 8 * i;
    }
    Attributes attributes = of(pid);
    if (attributes == null) {
      return -Errno.ESRCH.number();
    }
    if ((mask & Attributes.PROCESSORS) == 0) {
      return -Errno.EINVAL.number();
    }
    attributes.processors = mask & Attributes.PROCESSORS;
    return 0;
  }

  /** getcpu(2): which one runs the program is the host's affair, so always the first allowed. */
  long processor(long cpu, long node) throws MemoryFaultException {
    if (cpu != 0) {
      task.memory().putInt(cpu, Long.numberOfTrailingZeros(task.attributes().processors));
    }
    if (node != 0) {
      task.memory().putInt(node, 0);
    }
    return 0;
  }
}
