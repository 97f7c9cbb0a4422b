package dev.xip.pagetable;

/**
 * The result of a walk. One object serves any number of walks of one thread, so that a walk does
 * not allocate.
 */
public final class Walk {
  private long va;
  private long slot;
  private long pte;
  private Level level;
  private long pmd = PageTable.NO_SLOT;

  /** Makes an object for the results of walks. */
  public Walk() {}

  void set(long va, long slot, long pte, Level level, long pmd) {
    this.va = va;
    this.slot = slot;
    this.pte = pte;
    this.level = level;
    this.pmd = pmd;
  }

  /** {@return the virtual address asked for} */
  public long va() {
    return va;
  }

  /** {@return the entry's byte offset in the window} */
  public long slot() {
    return slot;
  }

  /** {@return the entry as the walk read it} */
  public long pte() {
    return pte;
  }

  /**
   * {@return the entry's level: {@link Level#PTE}, or higher for a huge leaf or a missing table}
   */
  public Level level() {
    return level;
  }

  /**
   * {@return the slot of the PMD on the way; {@link PageTable#NO_SLOT} if the walk ended above it}
   */
  public long pmd() {
    return pmd;
  }
}
