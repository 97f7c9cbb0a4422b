package dev.xip.pagetable;

import dev.xip.base.Pages;

/** Visits of all entries, and of all tables, of a {@link PageTable}. */
final class Traversal {
  private Traversal() {}

  /** Receives the first frame of a table. */
  interface TableVisitor {
    void table(long pfn, Level level);
  }

  /** Visits every leaf of a range that is not empty, in the tables below one. */
  static void entries(
      PageTable root, long table, Level level, long start, long end, EntryVisitor visitor) {
    EntryLayout layout = root.layout();
    long span = 1L << layout.shift(level);
    for (long va = start & -span; va < end; va += span) {
      long slot = (table << Pages.SHIFT) + layout.slot(va, level);
      long pte = root.get(slot);
      if (layout.isEmpty(pte, level)) {
        continue;
      }
      if (level == Level.PTE || !layout.isTable(pte)) {
        visitor.entry(va, level, slot, pte);
      } else {
        entries(
            root,
            layout.pfn(pte),
            level.below(),
            Math.max(start, va),
            Math.min(end, va + span),
            visitor);
      }
    }
  }

  /** Visits every table of the user's addresses, the root included. */
  static void tables(PageTable root, TableVisitor visitor) {
    EntryLayout layout = root.layout();
    // The entries of the root behind these are the kernel's.
    int users = (int) (layout.addressLimit() >>> layout.shift(layout.top()));
    tables(root, root.root(), layout.top(), users, visitor);
  }

  private static void tables(
      PageTable root, long table, Level level, int entries, TableVisitor visitor) {
    visitor.table(table, level);
    if (level == Level.PTE) {
      return;
    }
    EntryLayout layout = root.layout();
    Level below = level.below();
    for (int i = 0; i < entries; i++) {
      long pte = root.get((table << Pages.SHIFT) + 8L * i);
      if (layout.isTable(pte)) {
        tables(root, layout.pfn(pte), below, layout.entriesPerTable(below), visitor);
      }
    }
  }
}
