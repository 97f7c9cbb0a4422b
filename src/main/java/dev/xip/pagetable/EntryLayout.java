package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.base.Pages;

/**
 * What the bits of an entry mean on one architecture. What every walk and every fault asks is plain
 * final masks here, so that asking costs no virtual call; what a mapping changes once is a method
 * of the architecture.
 */
public abstract class EntryLayout {
  /** The layout's number in the C ABI ({@code XIP_LAYOUT_*}). */
  private final int abiNumber;

  private final String name;

  /** An entry without any of these differences to {@link #emptyValue} is empty. */
  private final long emptyMask;

  private final long emptyValue;
  private final long validMask;
  private final long validValue;
  private final long specialMask;
  private final long pfnMask;
  private final int indexBits;
  private final Level top;

  /**
   * Takes the masks that hot paths use.
   *
   * @param name the architecture's name
   * @param abiNumber its number in the C ABI
   * @param emptyMask the bits that tell an empty entry
   * @param emptyValue their value in an empty entry, and the empty entry itself
   * @param validMask the bits that tell an entry that hardware may use
   * @param validValue their value in such an entry
   * @param specialMask the special bit, or 0 if the architecture has none
   * @param pfnMask the bits of the physical address
   * @param indexBits the number of address bits that each level takes
   * @param levels the number of levels
   */
  protected EntryLayout(
      String name,
      int abiNumber,
      long emptyMask,
      long emptyValue,
      long validMask,
      long validValue,
      long specialMask,
      long pfnMask,
      int indexBits,
      int levels) {
    this.name = name;
    this.abiNumber = abiNumber;
    this.emptyMask = emptyMask;
    this.emptyValue = emptyValue;
    this.validMask = validMask;
    this.validValue = validValue;
    this.specialMask = specialMask;
    this.pfnMask = pfnMask;
    this.indexBits = indexBits;
    this.top = Level.values()[levels - 1];
  }

  /**
   * Returns the architecture's name.
   *
   * @return such as {@code x86-64}
   */
  public final String name() {
    return name;
  }

  /**
   * Returns the number that C knows this layout by.
   *
   * @return one of {@code XIP_LAYOUT_*}
   */
  public final int abiNumber() {
    return abiNumber;
  }

  /**
   * Returns the entry that stands for nothing.
   *
   * @return the empty entry
   */
  public final long empty() {
    return emptyValue;
  }

  /**
   * Tells whether nothing was ever put there. Linux counterpart: {@code pte_none}.
   *
   * @param pte an entry
   * @return true if it is empty
   */
  public final boolean isEmpty(long pte) {
    return (pte & emptyMask) == emptyValue;
  }

  /**
   * Tells whether hardware may translate through an entry.
   *
   * @param pte an entry
   * @return true if it is present and accessible
   */
  public final boolean isValid(long pte) {
    return (pte & validMask) == validValue;
  }

  /**
   * Tells whether an entry says that no page frame may be touched. Linux counterpart: {@code
   * pte_special}.
   *
   * @param pte an entry
   * @return true if the special bit is set
   */
  public final boolean isSpecial(long pte) {
    return (pte & specialMask) != 0;
  }

  /**
   * Tells whether the architecture has a special bit at all.
   *
   * @return false if {@link #isSpecial} can never be true
   */
  public final boolean hasSpecialBit() {
    return specialMask != 0;
  }

  /**
   * Returns the frame that an entry points at. Linux counterpart: {@code pte_pfn}.
   *
   * @param pte a leaf or a table entry
   * @return the page frame number
   */
  public final long pfn(long pte) {
    return (pte & pfnMask) >>> Pages.SHIFT;
  }

  /**
   * Returns the physical address that an entry points at.
   *
   * @param pte a leaf of the lowest level, or a table entry
   * @return the physical address in bytes
   */
  public final long address(long pte) {
    return pte & pfnMask;
  }

  /**
   * Returns the root's level.
   *
   * @return the highest level
   */
  public final Level top() {
    return top;
  }

  /**
   * Returns the number of address bits below an entry of a level.
   *
   * @param level a level
   * @return log2 of the bytes that one entry covers
   */
  public final int shift(Level level) {
    return Pages.SHIFT + indexBits * level.ordinal();
  }

  /**
   * Returns the number of entries of one table.
   *
   * @return a power of two
   */
  public final int entriesPerTable() {
    return 1 << indexBits;
  }

  /**
   * Returns the byte offset, within its table, of the entry that decides about an address.
   *
   * @param va a virtual address
   * @param level the table's level
   * @return a multiple of 8
   */
  public final long slot(long va, Level level) {
    return (va >>> shift(level) & (entriesPerTable() - 1)) << 3;
  }

  /**
   * Returns the end of the user's addresses.
   *
   * @return the first address that cannot be mapped
   */
  public abstract long addressLimit();

  /**
   * Tells whether an entry above the lowest level is a huge leaf.
   *
   * @param pte a valid entry
   * @param level its level
   * @return true for a leaf, false for a table
   */
  public abstract boolean isHugeLeaf(long pte, Level level);

  /**
   * Makes the entry of an upper level that points at a table.
   *
   * @param tablePfn the table's frame
   * @return the entry
   */
  public abstract long table(long tablePfn);

  /**
   * Makes a leaf of the lowest level, young and clean. Linux counterpart: {@code pfn_pte}.
   *
   * @param pfn the page frame number
   * @param access what the mapping allows; a leaf without any right is not valid
   * @return the entry, without the special bit
   */
  public abstract long leaf(long pfn, Access access);

  /**
   * Sets the special bit. Linux counterpart: {@code pte_mkspecial}.
   *
   * @param pte an entry
   * @return the entry with the bit, or itself if the architecture has none
   */
  public final long withSpecial(long pte) {
    return pte | specialMask;
  }

  /**
   * Tells whether stores are allowed. Linux counterpart: {@code pte_write}.
   *
   * @param pte an entry
   * @return true if it is writable
   */
  public abstract boolean isWritable(long pte);

  /**
   * Tells whether instructions may be fetched.
   *
   * @param pte an entry
   * @return true if it is executable
   */
  public abstract boolean isExecutable(long pte);

  /**
   * Spells the bits out.
   *
   * @param pte an entry
   * @return the names of the bits that are set, lowest first, such as {@code PRESENT USER SPECIAL}
   */
  public abstract String describe(long pte);

  @Override
  public final String toString() {
    return name;
  }
}
