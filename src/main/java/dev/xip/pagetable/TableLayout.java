package dev.xip.pagetable;

import dev.xip.base.Pages;
import dev.xip.bindings.PteBits;

/**
 * The geometry of the tables of one architecture: how many entries each level has, which address
 * bits index them, and whether an entry is a table, a huge leaf or empty.
 */
public abstract class TableLayout {
  private static final Level TOP = Level.values()[PteBits.XIP_LEVELS() - 1];

  private final int lowestIndexBits;
  private final int upperIndexBits;
  private final long addressLimit;
  private final long tableMask;
  private final long tableValue;
  private final long addressMask;
  private final long emptyUpperMask;
  private final long[] empty;
  private final long[] links;
  private final long hugeMask;
  private final long hugeValue;
  private final long untouchableHugeMask;
  private final long untouchableHugeValue;
  private final Level highestLeaf;

  /**
   * Takes the geometry.
   *
   * @param bits the architecture's bits
   */
  TableLayout(EntryBits bits) {
    lowestIndexBits = bits.lowestIndexBits;
    upperIndexBits = bits.upperIndexBits;
    addressLimit = 1L << bits.addressBits;
    tableMask = bits.table.mask();
    tableValue = bits.table.value();
    addressMask = bits.address;
    emptyUpperMask = ~bits.emptyUpperIgnored;
    empty = bits.emptyUpper.clone();
    empty[0] = bits.empty.value();
    links = bits.links;
    hugeMask = bits.huge.mask();
    hugeValue = bits.huge.value();
    untouchableHugeMask = bits.untouchableHuge.mask();
    untouchableHugeValue = bits.untouchableHuge.value();
    highestLeaf = bits.highestLeaf;
  }

  /** {@return the root's level} */
  public final Level top() {
    return TOP;
  }

  /** {@return the end of the user's addresses: the first that cannot be mapped} */
  public final long addressLimit() {
    return addressLimit;
  }

  /**
   * Returns the number of address bits below an entry of a level.
   *
   * @param level a level
   * @return log2 of the bytes that one entry covers
   */
  public final int shift(Level level) {
    int above = level.ordinal();
    return above == 0 ? Pages.SHIFT : Pages.SHIFT + lowestIndexBits + upperIndexBits * (above - 1);
  }

  private int indexBits(Level level) {
    return level == Level.PTE ? lowestIndexBits : upperIndexBits;
  }

  /**
   * Returns the number of entries of one table.
   *
   * @param level the table's level
   * @return a power of two
   */
  public final int entriesPerTable(Level level) {
    return 1 << indexBits(level);
  }

  /**
   * Returns the size of one table.
   *
   * @param level the table's level
   * @return the bytes that its entries take, a power of two
   */
  public final int tableBytes(Level level) {
    return entriesPerTable(level) << 3;
  }

  /**
   * Returns the frames that one table takes. A table smaller than a frame has one to itself.
   *
   * @param level the table's level
   * @return the number of contiguous frames
   */
  public final int tablePages(Level level) {
    return (int) Pages.covering(tableBytes(level));
  }

  /**
   * Returns the byte offset of an address's entry in its table.
   *
   * @param va a virtual address
   * @param level the table's level
   * @return a multiple of 8
   */
  public final long slot(long va, Level level) {
    return (va >>> shift(level) & (entriesPerTable(level) - 1)) << 3;
  }

  /**
   * Returns the empty entry. It need not be 0, nor the same at each level.
   *
   * @param level the level of the table that it is in
   * @return the empty entry
   */
  public final long empty(Level level) {
    return empty[level.ordinal()];
  }

  final boolean isEmptyUpper(long entry, Level level) {
    return ((entry ^ empty[level.ordinal()]) & emptyUpperMask) == 0;
  }

  /**
   * Tells whether an entry of an upper level points at a table.
   *
   * @param entry an entry of any level but the lowest
   * @return false if it is empty, a huge leaf or damaged
   */
  public final boolean isTable(long entry) {
    return (entry & tableMask) == tableValue;
  }

  /**
   * Makes the entry that points at a table.
   *
   * @param tablePfn the table's first frame
   * @param level the level of the table that the entry goes into, above the lowest
   * @return the entry
   */
  public final long table(long tablePfn, Level level) {
    return tablePfn << Pages.SHIFT | links[level.ordinal()];
  }

  /**
   * Tells whether leaves of a level exist.
   *
   * @param level a level
   * @return true for the lowest level and for those of huge leaves
   */
  public final boolean hasLeaves(Level level) {
    return level.compareTo(highestLeaf) <= 0;
  }

  /**
   * Tells whether an entry above the lowest level is a huge leaf, even one without access rights.
   * Linux counterpart: {@code pmd_leaf}, {@code pud_leaf}.
   *
   * @param pte an entry
   * @param level its level, above the lowest
   * @return true for a leaf; false for a table, an empty entry or one that is no leaf there
   */
  public final boolean isHugeLeaf(long pte, Level level) {
    return hasLeaves(level)
        && ((pte & hugeMask) == hugeValue || (pte & untouchableHugeMask) == untouchableHugeValue);
  }

  final boolean isValidHuge(long pte) {
    return (pte & hugeMask) == hugeValue;
  }

  /**
   * Returns the frame that an entry points at. Linux counterpart: {@code pte_pfn}.
   *
   * @param pte a leaf of the lowest level, or a table entry
   * @return the page frame number
   */
  public final long pfn(long pte) {
    return (pte & addressMask) >>> Pages.SHIFT;
  }

  /**
   * Returns the physical address that an entry points at.
   *
   * @param pte a leaf of the lowest level, or a table entry
   * @return the physical address in bytes
   */
  public final long address(long pte) {
    return pte & addressMask;
  }

  /**
   * Returns the first frame of a leaf of any level, whose low address bits may mean other things.
   *
   * @param pte a leaf
   * @param level its level
   * @return the page frame number, a multiple of the leaf's size in pages
   */
  public final long pfn(long pte, Level level) {
    return (pte & addressMask & -(1L << shift(level))) >>> Pages.SHIFT;
  }
}
