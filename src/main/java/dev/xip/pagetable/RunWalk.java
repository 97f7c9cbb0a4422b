package dev.xip.pagetable;

import java.util.Arrays;

/**
 * Finds physically contiguous runs of pages, from a leaf outwards and across tables and levels.
 * Remembers the lowest tables that it went through, so that most walks read one entry. For one
 * thread; makes no garbage.
 *
 * <p>Like any walk it takes no lock: what it found was true only if the address space's generation
 * is still what it was before. Whoever sees it move calls {@link #forget}.
 */
public final class RunWalk {
  private static final int TABLES = 64;
  private static final long NOTHING = -1;

  private final PageTable table;
  private final EntryLayout layout;
  private final int tableShift;
  private final Walk walk = new Walk();

  /** The part of the address space that each remembered table covers, and its first slot. */
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

  /** Forgets the tables: one of them may have been freed. */
  public void forget() {
    Arrays.fill(parts, NOTHING);
  }

  /**
   * Finds the leaf that an address is translated by.
   *
   * @param va a virtual address below the layout's limit
   * @return true if there is one that a load may go through: it is the run, until {@link #grow}
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

  /** Reads the leaf of an address; false if there is none or no load may go through it. */
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
   * Extends the run over the leaves beside it, as long as they go on without a gap.
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
      // The commonest case by far: the same rights, the next frame.
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

  /** Where an address lies in what one table at the current level covers. */
  private long tableOffset(long va) {
    return layout.slot(va, level);
  }

  /** The physical address behind a virtual one that the current leaf covers. */
  private long place(long va) {
    long bytes = leafBytes();
    return layout.address(pte) & -bytes | va & bytes - 1;
  }

  /**
   * Returns where the run starts.
   *
   * @return its first virtual address
   */
  public long start() {
    return start;
  }

  /**
   * Returns where the run ends.
   *
   * @return the virtual address after its last
   */
  public long end() {
    return end;
  }

  /**
   * Returns where the run lies, which need not be inside the window.
   *
   * @return the physical address of each byte less its virtual address
   */
  public long distance() {
    return distance;
  }

  /**
   * Returns the entry of the leaf that the run was found from or last extended by.
   *
   * @return the entry
   */
  public long pte() {
    return pte;
  }
}
