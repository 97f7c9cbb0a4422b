package dev.xip.pagetable;

/**
 * What a caller owes after an entry was emptied or replaced: cached translations may still say what
 * the old entry said, until the address space is flushed. A method that returns a duty has its
 * caller pay it, by a flush, before a frame is used again. Counterpart: {@code MapperFlush} of the
 * Rust crate x86_64.
 */
public enum FlushDuty {
  /** Nothing: no entry lost anything. */
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
