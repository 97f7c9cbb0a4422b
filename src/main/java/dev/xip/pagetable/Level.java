package dev.xip.pagetable;

/** The levels of a page table, lowest first; the ordinal is the level number of the C ABI. */
public enum Level {
  /** The lowest level: entries map 4 KiB pages. */
  PTE,
  /** The second: a leaf maps 2 MiB on x86-64. */
  PMD,
  /** The third: a leaf maps 1 GiB on x86-64. */
  PUD,
  /** The root of four-level tables. */
  PGD;

  private static final Level[] VALUES = values();

  /**
   * Returns the next lower level.
   *
   * @return the level below
   * @throws ArrayIndexOutOfBoundsException below {@link #PTE}
   */
  public Level below() {
    return VALUES[ordinal() - 1];
  }
}
