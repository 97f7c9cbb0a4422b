package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryBlock;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;

/**
 * Empties entries and uncounts them. Linux counterpart: {@code zap_pte_range} (mm/memory.c).
 *
 * <p>Lock held by the caller: the map lock, or the lock of the file's mappings.
 */
final class Zapper {
  /** The entries that are emptied. */
  enum Which {
    /** Those of the file; private copies stay. A special entry is no copy. */
    FILE_PAGES,
    /** Those that map a page; guard regions stay. */
    PAGES,
    /** All: the mapping is being removed. Linux counterpart: {@code ZAP_FLAG_DROP_MARKER}. */
    ALL
  }

  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final boolean emptiesHoles;

  Zapper(Mm mm) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
    this.emptiesHoles = manager.rules().has(Rule.INVALIDATION_EMPTIES_HOLES);
  }

  /**
   * Empties a part of a mapping that is being removed. A whole table without counted entries is
   * taken out as it is. The map lock is held exclusively.
   *
   * @param gather receives frames and flush duty
   * @param tables receives tables, to be closed when no truncation can be in them any more
   */
  void unmap(Vma vma, long start, long end, MmuGather gather, MmuGather tables) {
    LeafTables leaves = new LeafTables(mm, start, end, LeafTables.Huge.SPLIT_WHERE_CUT);
    EntryBlock block = table.block();
    while (leaves.next()) {
      if (leaves.isWhole() && manager.trustsSpecialBit(vma) && isUncounted(leaves, block)) {
        tables.add(table.detach(leaves.pmd()));
        gather.add(FlushDuty.OWED);
      } else {
        zapTable(vma, leaves, Which.ALL, block, gather);
      }
    }
  }

  /**
   * Whether no entry of a table is counted or writable, by the special bit of each: now, or when
   * fork copied and sealed it.
   */
  private boolean isUncounted(LeafTables leaves, EntryBlock block) {
    if (frames.unseal(leaves.slot() >>> Pages.SHIFT)) {
      return true;
    }
    leaves.lock();
    try {
      block.look(leaves.slot(), leaves.count());
      return block.isSpecialOrEmpty() && block.isNoneWritable();
    } finally {
      leaves.unlock();
    }
  }

  /** Empties entries of a part of a mapping; the gather receives frames and flush duty. */
  void zap(Vma vma, long start, long end, Which which, MmuGather gather) {
    LeafTables leaves = new LeafTables(mm, start, end, LeafTables.Huge.SPLIT_WHERE_CUT);
    EntryBlock block = table.block();
    while (leaves.next()) {
      zapTable(vma, leaves, which, block, gather);
    }
  }

  private void zapTable(
      Vma vma, LeafTables leaves, Which which, EntryBlock block, MmuGather gather) {
    leaves.lock();
    try {
      if (leaves.isHuge()) {
        zapHuge(leaves, gather);
      } else {
        zapLeaves(vma, leaves, which, block, gather);
      }
    } finally {
      leaves.unlock();
    }
  }

  /** Takes a huge leaf out; it is special, so not counted. */
  private void zapHuge(LeafTables leaves, MmuGather gather) {
    if (layout.isHugeLeaf(table.get(leaves.slot()), leaves.level())) {
      gather.add(table.clear(leaves.slot(), leaves.level()));
    } else {
      leaves.retry();
    }
  }

  /** Empties a table in parts: in bulk where no entry is counted, else entry by entry. */
  private void zapLeaves(
      Vma vma, LeafTables leaves, Which which, EntryBlock block, MmuGather gather) {
    for (int done = 0; done < leaves.count(); done += LeafTables.FEW) {
      long slot = leaves.slot() + 8L * done;
      int few = Math.min(LeafTables.FEW, leaves.count() - done);
      if (!zapInBulk(vma, slot, few, block, gather)) {
        zapEach(vma, leaves.start() + done * Pages.SIZE, slot, few, which, gather);
      }
    }
  }

  /**
   * Empties entries in bulk if none of them is counted, by the special bit of each; else returns
   * false.
   */
  private boolean zapInBulk(Vma vma, long slot, int count, EntryBlock block, MmuGather gather) {
    if (!manager.trustsSpecialBit(vma)) {
      return false;
    }
    block.look(slot, count);
    if (!block.isSpecialOrEmpty()) {
      return false;
    }
    if (block.hasSpecial()) {
      gather.add(block.clear(slot, count));
    }
    return true;
  }

  private void zapEach(
      Vma vma, long first, long firstSlot, int count, Which which, MmuGather gather) {
    long slot = firstSlot;
    long end = first + count * Pages.SIZE;
    for (long va = first; va < end; va += Pages.SIZE, slot += 8) {
      long pte = table.get(slot);
      if (!layout.isEmpty(pte)) {
        zapEntry(vma, va, slot, pte, which, gather);
      }
    }
  }

  private void zapEntry(Vma vma, long va, long slot, long pte, Which which, MmuGather gather) {
    long pfn = manager.normalFrame(vma, va, pte);
    if (pfn == MemoryManager.NO_FRAME) {
      if (which == Which.ALL || !layout.isGuard(pte)) {
        gather.add(table.clear(slot));
      }
      return;
    }
    boolean copy = frames.use(pfn) == FrameUse.ANONYMOUS;
    boolean stays = copy || !emptiesHoles && frames.use(pfn) == FrameUse.SPARSE;
    if (which == Which.FILE_PAGES && stays) {
      return;
    }
    gather.add(table.clear(slot));
    mm.counters().unmapped(copy);
    gather.add(pfn);
  }
}
