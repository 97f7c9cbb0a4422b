package dev.xip.pagetable;

/** The levels of a page table, lowest first; the ordinal is the level number of the C ABI. */
public enum Level {
  /** The lowest level: entries map 4 KiB pages. */
  PTE,
  /** The second: a leaf maps 2 MiB, on s390x 1 MiB (there called a segment table). */
  PMD,
  /** The third: a leaf maps 1 GiB, on s390x 2 GiB (there called a region-third table). */
  PUD,
  /** The root of four-level tables (on s390x a region-second table). */
  PGD;

  private static final Level[] VALUES = values();

  /** The level of a number, its ordinal. */
  static Level of(int number) {
    return VALUES[number];
  }

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
