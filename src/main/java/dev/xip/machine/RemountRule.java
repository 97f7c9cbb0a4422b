package dev.xip.machine;

/** The effect of a remount that changes the option {@code xip} while inodes are in use. */
public enum RemountRule {
  /**
   * Linux 2.6.26: warns and changes it. Inodes that were read before stay as they are, so both
   * kinds exist at the same time.
   */
  CHANGED_WITH_A_WARNING,
  /** Linux 2.6.29 and later: warns, keeps the option as it was, and the remount succeeds. */
  REFUSED_WITH_A_WARNING
}
