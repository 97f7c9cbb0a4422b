package dev.xip.pagetable;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * The page table of one address space: tables in pages of RAM inside the window. Java and C walk it
 * from the root's frame number alone.
 *
 * <p>A slot is the byte offset of an entry in the window. Walks take no lock and may run
 * concurrently with writers; a writer of a leaf holds the lock of its table. Invariant: a table
 * entry, once installed, changes only when {@link #detach} or {@link #detachTables} takes its table
 * out. An empty entry of an upper level may become one that points at a table at any time; all else
 * there changes under the lock.
 *
 * <p>An {@link Mmu} may walk the table as well. It sets the accessed and dirty bits of a present
 * entry without the lock, so such an entry is changed by compare-and-set and taken out by an
 * exchange as soon as an MMU is attached. Without one both are plain stores.
 */
public class PageTable {
  /** The answer of a look-up where there is no table. */
  public static final long NO_SLOT = -1;

  /** The answer of a look-up where a huge leaf covers the address. */
  public static final long HUGE = -2;

  private static final VarHandle ENTRY = ValueLayout.JAVA_LONG.varHandle();

  private final MemorySegment window;
  private final EntryLayout layout;
  private final TableSupply supply;
  private final long root;

  /**
   * The MMUs that walk this table; null if there never was one. Changed under all locks under which
   * entries change.
   */
  private Mmu[] mmus;

  /** Not private, and the class not final, so that a test can count descents. */
  PageTable(MemorySegment window, EntryLayout layout, TableSupply supply, long root) {
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
    PageTable table = new PageTable(window, layout, supply, NO_SLOT);
    long root = table.newTable(layout.top());
    return root < 0 ? null : at(window, layout, supply, root);
  }

  /**
   * Makes a view of a table that is in the window already, such as one made by C.
   *
   * @param window the physical memory window
   * @param layout the architecture's entries
   * @param supply gives pages for further tables
   * @param root the root's frame number
   * @return the table
   */
  public static PageTable at(
      MemorySegment window, EntryLayout layout, TableSupply supply, long root) {
    return new PageTable(window, layout, supply, root);
  }

  /**
   * Takes frames for a table and fills it with the empty entries of its level; -1 if there are
   * none.
   */
  private long newTable(Level level) {
    long pfn = supply.allocateTable(layout.tablePages(level));
    long empty = layout.empty(level);
    if (pfn >= 0 && empty != 0) {
      for (int i = 0; i < layout.entriesPerTable(level); i++) {
        set((pfn << Pages.SHIFT) + 8L * i, empty);
      }
    }
    return pfn;
  }

  /** {@return the frame number of the top table, where every descent begins} */
  public long root() {
    return root;
  }

  /** {@return the entry layout} */
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
   * Writes an entry, with release, in the place of an empty one, or into a table that no walker and
   * no MMU uses yet. The caller holds the table's lock.
   *
   * @param slot where it lies
   * @param pte the new entry
   */
  public void set(long slot, long pte) {
    ENTRY.setRelease(window, slot, pte);
  }

  /**
   * Writes an entry, with release, in the place of a present one all of whose rights it keeps:
   * cached translations stay true. The caller holds the table's lock.
   *
   * @param slot where it lies
   * @param seen the present entry
   * @param pte the new entry
   * @return false if an MMU has marked the entry as young or dirty since: then nothing was written
   */
  public boolean change(long slot, long seen, long pte) {
    if (mmus != null) {
      return compareAndSet(slot, seen, pte);
    }
    set(slot, pte);
    return true;
  }

  /**
   * Writes an entry, with release, in the place of a present one that may have had other rights.
   * The caller holds the table's lock.
   *
   * @param slot where it lies
   * @param seen the present entry
   * @param pte the new entry
   * @return the flush that the caller owes; none if an MMU has marked the entry as young or dirty
   *     since: then nothing was written
   */
  public FlushDuty replace(long slot, long seen, long pte) {
    if (!change(slot, seen, pte)) {
      return FlushDuty.NONE;
    }
    noteChange(slot);
    return FlushDuty.OWED;
  }

  /**
   * Takes an entry of the lowest level out; the caller owes a flush. The caller holds the table's
   * lock. Linux counterpart: {@code ptep_get_and_clear}.
   *
   * @param slot where it lies
   * @return the entry, with every mark that an MMU has made
   */
  public long take(long slot) {
    return exchange(slot, layout.empty());
  }

  private long exchange(long slot, long pte) {
    long old;
    if (mmus == null) {
      old = get(slot);
      set(slot, pte);
    } else {
      old = (long) ENTRY.getAndSet(window, slot, pte);
      noteChange(slot);
    }
    return old;
  }

  /**
   * Empties an entry of the lowest level. The caller holds the table's lock.
   *
   * @param slot where it lies
   * @return the flush that the caller owes
   */
  public FlushDuty clear(long slot) {
    take(slot);
    return FlushDuty.OWED;
  }

  /**
   * Empties an entry. The caller holds the table's lock.
   *
   * @param slot where it lies
   * @param level its level
   * @return the flush that the caller owes
   */
  public FlushDuty clear(long slot, Level level) {
    exchange(slot, layout.empty(level));
    return FlushDuty.OWED;
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

  /** {@return a new block, for one thread, for handling many entries at once} */
  public EntryBlock block() {
    return new EntryBlock(this, window);
  }

  /**
   * Finds the entry that translates an address: one of the lowest level, or a huge leaf above it.
   * Linux counterpart: {@code follow_page}'s descent (mm/memory.c).
   *
   * @param va a virtual address below the layout's limit
   * @param walk receives slot, entry and level
   * @return true if there is a slot at the lowest level, empty or not, or a huge leaf; false where
   *     a table is missing, and then {@code walk} holds the entry in its place
   */
  public boolean walk(long va, Walk walk) {
    long table = root();
    long last = NO_SLOT;
    for (Level level = layout.top(); level != Level.PTE; level = level.below()) {
      long slot = (table << Pages.SHIFT) + layout.slot(va, level);
      long entry = get(slot);
      if (!layout.isTable(entry)) {
        walk.set(va, slot, entry, level, level == Level.PMD ? slot : NO_SLOT);
        return layout.isHugeLeaf(entry, level);
      }
      table = layout.pfn(entry);
      last = slot;
    }
    long slot = (table << Pages.SHIFT) + layout.slot(va, Level.PTE);
    walk.set(va, slot, get(slot), Level.PTE, last);
    return true;
  }

  /**
   * The same for a walker that goes on from its last walk: in the same table of PMDs it takes one
   * step, not a descent. Precondition: no table was freed since.
   *
   * @param va a virtual address below the layout's limit
   * @param walk where the last walk of this table ended, if there was one; receives the same as
   *     from {@link #walk}
   * @return as {@link #walk} does
   */
  public boolean walkOn(long va, Walk walk) {
    if (walk.pmd() == NO_SLOT || (va ^ walk.va()) >>> layout.shift(Level.PUD) != 0) {
      return walk(va, walk);
    }
    int shift = layout.shift(Level.PMD);
    long pmd = walk.pmd() + ((va >>> shift) - (walk.va() >>> shift) << 3);
    long entry = get(pmd);
    if (!layout.isTable(entry)) {
      walk.set(va, pmd, entry, Level.PMD, pmd);
      return layout.isHugeLeaf(entry, Level.PMD);
    }
    long slot = (layout.pfn(entry) << Pages.SHIFT) + layout.slot(va, Level.PTE);
    walk.set(va, slot, get(slot), Level.PTE, pmd);
    return true;
  }

  /**
   * Descends from the root as far as there are tables. Allocates nothing.
   *
   * @param va a virtual address below the layout's limit
   * @return a stop: the last slot with its level's number in the low bits, which are free; so at
   *     the lowest level the slot itself
   */
  public long descend(long va) {
    return descend(va, top(va));
  }

  /**
   * Goes on from a stop, as far as there are tables now.
   *
   * @param va the address
   * @param stop where a descent to the same address stopped; no table may have been freed since
   * @return a stop, the same one if nothing has changed there
   */
  public long descend(long va, long stop) {
    Level level = levelOf(stop);
    long slot = slotOf(stop);
    while (level != Level.PTE) {
      long entry = get(slot);
      if (!layout.isTable(entry)) {
        return slot | level.ordinal();
      }
      level = level.below();
      slot = (layout.pfn(entry) << Pages.SHIFT) + layout.slot(va, level);
    }
    return slot;
  }

  /** The stop at the root's entry for an address: no step is made yet. */
  private long top(long va) {
    return (root() << Pages.SHIFT) + layout.slot(va, layout.top()) | layout.top().ordinal();
  }

  /**
   * Returns the slot of a stop.
   *
   * @param stop what {@link #descend} returned
   * @return the byte offset of the entry in the window
   */
  public static long slotOf(long stop) {
    return stop & -8;
  }

  /**
   * Returns the level of a stop.
   *
   * @param stop what {@link #descend} returned
   * @return the level of the table that the slot is in
   */
  public static Level levelOf(long stop) {
    return Level.of((int) stop & 7);
  }

  /**
   * Finds the slot of the lowest level, or makes the tables that are missing. Linux counterpart:
   * {@code get_locked_pte} without the lock (mm/memory.c).
   *
   * @param va a virtual address below the layout's limit
   * @return the slot, {@link #NO_SLOT} if RAM for a table has run out (ENOMEM), or {@link #HUGE}
   * @throws IllegalStateException if a damaged entry is in the way
   */
  public long slotOrCreate(long va) {
    return slotOrCreate(va, Level.PTE);
  }

  /**
   * Finds the slot of a level, or makes the tables above it that are missing.
   *
   * @param va a virtual address below the layout's limit
   * @param target the level
   * @return the slot, {@link #NO_SLOT} if RAM for a table has run out (ENOMEM), or {@link #HUGE} if
   *     a leaf of a higher level covers the address
   * @throws IllegalStateException if a damaged entry is in the way
   */
  public long slotOrCreate(long va, Level target) {
    return slotOrCreate(va, target, top(va));
  }

  /**
   * The same from a stop on, without another descent.
   *
   * @param va a virtual address below the layout's limit
   * @param target the level, not above that of the stop
   * @param stop where a descent to the same address stopped; no table may have been freed since
   * @return as {@link #slotOrCreate(long, Level)} does
   * @throws IllegalStateException if a damaged entry is in the way
   */
  public long slotOrCreate(long va, Level target, long stop) {
    Level level = levelOf(stop);
    long slot = slotOf(stop);
    while (level != target) {
      long pte = get(slot);
      if (layout.isEmpty(pte, level)) {
        pte = install(slot, pte, level);
        if (layout.isEmpty(pte, level)) {
          return NO_SLOT;
        }
      }
      if (!layout.isTable(pte)) {
        if (layout.isHugeLeaf(pte, level)) {
          return HUGE;
        }
        throw new IllegalStateException(
            "address 0x%x: expected a table below the %s entry, found bad entry 0x%x"
                .formatted(va, level, pte));
      }
      level = level.below();
      slot = (layout.pfn(pte) << Pages.SHIFT) + layout.slot(va, level);
    }
    return slot;
  }

  /**
   * Replaces a special huge leaf by a table of smaller leaves that map the same. Walks see the one
   * or the other. The caller holds the lock of the table that the leaf is in.
   *
   * @param slot the leaf's slot
   * @param level its level
   * @return false if RAM for the table has run out (ENOMEM)
   */
  public boolean split(long slot, Level level) {
    Level below = level.below();
    long pfn = supply.allocateTable(layout.tablePages(below));
    if (pfn < 0) {
      return false;
    }
    long seen;
    do {
      seen = get(slot);
      long leaf = layout.firstBelow(seen, level);
      for (int i = 0; i < layout.entriesPerTable(below); i++) {
        set((pfn << Pages.SHIFT) + 8L * i, leaf + ((long) i << layout.shift(below)));
      }
    } while (!change(slot, seen, layout.table(pfn, level)));
    noteChange(slot);
    noteChange(pfn << Pages.SHIFT);
    return true;
  }

  /** Links a new table, or takes the one that another thread linked first. */
  private long install(long slot, long empty, Level level) {
    long pfn = newTable(level.below());
    if (pfn < 0) {
      return empty;
    }
    long entry = layout.table(pfn, level);
    if (compareAndSet(slot, empty, entry)) {
      noteChange(pfn << Pages.SHIFT);
      return entry;
    }
    supply.freeTable(pfn);
    return get(slot);
  }

  /**
   * Links a filled table of the lowest level, so that walks see all of it or none.
   *
   * @param pmd the slot of the PMD for its addresses
   * @param pfn its frame
   * @throws IllegalStateException if something is there already
   */
  public void link(long pmd, long pfn) {
    if (!compareAndSet(pmd, layout.empty(Level.PMD), layout.table(pfn, Level.PMD))) {
      throw new IllegalStateException(
          "PMD at 0x%x: expected an empty one, found 0x%x".formatted(pmd, get(pmd)));
    }
    noteChange(pfn << Pages.SHIFT);
  }

  /**
   * Takes a table of the lowest level out with its entries. Its page stays readable until the
   * caller has flushed and freed it.
   *
   * @param pmd the slot of the PMD that points at it
   * @return its frame
   */
  public long detach(long pmd) {
    return layout.pfn(exchange(pmd, layout.empty(Level.PMD)));
  }

  /**
   * Visits every leaf of a range that is not empty. A missing table costs one load.
   *
   * @param start the first address
   * @param end the address after the last, at most the layout's limit
   * @param visitor receives the entries
   * @throws IllegalArgumentException if an address is negative or past the limit
   */
  public void forEach(long start, long end, EntryVisitor visitor) {
    if (start < 0 || end > layout.addressLimit()) {
      throw new IllegalArgumentException(
          "range [0x%x, 0x%x): expected addresses from 0 to 0x%x"
              .formatted(start, end, layout.addressLimit()));
    }
    Traversal.entries(this, root, layout.top(), start, end, visitor);
  }

  /**
   * Takes out the tables of a mapping that no other mapping uses: those that cover only addresses
   * in a gap between mappings. The leaves in the gap must be empty. The pages stay readable until
   * the caller has flushed and freed them. Linux counterpart: {@code free_pgd_range} (mm/memory.c).
   *
   * @param mapped the addresses of the mapping
   * @param gap the addresses around them that are no longer mapped
   * @param detached receives the first frame of each table taken out
   */
  public void detachTables(AddrRange mapped, AddrRange gap, LongConsumer detached) {
    detachTables(root, layout.top(), mapped.start(), mapped.end(), gap, detached);
  }

  private void detachTables(
      long table, Level level, long start, long end, AddrRange gap, LongConsumer detached) {
    if (level == Level.PTE) {
      return;
    }
    long span = 1L << layout.shift(level);
    long slot = (table << Pages.SHIFT) + layout.slot(start, level);
    for (long va = start & -span; va < end; va += span, slot += 8) {
      long pte = get(slot);
      if (!layout.isTable(pte)) {
        continue;
      }
      long below = layout.pfn(pte);
      detachTables(
          below, level.below(), Math.max(start, va), Math.min(end, va + span), gap, detached);
      if (gap.start() <= va && va + span <= gap.end()) {
        exchange(slot, layout.empty(level));
        detached.accept(below);
      }
    }
  }

  /** {@return the number of frames of all tables, the root included} */
  public long countTables() {
    long[] count = {0};
    Traversal.tables(this, (pfn, level) -> count[0] += layout.tablePages(level));
    return count[0];
  }

  /**
   * Visits every table, the root included.
   *
   * @param visitor receives the first frame of each table
   */
  public void forEachTable(LongConsumer visitor) {
    Traversal.tables(this, (pfn, level) -> visitor.accept(pfn));
  }

  /**
   * Lets an MMU walk this table. The caller holds every lock under which entries change.
   *
   * @param mmu the MMU
   */
  public void attach(Mmu mmu) {
    Mmu[] now = mmus == null ? new Mmu[1] : Arrays.copyOf(mmus, mmus.length + 1);
    now[now.length - 1] = mmu;
    mmus = now;
    forEachTable(mmu::tableChanged);
  }

  /**
   * Notes that an MMU does not walk this table any more. The caller holds every lock under which
   * entries change.
   *
   * @param mmu the MMU
   */
  public void detach(Mmu mmu) {
    mmus = Arrays.stream(mmus).filter(each -> each != mmu).toArray(Mmu[]::new);
  }

  /** {@return whether an MMU is walking this table, or has} */
  public boolean hasMmu() {
    return mmus != null;
  }

  /** {@return whether an MMU is attached now} */
  public boolean isAttached() {
    return mmus != null && mmus.length > 0;
  }

  /** Flushes the MMUs that walk this table. */
  public void flushMmus() {
    if (mmus != null) {
      for (Mmu each : mmus) {
        each.flush();
      }
    }
  }

  /** Tells the MMUs that an entry was changed, or a page has become a table. */
  void noteChange(long slot) {
    if (mmus != null) {
      for (Mmu each : mmus) {
        each.tableChanged(slot >>> Pages.SHIFT);
      }
    }
  }

  /**
   * Frees every table, the root included. Precondition: no walker uses it any more, or each checks
   * the generation.
   */
  public void free() {
    List<Long> tables = new ArrayList<>();
    forEachTable(tables::add);
    tables.forEach(supply::freeTable);
  }
}
