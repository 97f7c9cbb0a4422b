package dev.xip.pagetable;

import java.util.Arrays;

/**
 * Finds physically contiguous runs of pages, from a leaf outwards and across tables and levels.
 * Caches recent tables of the lowest level, so that most walks read one entry. For one thread; does
 * not allocate.
 *
 * <p>Like any walk it takes no lock: a result is valid only if the address space's generation has
 * not moved since before the walk. A caller that sees it move calls {@link #forget}.
 */
public final class RunWalk {
  private static final int TABLES = 64;
  private static final long NOTHING = -1;

  private final PageTable table;
  private final EntryLayout layout;
  private final int tableShift;
  private final Walk walk = new Walk();

  /**
   * Direct-mapped cache of tables: the part of the address space that each covers, and its first
   * slot.
   */
  private final long[] parts = new long[TABLES];

  private final long[] tables = new long[TABLES];

  private long start;
  private long end;

  private long distance;

  /** The leaf that the run was last extended by. */
  private long slot;

  private long pte;
  private Level level;

  /**
   * Makes one.
   *
   * @param table the table to walk
   */
  public RunWalk(PageTable table) {
    this.table = table;
    this.layout = table.layout();
    this.tableShift = layout.shift(Level.PMD);
    forget();
  }

  /** Empties the cache of tables: one of them may have been freed. */
  public void forget() {
    Arrays.fill(parts, NOTHING);
  }

  /**
   * Finds the leaf that an address is translated by.
   *
   * @param va a virtual address below the layout's limit
   * @return true if there is a valid one, which becomes the run
   * @throws IndexOutOfBoundsException if a table entry points past the window
   */
  public boolean find(long va) {
    if (!look(va)) {
      return false;
    }
    long bytes = leafBytes();
    start = va & -bytes;
    end = start + bytes;
    distance = (layout.address(pte) & -bytes) - start;
    return true;
  }

  /** Reads the leaf of an address; false if there is none or it is not valid. */
  private boolean look(long va) {
    long part = va >>> tableShift;
    int index = (int) part & TABLES - 1;
    if (parts[index] == part) {
      slot = tables[index] + layout.slot(va, Level.PTE);
      pte = table.get(slot);
      level = Level.PTE;
      return layout.isValid(pte);
    }
    if (!table.walk(va, walk)) {
      return false;
    }
    slot = walk.slot();
    pte = walk.pte();
    level = walk.level();
    if (level == Level.PTE) {
      parts[index] = part;
      tables[index] = slot - layout.slot(va, Level.PTE);
    }
    return layout.isValid(pte, level);
  }

  private long leafBytes() {
    return 1L << layout.shift(level);
  }

  /**
   * Extends the run over the adjacent leaves, as long as they are contiguous.
   *
   * @param from extend it down to no address below this
   * @param to extend it up to no leaf from this address on
   * @param most extend it by at most so many leaves in each direction
   * @throws IndexOutOfBoundsException if a table entry points past the window
   */
  public void grow(long from, long to, long most) {
    long firstSlot = slot;
    long firstPte = pte;
    Level firstLevel = level;
    for (long left = most; left > 0 && end < to && extendUp(); left--) {
      end += leafBytes();
    }
    slot = firstSlot;
    pte = firstPte;
    level = firstLevel;
    for (long left = most; left > 0 && start > from && extendDown(); left--) {
      start -= leafBytes();
    }
  }

  private boolean extendUp() {
    long bytes = leafBytes();
    if (tableOffset(end) != 0) {
      long next = table.get(slot + 8);
      // The common case: the same rights, the next frame.
      if (next == pte + bytes) {
        slot += 8;
        pte = next;
        return true;
      }
    }
    return look(end) && place(end) == end + distance;
  }

  private boolean extendDown() {
    long bytes = leafBytes();
    if (tableOffset(start) != 0) {
      long before = table.get(slot - 8);
      if (before == pte - bytes) {
        slot -= 8;
        pte = before;
        return true;
      }
    }
    return look(start - 1) && place(start - 1) == start - 1 + distance;
  }

  /** The byte offset of an address's entry in its table at the current level. */
  private long tableOffset(long va) {
    return layout.slot(va, level);
  }

  /** The physical address behind a virtual one that the current leaf covers. */
  private long place(long va) {
    long bytes = leafBytes();
    return layout.address(pte) & -bytes | va & bytes - 1;
  }

  /** {@return the run's first virtual address} */
  public long start() {
    return start;
  }

  /** {@return the virtual address after the run} */
  public long end() {
    return end;
  }

  /**
   * {@return the physical address of each byte of the run less its virtual address; it need not be
   * inside the window}
   */
  public long distance() {
    return distance;
  }

  /** {@return the entry of the leaf that the run was found from or last extended by} */
  public long pte() {
    return pte;
  }
}
