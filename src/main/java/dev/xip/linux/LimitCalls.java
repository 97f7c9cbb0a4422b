package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;

/** System calls about limits. Linux counterpart: {@code do_prlimit} (kernel/sys.c). */
final class LimitCalls {
  private final Task task;

  LimitCalls(Task task) {
    this.task = task;
  }

  /** prlimit64(2); getrlimit(2) and setrlimit(2) with one address. */
  long limits(int pid, int resource, long change, long old) throws MemoryFaultException {
    long soft = change == 0 ? 0 : task.memory().getLong(change);
    long hard = change == 0 ? 0 : task.memory().getLong(change + 8);
    long softBefore;
    long hardBefore;
    synchronized (task.kernel()) {
      Task of = task.numbered(pid);
      if (of == null) {
        return -Errno.ESRCH.number();
      }
      if (resource < 0 || resource >= Limits.COUNT) {
        return -Errno.EINVAL.number();
      }
      Limits limits = of.attributes().limits;
      softBefore = limits.soft(resource);
      hardBefore = limits.hard(resource);
      if (change != 0) {
        Errno refused = change(of, resource, soft, hard);
        if (refused != Errno.OK) {
          return -refused.number();
        }
      }
    }
    if (old != 0) {
      task.memory().putLong(old, softBefore);
      task.memory().putLong(old + 8, hardBefore);
    }
    return 0;
  }

  private Errno change(Task of, int resource, long soft, long hard) {
    Limits limits = of.attributes().limits;
    if (Long.compareUnsigned(soft, hard) > 0) {
      return Errno.EINVAL;
    }
    boolean raised = Long.compareUnsigned(hard, limits.hard(resource)) > 0;
    if (raised && !task.attributes().credentials.may(Credentials.CAP_SYS_RESOURCE)
        || resource == Limits.NOFILE && Long.compareUnsigned(hard, Descriptors.LIMIT) > 0) {
      return Errno.EPERM;
    }
    limits.set(resource, soft, hard);
    of.obeyLimits();
    return Errno.OK;
  }
}
