package dev.xip.vm;

/**
 * What stands in the page tables of one address space, counted entry by entry. Nothing here is kept
 * anywhere else, so it can be held against what the counters say.
 *
 * @param special entries that the judge finds no page frame for
 * @param normal entries whose page frame is counted
 * @param bad entries where no mapping is
 * @param tables pages of tables, the root included
 */
public record Census(long special, long normal, long bad, long tables) {
  /**
   * Counts.
   *
   * @param space an address space that nobody changes meanwhile
   * @return the counts
   */
  public static Census of(AddressSpace space) {
    MemoryManager manager = space.manager();
    long[] counts = new long[3];
    space
        .table()
        .forEach(
            0,
            space.table().layout().addressLimit(),
            (va, level, slot, pte) -> {
              Vma vma = space.find(va);
              if (vma == null) {
                counts[2]++;
              } else if (manager.normalFrame(vma, va, pte) == MemoryManager.NO_FRAME) {
                counts[0]++;
              } else {
                counts[1]++;
              }
            });
    return new Census(counts[0], counts[1], counts[2], space.table().countTables());
  }
}
