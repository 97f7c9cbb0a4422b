package dev.xip.pagetable;

import dev.xip.base.Pages;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Contiguous entries of one table, handled together with plain loads and stores, which the compiler
 * turns into vector instructions. For one thread that holds the table's lock.
 *
 * <p>The lock orders the loads. A plain store of an aligned long is atomic. Walkers without the
 * lock see the contents of the frames before the entry because of a fence before the stores ({@link
 * #fill}); {@link #clear} publishes nothing; {@link #copyForked} writes a table that is not linked
 * yet. An {@link Mmu} changes no empty entry; present ones are taken out one by one if it may be
 * using them.
 */
public final class EntryBlock {
  private static final ValueLayout.OfLong ENTRY = ValueLayout.JAVA_LONG;

  private final PageTable table;
  private final MemorySegment window;
  private final EntryLayout layout;

  /** Whether every entry of the block that was looked at is special. */
  private boolean whole;

  /** The bits that all special entries of that block have, ... */
  private long all;

  /** ... those that at least one of them has, ... */
  private long any;

  /** ... and the bits by which the others differ from empty ones. */
  private long other;

  EntryBlock(PageTable table, MemorySegment window) {
    this.table = table;
    this.window = window;
    this.layout = table.layout();
  }

  /**
   * Examines entries of a layout with a special bit; the queries below answer about them.
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
      lookAtEach(entries, count);
    }
  }

  /** The same if not every entry is special. */
  private void lookAtEach(MemorySegment entries, int count) {
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

  /** {@return whether every entry examined is special or empty} */
  public boolean isSpecialOrEmpty() {
    return other == 0;
  }

  /** {@return whether any entry examined is special} */
  public boolean hasSpecial() {
    return any != 0;
  }

  /**
   * {@return true if some bit that a writable entry has, or lacks, shows that no special entry
   * examined is writable}
   */
  public boolean isNoneWritable() {
    return layout.isNoneWritable(all, any);
  }

  /**
   * Copies entries for a fork into a table that is not linked yet: special ones become old, and
   * clean if asked for; empty ones stay empty. Precondition: they are the entries examined last,
   * and all special or empty.
   *
   * @param from the first one's slot
   * @param to where it goes
   * @param count how many, all in one table
   * @param clean whether the copies are clean as well
   */
  public void copyForked(long from, long to, int count, boolean clean) {
    // The changes are masks; applying them to no bits and to all bits yields the masks.
    long sets = layout.withOld(clean ? layout.withClean(0) : 0);
    long keeps = layout.withOld(clean ? layout.withClean(-1) : -1);
    long empty = layout.empty();
    if (whole || (empty & keeps | sets) == empty) {
      // Two passes, as the compiler would not vectorise one: the two tables could overlap.
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
   * Puts leaves of contiguous frames into those slots that are empty.
   *
   * @param slot the first one's slot
   * @param count how many, all in one table of the lowest level
   * @param first the leaf for the first slot, also if that is not empty
   */
  public void fill(long slot, int count, long first) {
    // The frames were written before: a walker that sees an entry must see their contents.
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
   * @return the flush that the caller owes
   */
  public FlushDuty clear(long slot, int count) {
    if (table.hasMmu()) {
      for (long at = slot; at < slot + 8L * count; at += 8) {
        table.take(at);
      }
      return FlushDuty.OWED;
    }
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
