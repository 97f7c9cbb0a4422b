package dev.xip.pagetable;

/**
 * The flush that a caller owes after it has emptied or replaced an entry: cached translations may
 * still have the old entry until the address space is flushed. The caller of a method that returns
 * a duty must flush before a frame is used again. Counterpart: {@code MapperFlush} of the Rust
 * crate x86_64.
 */
public enum FlushDuty {
  /** No flush: no entry lost a right or its frame. */
  NONE,
  /** A flush. */
  OWED;

  /**
   * Adds another duty to this one.
   *
   * @param other the other duty
   * @return what is owed for both: one flush at most
   */
  public FlushDuty and(FlushDuty other) {
    return this == OWED ? this : other;
  }
}
