package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.MemoryFaultException;
import java.security.SecureRandom;

/** System calls that tell a program who and where it is: user, process, system, limits. */
final class IdentityCalls {
  /** Programs run as root, in a system where that gives no right. */
  static final int USER = 0;

  private static final int PR_SET_NAME = 15;
  private static final int PR_GET_NAME = 16;
  private static final int NAME_BYTES = 16;
  private static final int SYSINFO_BYTES = 112;
  private static final int FIELD = 65;
  private static final String RELEASE = "6.1.0";
  private static final long STACK_BYTES = 8L << 20;
  private static final int RLIMIT_STACK = 3;
  private static final int MOST_RANDOM = 1 << 16;

  private final Task task;
  private final SecureRandom random = new SecureRandom();

  IdentityCalls(Task task) {
    this.task = task;
  }

  /** uname(2). */
  long uname(long va) throws MemoryFaultException {
    String[] fields = {"Linux", "xip", RELEASE, "#1 xip", "x86_64", "(none)"};
    for (int i = 0; i < fields.length; i++) {
      task.memory().putString(va + (long) FIELD * i, fields[i], FIELD);
    }
    return 0;
  }

  /** prlimit64(2): nothing is limited but the stack, and nothing can be. */
  long limits(int resource, long change, long old) throws MemoryFaultException {
    if (old != 0) {
      task.memory().putLong(old, resource == RLIMIT_STACK ? STACK_BYTES : -1);
      task.memory().putLong(old + 8, -1);
    }
    return change == 0 ? 0 : -Errno.EPERM.number();
  }

  /** getrandom(2). */
  long getRandom(long va, long count) throws MemoryFaultException {
    byte[] bytes = new byte[(int) Math.min(count, MOST_RANDOM)];
    random.nextBytes(bytes);
    task.memory().write(va, bytes, bytes.length);
    return bytes.length;
  }

  /** umask(2). */
  long creationMask(int mask) {
    int before = task.creationMask();
    task.setCreationMask(mask & 0777);
    return before;
  }

  /** sysinfo(2): the RAM of the machine. */
  long system(long va) throws MemoryFaultException {
    PhysicalMemory physical = task.kernel().manager().memory();
    UserMemory memory = task.memory();
    memory.write(va, new byte[SYSINFO_BYTES], SYSINFO_BYTES);
    memory.putLong(va, System.nanoTime() / 1_000_000_000 & Integer.MAX_VALUE);
    memory.putLong(va + 32, physical.ram().byteSize());
    memory.putLong(va + 40, physical.allocator().available() << Pages.SHIFT);
    memory.putInt(va + 104, 1);
    return 0;
  }

  /** sched_getaffinity(2): all processors of the host. */
  long processors(long bytes, long va) throws MemoryFaultException {
    int count = Math.min(Runtime.getRuntime().availableProcessors(), Long.SIZE);
    if (bytes < Long.BYTES) {
      return -Errno.EINVAL.number();
    }
    task.memory().putLong(va, -1L >>> Long.SIZE - count);
    return Long.BYTES;
  }

  /** prctl(2): the name alone. */
  long control(int what, long va) throws MemoryFaultException {
    if (what == PR_SET_NAME) {
      task.setName(task.memory().string(va, NAME_BYTES - 1));
      return 0;
    }
    if (what != PR_GET_NAME) {
      return -Errno.EINVAL.number();
    }
    String name = task.name();
    int length = Math.min(name.length(), NAME_BYTES - 1);
    task.memory().putString(va, name.substring(0, length), NAME_BYTES);
    return 0;
  }
}
