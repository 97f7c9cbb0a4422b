package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import dev.xip.phys.RegionFrames;

/**
 * Leaves that map 2 MiB or 1 GiB of a file, or of a device's page frame numbers, with one special
 * entry. Invariants: such a leaf lies in one mapping as a whole, is never writable, and is not
 * counted. An operation that would break one of them splits the leaf first into a table of smaller
 * ones that map the same. If there is no RAM for the table the leaf is dropped, and its pages fault
 * in again.
 *
 * <p>A leaf changes under the lock of the table that it is in. A table is linked into an empty slot
 * without that lock, so a leaf is inserted by compare-and-set. Linux counterpart: {@code
 * vmf_insert_pfn_pmd} and {@code __split_huge_pmd} (mm/huge_memory.c).
 *
 * <p>Lock held by the caller: the map lock, or the lock of the file's mappings.
 */
final class HugeLeaves {
  /** The levels that may have such leaves, the highest first. */
  private static final Level[] HIGHEST_FIRST = {Level.PUD, Level.PMD};

  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;

  /** Whether there may be one in this space: set before the first is inserted. */
  private volatile boolean used;

  HugeLeaves(Mm mm) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
  }

  /** Whether leaves of a level are made on a machine. */
  private static boolean areMade(MemoryManager manager, Level level) {
    EntryLayout layout = manager.layout();
    return manager.rules().has(Rule.HUGE_LEAVES)
        && manager.usesSpecialBit()
        && manager.memory().frames().regionFrames() == RegionFrames.NONE
        && layout.hasLeaves(level)
        && layout.hasSpecialBit(level);
  }

  /**
   * The alignment at which a run of pages needs the fewest leaves: the size of the largest leaf
   * that fits into it.
   *
   * @return a number of bytes; a page if no huge leaf does
   */
  static long alignmentFor(MemoryManager manager, long runBytes) {
    for (Level level : HIGHEST_FIRST) {
      long bytes = 1L << manager.layout().shift(level);
      if (runBytes >= bytes && areMade(manager, level)) {
        return bytes;
      }
    }
    return Pages.SIZE;
  }

  /**
   * The size of the largest leaf that could map an address and stay inside its mapping, where
   * nothing is mapped yet.
   *
   * @param stop where a descent to the address stopped
   * @param below a number of bytes that the leaf has to be smaller than
   * @return a number of bytes, 0 if there is no such leaf
   */
  long sizeAt(Vma vma, long va, long stop, long below) {
    long now = table.descend(va, stop);
    Level lowest = PageTable.levelOf(now);
    if (!layout.isEmpty(table.get(PageTable.slotOf(now)), lowest)) {
      return 0;
    }
    for (Level level : HIGHEST_FIRST) {
      long bytes = 1L << layout.shift(level);
      long start = va & -bytes;
      if (bytes < below
          && start >= vma.range().start()
          && vma.range().end() - start >= bytes
          && lowest.compareTo(level) >= 0
          && areMade(manager, level)) {
        return bytes;
      }
    }
    return 0;
  }

  /**
   * Maps the start of a run of pages with the largest leaves that fit, up to the end of one table.
   *
   * @param va the address of the first page
   * @param stop where a descent to the address, or to one that the leaf would cover, stopped
   * @param bytes the length of the run, as far as it belongs to the mapping
   * @param pfn the first page's frame number
   * @return how many bytes are mapped now: 0 if no leaf fits or there is an entry already
   */
  long insert(Vma vma, long va, long stop, long bytes, long pfn) {
    if (!mayHold(vma) || vma.pageAccess().write()) {
      return 0;
    }
    for (Level level : HIGHEST_FIRST) {
      long size = 1L << layout.shift(level);
      if (bytes >= size
          && PageTable.levelOf(stop).compareTo(level) >= 0
          && ((va | pfn << Pages.SHIFT) & size - 1) == 0
          && pfn >= 0
          && pfn << Pages.SHIFT <= manager.memory().windowBytes() - bytes
          && areMade(manager, level)) {
        long done = insert(vma, va, stop, bytes / size, pfn, level);
        if (done > 0) {
          return done;
        }
      }
    }
    return 0;
  }

  private boolean mayHold(Vma vma) {
    return vma.has(VmaFlags.MIXEDMAP)
        || vma.has(VmaFlags.PFNMAP) && manager.rules().has(Rule.HUGE_PFN_MAPS);
  }

  private long insert(Vma vma, long va, long stop, long leaves, long pfn, Level level) {
    long slot = table.slotOrCreate(va, level, stop);
    if (slot < 0) {
      return 0;
    }
    used = true;
    int shift = layout.shift(level);
    int tableBytes = layout.tableBytes(level);
    long count = Math.min(leaves, tableBytes - (slot & tableBytes - 1) >>> 3);
    long leaf = layout.withSpecial(layout.hugeLeaf(pfn, vma.pageAccess(), level), level);
    long empty = layout.empty(level);
    long done = 0;
    manager.lockEntry(slot);
    try {
      while (done < count
          && table.compareAndSet(slot + (done << 3), empty, leaf + (done << shift))) {
        done++;
      }
    } finally {
      manager.unlockEntry(slot);
    }
    return done << shift;
  }

  /** Notes that leaves were inserted by another class: fork, which copies them from the parent. */
  void noteUsed() {
    used = true;
  }

  /**
   * Answers a fault on an address that a leaf covers: the leaf becomes young, or is split for a
   * store.
   *
   * @param stop where a descent to the address stopped
   * @return false if the fault handler has to descend again
   */
  boolean touch(long stop, boolean write) {
    long slot = PageTable.slotOf(stop);
    Level level = PageTable.levelOf(stop);
    if (write) {
      split(slot, level);
    }
    if (write || level == Level.PTE) {
      return false;
    }
    manager.lockEntry(slot);
    try {
      long pte = table.get(slot);
      boolean there = layout.isHugeLeaf(pte, level);
      if (there) {
        table.change(slot, pte, layout.withYoung(pte));
      }
      return there;
    } finally {
      manager.unlockEntry(slot);
    }
  }

  /** Splits the leaf in a slot, if there still is one, by one level. */
  void split(long slot, Level level) {
    if (level == Level.PTE) {
      return;
    }
    FlushDuty duty = FlushDuty.NONE;
    manager.lockEntry(slot);
    try {
      if (layout.isHugeLeaf(table.get(slot), level) && !table.split(slot, level)) {
        duty = table.clear(slot, level);
      }
    } finally {
      manager.unlockEntry(slot);
    }
    mm.flush(duty);
  }

  /**
   * Splits the leaves that would no longer lie in one mapping, before a list of mappings is put in
   * force. Linux counterpart: {@code vma_adjust_trans_huge} (mm/huge_memory.c).
   */
  void splitAtBounds(VmaList next) {
    if (used) {
      for (Vma vma : next.toList()) {
        splitAt(vma.range().start());
        splitAt(vma.range().end());
      }
    }
  }

  private void splitAt(long va) {
    Walk walk = new Walk();
    while (va < layout.addressLimit()
        && table.walk(va, walk)
        && walk.level() != Level.PTE
        && (va & (1L << layout.shift(walk.level())) - 1) != 0) {
      split(walk.slot(), walk.level());
    }
  }
}
