package dev.xip.pagetable;

import dev.xip.base.Pages;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The page table of one address space: tables in pages of RAM inside the window, found from the
 * root's frame number alone, by Java and C alike.
 *
 * <p>A slot is the byte offset of an entry in the window. Walks take no lock and may run beside
 * writers; whoever changes a leaf holds the lock of its table. Invariant: a table entry, once
 * installed, changes only when {@link #detachTables} takes its table out.
 */
public final class PageTable {
  /** What a look-up answers where there is no table. */
  public static final long NO_SLOT = -1;

  private static final VarHandle ENTRY = ValueLayout.JAVA_LONG.varHandle();

  private final MemorySegment window;
  private final EntryLayout layout;
  private final TableSupply supply;
  private final long root;

  private PageTable(MemorySegment window, EntryLayout layout, TableSupply supply, long root) {
    this.window = window;
    this.layout = layout;
    this.supply = supply;
    this.root = root;
  }

  /**
   * Makes an empty table.
   *
   * @param window the physical memory window
   * @param layout the architecture's entries
   * @param supply gives pages for tables
   * @return the table, or null if there is no page for its root (ENOMEM)
   */
  public static PageTable create(MemorySegment window, EntryLayout layout, TableSupply supply) {
    long root = supply.allocateTable();
    return root < 0 ? null : at(window, layout, supply, root);
  }

  /**
   * Looks at a table that stands in the window already, made by C perhaps.
   *
   * @param window the physical memory window
   * @param layout the architecture's entries
   * @param supply gives pages for further tables
   * @param root the root's frame number
   * @return the table
   */
  public static PageTable at(
      MemorySegment window, EntryLayout layout, TableSupply supply, long root) {
    PageTable table = new PageTable(window, layout, supply, root);
    if (layout.empty() != 0) {
      table.fillEmpty(root);
    }
    return table;
  }

  private void fillEmpty(long pfn) {
    for (int i = 0; i < layout.entriesPerTable(); i++) {
      set((pfn << Pages.SHIFT) + 8L * i, layout.empty());
    }
  }

  /**
   * Returns the root.
   *
   * @return the frame number of the top table
   */
  public long root() {
    return root;
  }

  /**
   * Returns the layout.
   *
   * @return what the bits mean
   */
  public EntryLayout layout() {
    return layout;
  }

  /**
   * Reads an entry, with acquire.
   *
   * @param slot where it lies
   * @return the entry
   */
  public long get(long slot) {
    return (long) ENTRY.getAcquire(window, slot);
  }

  /**
   * Writes an entry, with release. The caller holds the table's lock.
   *
   * @param slot where it lies
   * @param pte the new entry
   */
  public void set(long slot, long pte) {
    ENTRY.setRelease(window, slot, pte);
  }

  /**
   * Replaces an entry if it is still what the caller saw.
   *
   * @param slot where it lies
   * @param expected what it must be
   * @param pte the new entry
   * @return true if it was replaced
   */
  public boolean compareAndSet(long slot, long expected, long pte) {
    return ENTRY.compareAndSet(window, slot, expected, pte);
  }

  /**
   * Finds the slot that decides about an address: that of the lowest level, or of the huge leaf
   * above it. Linux counterpart: {@code follow_page}'s descent (mm/memory.c).
   *
   * @param va a virtual address below the layout's limit
   * @param walk receives slot, entry and level
   * @return true if there is a slot at the lowest level or a huge leaf; false where a table is
   *     missing, and then {@code walk} names the empty entry above it
   */
  public boolean walk(long va, Walk walk) {
    long table = root;
    Level level = layout.top();
    while (true) {
      long slot = (table << Pages.SHIFT) + layout.slot(va, level);
      long pte = get(slot);
      if (level == Level.PTE || !layout.isValid(pte) || layout.isHugeLeaf(pte, level)) {
        walk.set(va, slot, pte, level);
        return level == Level.PTE || layout.isValid(pte);
      }
      table = layout.pfn(pte);
      level = level.below();
    }
  }

  /**
   * Finds the slot of the lowest level, or makes the tables that are missing. Linux counterpart:
   * {@code get_locked_pte} without the lock (mm/memory.c).
   *
   * @param va a virtual address below the layout's limit
   * @return the slot, or {@link #NO_SLOT} if RAM for a table has run out (ENOMEM)
   * @throws IllegalStateException if a huge leaf covers the address
   */
  public long slotOrCreate(long va) {
    long table = root;
    for (Level level = layout.top(); level != Level.PTE; level = level.below()) {
      long slot = (table << Pages.SHIFT) + layout.slot(va, level);
      long pte = get(slot);
      if (layout.isEmpty(pte)) {
        pte = install(slot, pte);
        if (layout.isEmpty(pte)) {
          return NO_SLOT;
        }
      }
      if (layout.isHugeLeaf(pte, level)) {
        throw new IllegalStateException("a huge leaf covers address 0x%x".formatted(va));
      }
      table = layout.pfn(pte);
    }
    return (table << Pages.SHIFT) + layout.slot(va, Level.PTE);
  }

  /** Links a new table, or takes the one that another thread linked first. */
  private long install(long slot, long empty) {
    long pfn = supply.allocateTable();
    if (pfn < 0) {
      return layout.empty();
    }
    if (layout.empty() != 0) {
      fillEmpty(pfn);
    }
    long entry = layout.table(pfn);
    if (compareAndSet(slot, empty, entry)) {
      return entry;
    }
    supply.freeTable(pfn);
    return get(slot);
  }

  /**
   * Shows every leaf of a range that is not empty. Subtrees without tables cost one look.
   *
   * @param start the first address
   * @param end the address after the last, at most the layout's limit
   * @param visitor sees the entries
   */
  public void forEach(long start, long end, EntryVisitor visitor) {
    forEach(root, layout.top(), start, end, visitor);
  }

  private void forEach(long table, Level level, long start, long end, EntryVisitor visitor) {
    long span = 1L << layout.shift(level);
    for (long va = start & -span; va < end; va += span) {
      long slot = (table << Pages.SHIFT) + layout.slot(va, level);
      long pte = get(slot);
      if (layout.isEmpty(pte)) {
        continue;
      }
      if (level == Level.PTE || !layout.isValid(pte) || layout.isHugeLeaf(pte, level)) {
        visitor.entry(va, level, slot, pte);
      } else {
        forEach(
            layout.pfn(pte), level.below(), Math.max(start, va), Math.min(end, va + span), visitor);
      }
    }
  }

  /**
   * Takes out the tables that serve a gap between mappings alone. The leaves in the gap must be
   * empty. The pages stay readable until the caller has flushed and freed them. Linux counterpart:
   * {@code free_pgtables} (mm/memory.c).
   *
   * @param floor the end of the mapping before the gap
   * @param ceiling the start of the mapping after it
   * @param detached receives the frame of each table taken out
   */
  public void detachTables(long floor, long ceiling, LongConsumer detached) {
    detachTables(root, layout.top(), floor, ceiling, detached);
  }

  private void detachTables(
      long table, Level level, long floor, long ceiling, LongConsumer detached) {
    if (level == Level.PTE) {
      return;
    }
    long span = 1L << layout.shift(level);
    for (long va = floor & -span; va < ceiling; va += span) {
      long slot = (table << Pages.SHIFT) + layout.slot(va, level);
      long pte = get(slot);
      if (!layout.isValid(pte) || layout.isHugeLeaf(pte, level)) {
        continue;
      }
      long below = layout.pfn(pte);
      detachTables(
          below, level.below(), Math.max(floor, va), Math.min(ceiling, va + span), detached);
      if (floor <= va && va + span <= ceiling) {
        set(slot, layout.empty());
        detached.accept(below);
      }
    }
  }

  /**
   * Counts the tables, the root included.
   *
   * @return the number of pages
   */
  public long countTables() {
    long[] count = {1};
    forEachTable(root, layout.top(), pfn -> count[0]++);
    return count[0];
  }

  /**
   * Shows the frame of every table, the root included.
   *
   * @param visitor sees each frame number
   */
  public void forEachTable(LongConsumer visitor) {
    visitor.accept(root);
    forEachTable(root, layout.top(), visitor);
  }

  private void forEachTable(long table, Level level, LongConsumer visitor) {
    if (level == Level.PTE) {
      return;
    }
    for (int i = 0; i < layout.entriesPerTable(); i++) {
      long pte = get((table << Pages.SHIFT) + 8L * i);
      if (layout.isValid(pte) && !layout.isHugeLeaf(pte, level)) {
        visitor.accept(layout.pfn(pte));
        forEachTable(layout.pfn(pte), level.below(), visitor);
      }
    }
  }

  /** Gives every table back, the root included. Nobody may walk any more. */
  public void free() {
    List<Long> tables = new ArrayList<>();
    forEachTable(tables::add);
    tables.forEach(supply::freeTable);
  }
}
