package dev.xip.pagetable;

import dev.xip.base.Pages;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Entries side by side in one table, gone over as a whole with plain loads and stores, of which the
 * compiler makes vector instructions. For one thread that holds the table's lock.
 *
 * <p>The lock orders what is loaded. A plain store of an aligned long is seen whole or not at all,
 * and what it publishes to walks without the lock is ordered by a fence before it ({@link #fill}),
 * is nothing ({@link #clear}) or lies in a table that nobody walks yet ({@link #copyForked}).
 */
public final class EntryBlock {
  private static final ValueLayout.OfLong ENTRY = ValueLayout.JAVA_LONG;

  private final MemorySegment window;
  private final EntryLayout layout;

  /** Whether every entry of the block that was looked at is special. */
  private boolean whole;

  /** The bits that all special entries of the block that was looked at have, ... */
  private long all;

  /** ... those that at least one of them has, ... */
  private long any;

  /** ... and the bits by which the others differ from empty ones. */
  private long other;

  EntryBlock(MemorySegment window, EntryLayout layout) {
    this.window = window;
    this.layout = layout;
  }

  /**
   * Looks at entries of a layout with a special bit, to answer the questions below.
   *
   * @param slot the first one's slot
   * @param count how many, at least 1, all in one table
   */
  public void look(long slot, int count) {
    MemorySegment entries = block(slot, count);
    long and = -1;
    long or = 0;
    for (int i = 0; i < count; i++) {
      long pte = entries.getAtIndex(ENTRY, i);
      and &= pte;
      or |= pte;
    }
    all = and;
    any = or;
    other = 0;
    whole = layout.isSpecial(and);
    if (!whole) {
      lookCloser(entries, count);
    }
  }

  /** The same where not every entry is special. */
  private void lookCloser(MemorySegment entries, int count) {
    int shift = layout.specialShift();
    long empty = layout.empty();
    long and = -1;
    long or = 0;
    long difference = 0;
    for (int i = 0; i < count; i++) {
      long pte = entries.getAtIndex(ENTRY, i);
      long special = -(pte >>> shift & 1);
      and &= pte | ~special;
      or |= pte & special;
      difference |= (pte ^ empty) & ~special;
    }
    all = and;
    any = or;
    other = difference;
  }

  /**
   * Tells whether every entry looked at is either special or the empty one.
   *
   * @return false if there is a single other one
   */
  public boolean isSpecialOrEmpty() {
    return other == 0;
  }

  /**
   * Tells whether an entry looked at is special.
   *
   * @return false if there is none
   */
  public boolean hasSpecial() {
    return any != 0;
  }

  /**
   * Tells whether no special entry looked at can be writable.
   *
   * @return true if some bit that a writable entry has, or lacks, says so for all of them
   */
  public boolean isNoneWritable() {
    return layout.isNoneWritable(all, any);
  }

  /**
   * Copies entries as a fork does, into a table that nobody walks yet: special ones become old, and
   * clean if asked for; empty ones stay empty. They are those that were looked at last, and all
   * special or empty.
   *
   * @param from the first one's slot
   * @param to where it goes
   * @param count how many, all in one table
   * @param clean whether the copies are clean as well
   */
  public void copyForked(long from, long to, int count, boolean clean) {
    // The changes are masks, so what they do to no bits and to all bits tells what they are.
    long sets = layout.withOld(clean ? layout.withClean(0) : 0);
    long keeps = layout.withOld(clean ? layout.withClean(-1) : -1);
    long empty = layout.empty();
    if (whole || (empty & keeps | sets) == empty) {
      // In two passes, both of vectors: for all the compiler knows the two tables overlap.
      MemorySegment copies = block(to, count).copyFrom(block(from, count));
      for (int i = 0; i < count; i++) {
        copies.setAtIndex(ENTRY, i, copies.getAtIndex(ENTRY, i) & keeps | sets);
      }
      return;
    }
    for (long at = 0; at < 8L * count; at += 8) {
      long pte = window.get(ENTRY, from + at);
      window.set(ENTRY, to + at, layout.isSpecial(pte) ? pte & keeps | sets : pte);
    }
  }

  /**
   * Puts leaves whose frames follow each other into those of the slots that are empty.
   *
   * @param slot the first one's slot
   * @param count how many, all in one table of the lowest level
   * @param first the leaf for the first slot, filled or not
   */
  public void fill(long slot, int count, long first) {
    // What the frames hold was written before: no walk may see an entry and not that.
    VarHandle.releaseFence();
    long pte = first;
    for (long at = slot; at < slot + 8L * count; at += 8, pte += Pages.SIZE) {
      if (layout.isEmpty(window.get(ENTRY, at))) {
        window.set(ENTRY, at, pte);
      }
    }
  }

  /**
   * Empties entries.
   *
   * @param slot the first one's slot
   * @param count how many, all in one table of the lowest level
   * @return what the caller owes
   */
  public FlushDuty clear(long slot, int count) {
    MemorySegment entries = block(slot, count);
    long empty = layout.empty();
    for (int i = 0; i < count; i++) {
      entries.setAtIndex(ENTRY, i, empty);
    }
    return FlushDuty.OWED;
  }

  private MemorySegment block(long slot, int count) {
    return window.asSlice(slot, 8L * count);
  }
}
