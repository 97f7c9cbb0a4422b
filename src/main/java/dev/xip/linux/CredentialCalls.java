package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;

/**
 * System calls about users, groups and capabilities. Linux counterpart: kernel/sys.c,
 * kernel/groups.c, kernel/capability.c.
 */
final class CredentialCalls {
  private static final int KEEP = -1;
  static final int MOST_GROUPS = 65_536;
  private static final int VERSION_1 = 0x1998_0330;
  private static final int VERSION_2 = 0x2007_1026;
  private static final int VERSION_3 = 0x2008_0522;

  private final Task task;

  CredentialCalls(Task task) {
    this.task = task;
  }

  private Credentials own() {
    return task.attributes().credentials;
  }

  /** getuid(2) and its kind: 0 real, 1 effective. */
  long user(int which) {
    return own().users[which] & 0xffff_ffffL;
  }

  /** getgid(2) and its kind. */
  long group(int which) {
    return own().groups[which] & 0xffff_ffffL;
  }

  /** setuid(2) and setgid(2). */
  long set(boolean users, int id) {
    if (id == KEEP) {
      return -Errno.EINVAL.number();
    }
    boolean may = may(users);
    int[] ids = ids(users);
    if (!may && id != ids[0] && id != ids[2]) {
      return -Errno.EPERM.number();
    }
    return change(users, may ? id : KEEP, id, may ? id : KEEP);
  }

  private boolean may(boolean users) {
    return own().may(users ? Credentials.CAP_SETUID : Credentials.CAP_SETGID);
  }

  private int[] ids(boolean users) {
    return users ? own().users : own().groups;
  }

  private long change(boolean users, int real, int effective, int saved) {
    synchronized (task.kernel()) {
      if (users) {
        own().setUsers(real, effective, saved);
      } else {
        own().setGroups(real, effective, saved);
      }
    }
    return 0;
  }

  /** setreuid(2) and setregid(2). */
  long set(boolean users, int real, int effective) {
    int[] ids = ids(users);
    if (!may(users)
        && (real != KEEP && real != ids[0] && real != ids[1]
            || effective != KEEP
                && effective != ids[0]
                && effective != ids[1]
                && effective != ids[2])) {
      return -Errno.EPERM.number();
    }
    boolean saves = real != KEEP || effective != KEEP && effective != ids[0];
    int next = effective == KEEP ? ids[1] : effective;
    return change(users, real, effective, saves ? next : KEEP);
  }

  /** setresuid(2) and setresgid(2). */
  long set(boolean users, int real, int effective, int saved) {
    if (!may(users) && !(isOwn(users, real) && isOwn(users, effective) && isOwn(users, saved))) {
      return -Errno.EPERM.number();
    }
    return change(users, real, effective, saved);
  }

  private boolean isOwn(boolean users, int id) {
    int[] ids = ids(users);
    return id == KEEP || id == ids[0] || id == ids[1] || id == ids[2];
  }

  /** getresuid(2) and getresgid(2). */
  long get(boolean users, long real, long effective, long saved) throws MemoryFaultException {
    int[] ids = ids(users);
    task.memory().putInt(real, ids[0]);
    task.memory().putInt(effective, ids[1]);
    task.memory().putInt(saved, ids[2]);
    return 0;
  }

  /** setfsuid(2) and setfsgid(2), which return the one before. */
  long setForFiles(boolean users, int id) {
    int[] ids = ids(users);
    int before = ids[3];
    if (id != KEEP && (may(users) || isOwn(users, id))) {
      ids[3] = id;
    }
    return before & 0xffff_ffffL;
  }

  /** getgroups(2). */
  long groups(int count, long va) throws MemoryFaultException {
    int[] more = own().more;
    if (count < 0 || count != 0 && count < more.length) {
      return -Errno.EINVAL.number();
    }
    for (int i = 0; count != 0 && i < more.length; i++) {
      task.memory().putInt(va + 4L * i, more[i]);
    }
    return more.length;
  }

  /** setgroups(2). */
  long setGroups(int count, long va) throws MemoryFaultException {
    if (!may(false)) {
      return -Errno.EPERM.number();
    }
    if (count < 0 || count > MOST_GROUPS) {
      return -Errno.EINVAL.number();
    }
    int[] more = new int[count];
    for (int i = 0; i < count; i++) {
      more[i] = task.memory().getInt(va + 4L * i);
    }
    own().more = more;
    return 0;
  }

  /** capget(2). */
  long capabilities(long header, long data) throws MemoryFaultException {
    int version = task.memory().getInt(header);
    int words = words(version);
    if (words == 0) {
      task.memory().putInt(header, VERSION_3);
      return data == 0 && version == 0 ? 0 : -Errno.EINVAL.number();
    }
    int pid = task.memory().getInt(header + 4);
    if (pid < 0) {
      return -Errno.EINVAL.number();
    }
    long[] sets;
    synchronized (task.kernel()) {
      Task of = task.numbered(pid);
      if (of == null) {
        return -Errno.ESRCH.number();
      }
      Credentials credentials = of.attributes().credentials;
      sets = new long[] {credentials.effective, credentials.permitted, credentials.inheritable};
    }
    for (int i = 0; data != 0 && i < 3 * words; i++) {
      task.memory().putInt(data + 4L * i, (int) (sets[i % 3] >>> 32 * (i / 3)));
    }
    return 0;
  }

  private static int words(int version) {
    return version == VERSION_1 ? 1 : version == VERSION_2 || version == VERSION_3 ? 2 : 0;
  }

  /** capset(2). */
  long setCapabilities(long header, long data) throws MemoryFaultException {
    int words = words(task.memory().getInt(header));
    if (words == 0) {
      task.memory().putInt(header, VERSION_3);
      return -Errno.EINVAL.number();
    }
    int pid = task.memory().getInt(header + 4);
    if (pid != 0 && pid != task.pid()) {
      return -Errno.EPERM.number();
    }
    long[] sets = new long[3];
    for (int i = 0; i < 3 * words; i++) {
      long word = task.memory().getInt(data + 4L * i) & 0xffff_ffffL;
      sets[i % 3] |= word << 32 * (i / 3) & Credentials.ALL;
    }
    Credentials credentials = own();
    if ((sets[1] & ~credentials.permitted) != 0
        || (sets[0] & ~sets[1]) != 0
        || (sets[2] & ~(credentials.inheritable | credentials.permitted)) != 0) {
      return -Errno.EPERM.number();
    }
    credentials.effective = sets[0];
    credentials.permitted = sets[1];
    credentials.inheritable = sets[2];
    return 0;
  }
}
