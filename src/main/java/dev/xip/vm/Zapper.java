package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;

/**
 * Empties entries and takes back what was counted for them. Linux counterpart: {@code
 * zap_pte_range} (mm/memory.c).
 */
final class Zapper {
  private final AddressSpace space;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;

  Zapper(AddressSpace space) {
    this.space = space;
    this.manager = space.manager();
    this.table = space.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
  }

  /** Empties every entry of a part of a mapping. The frames are the caller's to finish. */
  void zap(Vma vma, long start, long end, MmuGather gather) {
    zap(vma, start, end, true, gather);
  }

  /**
   * Empties entries of a part of a mapping.
   *
   * @param evenCopies whether private copies go too. A special entry always goes: there is no frame
   *     that could say whom it belongs to
   */
  void zap(Vma vma, long start, long end, boolean evenCopies, MmuGather gather) {
    LeafTables leaves = new LeafTables(space, start, end);
    while (leaves.next()) {
      leaves.lock();
      try {
        long slot = leaves.slot();
        for (long va = leaves.start(); va < leaves.end(); va += Pages.SIZE, slot += 8) {
          long pte = table.get(slot);
          if (!layout.isEmpty(pte)) {
            zapEntry(vma, va, slot, pte, evenCopies, gather);
          }
        }
      } finally {
        leaves.unlock();
      }
    }
  }

  private void zapEntry(
      Vma vma, long va, long slot, long pte, boolean evenCopies, MmuGather gather) {
    long pfn = manager.normalFrame(vma, va, pte);
    if (pfn == MemoryManager.NO_FRAME) {
      table.set(slot, layout.empty());
      gather.noteFlush();
      return;
    }
    boolean copy = frames.use(pfn) == FrameUse.ANONYMOUS;
    if (copy && !evenCopies) {
      return;
    }
    table.set(slot, layout.empty());
    space.counters().unmapped(copy);
    gather.add(pfn);
  }
}
