package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;
import java.security.SecureRandom;

/** System calls that tell a program who and where it is: user, process, system, limits. */
final class IdentityCalls {
  /** Programs run as root, in a system where that gives no right. */
  static final int USER = 0;

  /** The number of the first process. */
  static final int PROCESS = 1;

  private static final int FIELD = 65;
  private static final String RELEASE = "6.1.0";
  private static final long STACK_BYTES = 8L << 20;
  private static final int RLIMIT_STACK = 3;
  private static final int MOST_RANDOM = 1 << 16;

  private final UserMemory memory;
  private final String program;
  private final SecureRandom random = new SecureRandom();

  IdentityCalls(UserMemory memory, String program) {
    this.memory = memory;
    this.program = program;
  }

  /** uname(2). */
  long uname(long va) throws MemoryFaultException {
    String[] fields = {"Linux", "xip", RELEASE, "#1 xip", "x86_64", "(none)"};
    for (int i = 0; i < fields.length; i++) {
      memory.putString(va + (long) FIELD * i, fields[i], FIELD);
    }
    return 0;
  }

  /** prlimit64(2): nothing is limited but the stack, and nothing can be. */
  long limits(int resource, long change, long old) throws MemoryFaultException {
    if (old != 0) {
      memory.putLong(old, resource == RLIMIT_STACK ? STACK_BYTES : -1);
      memory.putLong(old + 8, -1);
    }
    return change == 0 ? 0 : -Errno.EPERM.number();
  }

  /** getrandom(2). */
  long getRandom(long va, long count) throws MemoryFaultException {
    byte[] bytes = new byte[(int) Math.min(count, MOST_RANDOM)];
    random.nextBytes(bytes);
    memory.write(va, bytes, bytes.length);
    return bytes.length;
  }

  /** readlink(2) of /proc/self/exe. */
  long readProgramLink(long va, long size) throws MemoryFaultException {
    if (size <= 0) {
      return -Errno.EINVAL.number();
    }
    int length = (int) Math.min(size, program.length());
    memory.putString(va, program, length);
    return length;
  }

  /** getcwd(2): there is only the root. */
  long workingDirectory(long va, long size) throws MemoryFaultException {
    if (size < 2) {
      return -Errno.ERANGE.number();
    }
    memory.putString(va, "/", 2);
    return 2;
  }

  /** clock_gettime(2). */
  long clock(int clock, long va) throws MemoryFaultException {
    long nanos =
        clock == 0 ? System.currentTimeMillis() * 1_000_000 : System.nanoTime() & Long.MAX_VALUE;
    memory.putLong(va, nanos / 1_000_000_000);
    memory.putLong(va + 8, nanos % 1_000_000_000);
    return 0;
  }
}
