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
   * Gives the frames of a table back.
   *
   * @param pfn a frame that {@link #allocateTable} gave and nothing points at any more
   */
  void freeTable(long pfn);
}
