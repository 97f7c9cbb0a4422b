package dev.xip.pagetable;

/** Where frames for tables come from and go to: the memory manager's frame allocator. */
public interface TableSupply {
  /**
   * Takes contiguous frames of zeros for one table.
   *
   * @param pages how many, 1 or more
   * @return the number of the first, or -1 if there are none (ENOMEM)
   */
  long allocateTable(int pages);

  /**
   * Takes a frame, whatever is in it, for a table of the lowest level that is filled as a whole
   * before it is linked.
   *
   * @return its number, or -1 if there is none (ENOMEM)
   */
  long allocateTableToFill();

  /**
   * Gives the frames of a table back.
   *
   * @param pfn a frame that {@link #allocateTable} or {@link #allocateTableToFill} gave and nothing
   *     points at any more
   */
  void freeTable(long pfn);
}
