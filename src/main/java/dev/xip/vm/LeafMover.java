package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;

/**
 * Moves entries unchanged to other addresses; no count changes. Linux counterpart: {@code
 * move_page_tables} (mm/mremap.c).
 *
 * <p>Lock held by the caller: the map lock, exclusively.
 */
final class LeafMover {
  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;

  LeafMover(Mm mm) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
  }

  /**
   * Moves the entries of a range. Both places belong to mappings in force. Truncation of the file
   * is kept out meanwhile, so that it cannot miss a page between the two places.
   *
   * @param vma the mapping that the entries are in
   * @param from the first address
   * @param to the first new address; the entries there are empty and the ranges do not overlap
   * @param length how many bytes, page aligned
   * @return how many bytes were moved: less than asked for if RAM for a table ran out
   */
  long move(Vma vma, long from, long to, long length) {
    FileMappings mappings = vma.isAnonymous() ? null : mm.mappingsOf(vma.file());
    long stamp = mappings == null ? 0 : mappings.lockShared();
    long tableBytes = 1L << layout.shift(Level.PMD);
    FlushDuty duty = FlushDuty.NONE;
    try {
      for (long done = 0; done < length; ) {
        long start = from + done;
        long end = Math.min(length, done + tableBytes - (to + done & tableBytes - 1));
        LeafTables leaves = new LeafTables(mm, start, from + end, LeafTables.Huge.SPLIT);
        long target = PageTable.NO_SLOT;
        while (leaves.next()) {
          target = target == PageTable.NO_SLOT ? table.slotOrCreate(to + done) : target;
          if (target == PageTable.NO_SLOT) {
            return done;
          }
          duty =
              duty.and(moveLeaves(leaves, target + (leaves.start() - start >>> Pages.SHIFT << 3)));
        }
        done = end;
      }
      return length;
    } finally {
      mm.flush(duty);
      if (mappings != null) {
        mappings.unlockShared(stamp);
      }
    }
  }

  private FlushDuty moveLeaves(LeafTables leaves, long target) {
    FlushDuty duty = FlushDuty.NONE;
    boolean sameTable = leaves.slot() >>> Pages.SHIFT == target >>> Pages.SHIFT;
    leaves.lock();
    try {
      if (!sameTable) {
        manager.lockEntry(target);
      }
      try {
        long slot = leaves.slot();
        for (long va = leaves.start(); va < leaves.end(); va += Pages.SIZE, slot += 8) {
          if (!layout.isEmpty(table.get(slot))) {
            long pte = table.take(slot);
            duty = FlushDuty.OWED;
            table.set(target + (va - leaves.start() >>> Pages.SHIFT << 3), pte);
          }
        }
      } finally {
        if (!sameTable) {
          manager.unlockEntry(target);
        }
      }
    } finally {
      leaves.unlock();
    }
    return duty;
  }
}
