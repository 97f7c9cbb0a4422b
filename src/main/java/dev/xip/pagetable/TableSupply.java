package dev.xip.pagetable;

/** Allocates and frees frames for tables; the memory manager implements it. */
public interface TableSupply {
  /**
   * Takes contiguous frames of zeros for one table.
   *
   * @param pages how many, 1 or more
   * @return the number of the first, or -1 if there are none (ENOMEM)
   */
  long allocateTable(int pages);

  /**
   * Takes an uncleared frame for a table of the lowest level; the caller fills all of it before it
   * is linked.
   *
   * @return its number, or -1 if there is none (ENOMEM)
   */
  long allocateTableToFill();

  /**
   * Frees the frames of a table.
   *
   * @param pfn a frame from {@link #allocateTable} or {@link #allocateTableToFill} that nothing
   *     points at any more
   */
  void freeTable(long pfn);
}
