package dev.xip.pagetable;

/**
 * Where a walk ended. One object serves any number of walks of one thread, so that a walk makes no
 * garbage.
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

  /**
   * Returns the address asked for.
   *
   * @return a virtual address
   */
  public long va() {
    return va;
  }

  /**
   * Returns where the entry lies.
   *
   * @return its byte offset in the window
   */
  public long slot() {
    return slot;
  }

  /**
   * Returns the entry.
   *
   * @return the entry as it was when the walk came by
   */
  public long pte() {
    return pte;
  }

  /**
   * Returns the entry's level.
   *
   * @return {@link Level#PTE}, or higher for a huge leaf or a missing table
   */
  public Level level() {
    return level;
  }

  /**
   * Returns where the PMD lies that the walk came by or ended at.
   *
   * @return its slot; {@link PageTable#NO_SLOT} if the walk ended higher up
   */
  public long pmd() {
    return pmd;
  }
}
