package dev.xip.pagetable;

/** Where pages for tables come from and go to: the memory manager's frame allocator. */
public interface TableSupply {
  /**
   * Takes a page of zeros.
   *
   * @return its frame number, or -1 if there is none (ENOMEM)
   */
  long allocateTable();

  /**
   * Gives a page back.
   *
   * @param pfn a frame that {@link #allocateTable} gave and nothing points at any more
   */
  void freeTable(long pfn);
}
