package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.MemoryFaultException;

/** System calls that tell a program about its system, and those that set what it is itself. */
final class IdentityCalls {
  /** Programs run as root, in a system where that gives no right. */
  static final int USER = 0;

  private static final int PR_SET_PDEATHSIG = 1;
  private static final int PR_GET_PDEATHSIG = 2;
  private static final int PR_GET_DUMPABLE = 3;
  private static final int PR_SET_DUMPABLE = 4;
  private static final int PR_GET_KEEPCAPS = 7;
  private static final int PR_SET_KEEPCAPS = 8;
  private static final int PR_SET_NAME = 15;
  private static final int PR_GET_NAME = 16;
  private static final int PR_CAPBSET_READ = 23;
  private static final int PR_CAPBSET_DROP = 24;
  private static final int PR_SET_NO_NEW_PRIVS = 38;
  private static final int PR_GET_NO_NEW_PRIVS = 39;
  private static final int GRND_KNOWN = 7;
  private static final int GRND_RANDOM = 2;
  private static final int GRND_INSECURE = 4;
  private static final int NAME_BYTES = 16;
  private static final int SYSINFO_BYTES = 112;
  private static final int FIELD = 65;
  static final String RELEASE = "6.1.0";
  static final String VERSION = "#1 xip";
  static final String HOST = "xip";

  private static final int ASK = -1;

  private final Task task;

  IdentityCalls(Task task) {
    this.task = task;
  }

  /** uname(2). */
  long uname(long va) throws MemoryFaultException {
    String[] fields = {"Linux", HOST, RELEASE, VERSION, "x86_64", "(none)"};
    for (int i = 0; i < fields.length; i++) {
      task.memory().putString(va + (long) FIELD * i, fields[i], FIELD);
    }
    return 0;
  }

  /** getrandom(2). */
  long getRandom(long va, long count, int flags) throws MemoryFaultException {
    if ((flags & ~GRND_KNOWN) != 0 || (flags & GRND_RANDOM) != 0 && (flags & GRND_INSECURE) != 0) {
      return -Errno.EINVAL.number();
    }
    long wanted = Long.compareUnsigned(count, Integer.MAX_VALUE) > 0 ? Integer.MAX_VALUE : count;
    return Devices.fill(task, va, wanted, true);
  }

  /** personality(2): noted. */
  long personality(int wanted) {
    int before = task.attributes().personality;
    if (wanted != ASK) {
      task.attributes().personality = wanted;
    }
    return before;
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

  /** prctl(2). */
  long control(int what, long a, long b) throws MemoryFaultException {
    Attributes attributes = task.attributes();
    Credentials credentials = attributes.credentials;
    switch (what) {
      case PR_SET_PDEATHSIG -> {
        if (a < 0 || a > Signal.LAST) {
          return -Errno.EINVAL.number();
        }
        synchronized (task.kernel()) {
          attributes.deathSignal = (int) a;
        }
      }
      case PR_GET_PDEATHSIG -> task.memory().putInt(a, attributes.deathSignal);
      case PR_GET_DUMPABLE -> {
        return attributes.dumpable ? 1 : 0;
      }
      case PR_SET_DUMPABLE -> {
        if (a != 0 && a != 1) {
          return -Errno.EINVAL.number();
        }
        attributes.dumpable = a == 1;
      }
      case PR_GET_KEEPCAPS -> {
        return credentials.keepsCapabilities ? 1 : 0;
      }
      case PR_SET_KEEPCAPS -> {
        if (a != 0 && a != 1) {
          return -Errno.EINVAL.number();
        }
        credentials.keepsCapabilities = a == 1;
      }
      case PR_SET_NAME -> task.setName(task.memory().string(a, NAME_BYTES - 1));
      case PR_GET_NAME -> putName(a);
      case PR_CAPBSET_READ -> {
        return a < 0 || a > Credentials.LAST_CAPABILITY
            ? -Errno.EINVAL.number()
            : credentials.bounding >>> a & 1;
      }
      case PR_CAPBSET_DROP -> {
        if (a < 0 || a > Credentials.LAST_CAPABILITY) {
          return -Errno.EINVAL.number();
        }
        credentials.bounding &= ~(1L << a);
      }
      case PR_SET_NO_NEW_PRIVS -> {
        if (a != 1 || b != 0) {
          return -Errno.EINVAL.number();
        }
        attributes.gainsNothing = true;
      }
      case PR_GET_NO_NEW_PRIVS -> {
        return attributes.gainsNothing ? 1 : 0;
      }
      default -> {
        return -Errno.EINVAL.number();
      }
    }
    return 0;
  }

  private void putName(long va) throws MemoryFaultException {
    String name = task.name();
    int length = Math.min(name.length(), NAME_BYTES - 1);
    task.memory().putString(va, name.substring(0, length), NAME_BYTES);
  }
}
