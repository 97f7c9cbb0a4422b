package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;

/**
 * The entries of one address space, counted in its page tables independently of the counters, for
 * comparison with them. A huge leaf counts as the pages that it maps.
 *
 * <p>Lock held by the caller: none.
 *
 * @param special pages whose entry has no page frame, by {@link MemoryManager#normalFrame}
 * @param normal pages whose page frame is counted
 * @param bad pages with an entry where no mapping is
 * @param huge how many huge leaves there are
 * @param tables pages of tables, the root included
 */
public record Census(long special, long normal, long bad, long huge, long tables) {
  /**
   * Counts.
   *
   * @param space an address space; precondition: no other thread changes it
   * @return the counts
   */
  public static Census of(AddressSpace space) {
    MemoryManager manager = space.manager();
    EntryLayout layout = space.table().layout();
    long[] counts = new long[4];
    space
        .table()
        .forEach(
            0,
            layout.addressLimit(),
            (va, level, slot, pte) -> {
              Vma vma = space.find(va);
              long pages = 1L << (layout.shift(level) - Pages.SHIFT);
              counts[3] += level == Level.PTE ? 0 : 1;
              if (vma == null) {
                counts[2] += pages;
              } else if (manager.normalFrame(vma, va, pte) == MemoryManager.NO_FRAME) {
                counts[0] += pages;
              } else {
                counts[1] += pages;
              }
            });
    return new Census(counts[0], counts[1], counts[2], counts[3], space.table().countTables());
  }
}
