package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;

/**
 * What a program wants to happen at signals: kept and told, and not acted upon, because no process
 * sends any yet.
 */
final class SignalTable {
  private static final int SIGNALS = 64;

  /** struct sigaction of the kernel: handler, flags, restorer, mask. */
  private static final int ACTION_BYTES = 32;

  private static final int SIGKILL = 9;
  private static final int SIGSTOP = 19;

  private final byte[][] actions = new byte[SIGNALS + 1][ACTION_BYTES];
  private long mask;

  /** rt_sigaction(2). */
  long action(UserMemory memory, int signal, long change, long old) throws MemoryFaultException {
    if (signal < 1 || signal > SIGNALS || change != 0 && (signal == SIGKILL || signal == SIGSTOP)) {
      return -Errno.EINVAL.number();
    }
    byte[] before = actions[signal];
    if (change != 0) {
      actions[signal] = memory.read(change, ACTION_BYTES);
    }
    if (old != 0) {
      memory.write(old, before, ACTION_BYTES);
    }
    return 0;
  }

  /** rt_sigprocmask(2). */
  long mask(UserMemory memory, int how, long change, long old) throws MemoryFaultException {
    long before = mask;
    if (change != 0) {
      long set = memory.getLong(change);
      switch (how) {
        case 0 -> mask |= set;
        case 1 -> mask &= ~set;
        case 2 -> mask = set;
        default -> {
          return -Errno.EINVAL.number();
        }
      }
    }
    if (old != 0) {
      memory.putLong(old, before);
    }
    return 0;
  }
}
