package dev.xip.vm;

import dev.xip.pagetable.EntryLayout;

/**
 * What stands in the page tables of one address space, counted entry by entry. Nothing here is kept
 * anywhere else, so it can be held against what the counters say.
 *
 * @param special entries with the special bit: no page frame behind them
 * @param normal entries whose page frame is counted
 * @param bad entries that are neither
 * @param tables pages of tables, the root included
 */
public record Census(long special, long normal, long bad, long tables) {
  /** Sees the frame behind each normal entry. */
  @FunctionalInterface
  public interface FrameVisitor {
    /**
     * Sees one.
     *
     * @param pfn a frame of RAM
     */
    void frame(long pfn);
  }

  /**
   * Counts.
   *
   * @param space an address space that nobody changes meanwhile
   * @param visitor sees the frame of every normal entry
   * @return the counts
   */
  public static Census of(AddressSpace space, FrameVisitor visitor) {
    EntryLayout layout = space.table().layout();
    MemoryManager manager = space.manager();
    long[] counts = new long[3];
    space
        .table()
        .forEach(
            0,
            layout.addressLimit(),
            (va, level, slot, pte) -> {
              Vma vma = space.find(va);
              if (vma == null || !layout.isPresent(pte)) {
                counts[2]++;
              } else if (layout.isSpecial(pte)) {
                counts[0]++;
              } else {
                long pfn = manager.normalFrame(vma, va, pte);
                if (pfn == MemoryManager.NO_FRAME) {
                  counts[2]++;
                } else {
                  counts[1]++;
                  visitor.frame(pfn);
                }
              }
            });
    return new Census(counts[0], counts[1], counts[2], space.table().countTables());
  }
}
