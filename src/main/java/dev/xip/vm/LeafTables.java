package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;

/**
 * Iterates over a range of addresses one leaf table at a time, so that its lock is taken once for
 * all its entries. Addresses without a table are skipped. Linux counterpart: the loops of {@code
 * zap_page_range} down to {@code pte_offset_map_lock} (mm/memory.c).
 *
 * <pre>{@code
 * LeafTables leaves = new LeafTables(mm, start, end, LeafTables.Huge.SPLIT);
 * while (leaves.next()) {
 *   leaves.lock();
 *   try {
 *     long slot = leaves.slot();
 *     for (long va = leaves.start(); va < leaves.end(); va += Pages.SIZE, slot += 8) { ... }
 *   } finally {
 *     leaves.unlock();
 *   }
 * }
 * }</pre>
 *
 * <p>A huge leaf takes the place of a table if {@link #isHuge}: the lock is then that of the table
 * which the leaf is in. With the lock held the caller checks that the leaf is still there, and
 * calls {@link #retry} if not.
 *
 * <p>Lock held by the caller: the map lock or the lock of the file's mappings, so that no table is
 * freed meanwhile.
 */
final class LeafTables {
  /** How many entries are handled together where a whole table cannot be. */
  static final int FEW = 64;

  /** How the iteration treats huge leaves. */
  enum Huge {
    /** They are shown, also those that are only partly in the range. */
    SHOWN,
    /** They are shown if they are wholly in the range, and split first if not. */
    SPLIT_WHERE_CUT,
    /** They are split. */
    SPLIT
  }

  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final long limit;
  private final Huge huge;
  private final Walk walk = new Walk();
  private long start;
  private long end;
  private long slot;
  private Level level;

  LeafTables(Mm mm, long start, long end, Huge huge) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.limit = end;
    this.end = start;
    this.huge = huge;
  }

  /** Goes to the next leaf table that exists, or huge leaf; false at the end of the range. */
  boolean next() {
    while (end < limit) {
      start = end;
      boolean found = table.walkOn(start, walk);
      level = walk.level();
      Level above = found && level == Level.PTE ? Level.PMD : level;
      long past = (start | (1L << layout.shift(above)) - 1) + 1;
      if (found && level != Level.PTE && isSplit(past)) {
        mm.hugeLeaves().split(walk.slot(), level);
        continue;
      }
      end = Math.min(limit, past);
      if (found) {
        slot = walk.slot();
        return true;
      }
    }
    return false;
  }

  private boolean isSplit(long past) {
    boolean cut = past > limit || past - start < 1L << layout.shift(level);
    return huge == Huge.SPLIT || (huge == Huge.SPLIT_WHERE_CUT && cut);
  }

  /** Whether this is a huge leaf, and {@link #slot} its slot. */
  boolean isHuge() {
    return level != Level.PTE;
  }

  /** The level of the entries: higher than a page's for a huge leaf. */
  Level level() {
    return level;
  }

  /** Makes {@link #next} return to the same address, because the huge leaf was removed or split. */
  void retry() {
    end = start;
  }

  /** Whether the range covers this table wholly. */
  boolean isWhole() {
    return level == Level.PTE && count() == layout.entriesPerTable(Level.PTE);
  }

  /** The slot of the PMD that points at this table. */
  long pmd() {
    return walk.pmd();
  }

  /** The first address in this table. */
  long start() {
    return start;
  }

  /** The address after the last in this table. */
  long end() {
    return end;
  }

  /** How many entries of this table are in the range. */
  int count() {
    return (int) (end - start >>> Pages.SHIFT);
  }

  /** The slot of the first address; the next page's is 8 further on. */
  long slot() {
    return slot;
  }

  void lock() {
    manager.lockEntry(slot);
  }

  void unlock() {
    manager.unlockEntry(slot);
  }
}
