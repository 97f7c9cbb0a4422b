package dev.xip.phys;

/** The lock of the list of memory chunks. */
public enum ListLock {
  /** {@code vmem_mutex}, as it was: a caller may sleep. */
  MUTEX,
  /**
   * A spin lock, as the mail of 15 January 2008 considered: legal under an entry lock, but all
   * processors contend for it at every question.
   */
  SPIN_LOCK
}
