package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;

/**
 * Goes through a range of addresses one leaf table at a time, so that its lock is taken once for
 * all its entries. Where there is no table the range is skipped. Linux counterpart: the loops of
 * {@code zap_page_range} down to {@code pte_offset_map_lock} (mm/memory.c).
 *
 * <pre>{@code
 * LeafTables leaves = new LeafTables(space, start, end);
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
 * <p>Who goes through holds the map lock, or the lock of a file's mappings, so that no table can go
 * away meanwhile. There are no huge leaves below mappings that come here.
 */
final class LeafTables {
  /** How many entries are taken together where a whole table cannot be. */
  static final int FEW = 64;

  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final long limit;
  private final Walk walk = new Walk();
  private long start;
  private long end;
  private long slot;

  LeafTables(AddressSpace space, long start, long end) {
    this.manager = space.manager();
    this.table = space.table();
    this.layout = table.layout();
    this.limit = end;
    this.end = start;
  }

  /** Goes to the next leaf table that exists; false at the end of the range. */
  boolean next() {
    while (end < limit) {
      start = end;
      boolean found = table.walk(start, walk);
      if (found && walk.level() != Level.PTE) {
        throw new IllegalStateException(
            "huge leaf 0x%x at address 0x%x".formatted(walk.pte(), start));
      }
      Level above = found ? Level.PMD : walk.level();
      end = Math.min(limit, (start | (1L << layout.shift(above)) - 1) + 1);
      if (found) {
        slot = walk.slot();
        return true;
      }
    }
    return false;
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
