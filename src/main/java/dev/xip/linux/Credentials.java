package dev.xip.linux;

/**
 * The users, groups and capabilities of a task. Linux counterpart: {@code struct cred}.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}, if the task is not its own.
 */
final class Credentials {
  static final int CAP_KILL = 5;
  static final int CAP_SETGID = 6;
  static final int CAP_SETUID = 7;
  static final int CAP_SYS_NICE = 23;
  static final int CAP_SYS_RESOURCE = 24;

  /** The highest capability. */
  static final int LAST_CAPABILITY = 40;

  static final long ALL = (1L << LAST_CAPABILITY + 1) - 1;

  /** Real, effective, saved and the one for files. */
  final int[] users = new int[4];

  /** The same of groups. */
  final int[] groups = new int[4];

  int[] more = {};
  long permitted = ALL;
  long effective = ALL;
  long inheritable;
  long bounding = ALL;
  boolean keepsCapabilities;

  /** Those of a child. */
  Credentials forked() {
    Credentials child = new Credentials();
    System.arraycopy(users, 0, child.users, 0, users.length);
    System.arraycopy(groups, 0, child.groups, 0, groups.length);
    child.more = more;
    child.permitted = permitted;
    child.effective = effective;
    child.inheritable = inheritable;
    child.bounding = bounding;
    child.keepsCapabilities = keepsCapabilities;
    return child;
  }

  /** The program is replaced. Linux counterpart: {@code cap_bprm_creds_from_file}. */
  void exec() {
    users[2] = users[1];
    groups[2] = groups[1];
    keepsCapabilities = false;
    permitted = users[0] == 0 || users[1] == 0 ? bounding | inheritable : 0;
    effective = users[1] == 0 ? permitted : 0;
  }

  /** Whether a capability is effective. */
  boolean may(int capability) {
    return (effective >>> capability & 1) != 0;
  }

  /**
   * Sets the real, effective and saved user; -1 keeps one. Linux counterpart: {@code
   * cap_emulate_setxuid}.
   */
  void setUsers(int real, int inEffect, int saved) {
    boolean wasRoot = users[0] == 0 || users[1] == 0 || users[2] == 0;
    int before = users[1];
    users[0] = real == -1 ? users[0] : real;
    users[1] = inEffect == -1 ? users[1] : inEffect;
    users[2] = saved == -1 ? users[2] : saved;
    users[3] = users[1];
    boolean isRoot = users[0] == 0 || users[1] == 0 || users[2] == 0;
    if (wasRoot && !isRoot && !keepsCapabilities) {
      permitted = 0;
      effective = 0;
    }
    if (before == 0 && users[1] != 0) {
      effective = 0;
    } else if (before != 0 && users[1] == 0) {
      effective = permitted;
    }
  }

  /** The same of groups, which have no capabilities. */
  void setGroups(int real, int inEffect, int saved) {
    groups[0] = real == -1 ? groups[0] : real;
    groups[1] = inEffect == -1 ? groups[1] : inEffect;
    groups[2] = saved == -1 ? groups[2] : saved;
    groups[3] = groups[1];
  }
}
