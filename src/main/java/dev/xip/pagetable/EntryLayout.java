package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import java.util.StringJoiner;

/**
 * The meaning of the bits of an entry on one architecture. The queries of walks and faults use
 * final masks in this class, so that they cost no virtual call; most changes of an entry are
 * methods of the architecture. Unless a level is named, an entry is one of the lowest level.
 *
 * <p>Entries are values: a method that changes one returns the new entry and writes nothing.
 * Invariant: no change but {@link #withSpecial} touches the special bit, and none touches the frame
 * number.
 */
public abstract class EntryLayout extends TableLayout {
  private final String name;

  /** The layout's number in the C ABI ({@code XIP_LAYOUT_*}). */
  private final int abiNumber;

  private final long emptyMask;
  private final long emptyValue;
  private final long presentMask;
  private final long presentValue;
  private final long otherPresentMask;
  private final long otherPresentValue;
  private final long validMask;
  private final long validValue;
  private final long specialMask;
  private final long devmapMask;
  private final long writableMask;
  private final long writableValue;
  private final long executableMask;
  private final long executableValue;
  private final long youngMask;
  private final long dirtyMask;
  private final long hardwareDirtyMask;
  private final long hardwareDirtyValue;
  private final long oldClears;
  private final long oldSets;
  private final long cleanClears;
  private final long cleanSets;
  private final long changeMask;
  private final long smallClears;
  private final long smallSets;
  private final Level highestSpecial;

  /**
   * Takes the masks that hot paths use.
   *
   * @param name the architecture's name
   * @param abiNumber its number in the C ABI
   * @param bits its bits
   */
  EntryLayout(String name, int abiNumber, EntryBits bits) {
    super(bits);
    this.name = name;
    this.abiNumber = abiNumber;
    emptyMask = bits.empty.mask();
    emptyValue = bits.empty.value();
    presentMask = bits.present.mask();
    presentValue = bits.present.value();
    otherPresentMask = bits.otherPresent.mask();
    otherPresentValue = bits.otherPresent.value();
    validMask = bits.valid.mask();
    validValue = bits.valid.value();
    specialMask = bits.special;
    devmapMask = bits.devmap;
    writableMask = bits.writable.mask();
    writableValue = bits.writable.value();
    executableMask = bits.executable.mask();
    executableValue = bits.executable.value();
    youngMask = bits.young;
    dirtyMask = bits.dirty;
    hardwareDirtyMask = bits.hardwareDirty.mask();
    hardwareDirtyValue = bits.hardwareDirty.value();
    oldClears = bits.old.clears();
    oldSets = bits.old.sets();
    cleanClears = bits.clean.clears();
    cleanSets = bits.clean.sets();
    changeMask = bits.change;
    smallClears = bits.small.clears();
    smallSets = bits.small.sets();
    highestSpecial = bits.highestSpecial;
  }

  /** {@return the architecture's name, such as {@code x86-64}} */
  public final String name() {
    return name;
  }

  /** {@return the layout's number in the C ABI, one of {@code XIP_LAYOUT_*}} */
  public final int abiNumber() {
    return abiNumber;
  }

  /**
   * {@return log2 of the section size of the architecture's sparsemem in bytes} Linux counterpart:
   * {@code SECTION_SIZE_BITS}, with pages of 4 KiB.
   */
  public int sectionBits() {
    return 27;
  }

  /** {@return the empty entry of the lowest level, which need not be 0} */
  public final long empty() {
    return emptyValue;
  }

  /**
   * Tells whether an entry is empty. Linux counterpart: {@code pte_none}.
   *
   * @param pte an entry
   * @return true if it is empty
   */
  public final boolean isEmpty(long pte) {
    return (pte & emptyMask) == emptyValue;
  }

  /**
   * Tells whether there is neither a leaf nor a table. Linux counterpart: {@code pte_none}, {@code
   * pmd_none} and its like.
   *
   * @param entry an entry
   * @param level the level of the table that it is in
   * @return true if it is empty
   */
  public final boolean isEmpty(long entry, Level level) {
    return level == Level.PTE ? isEmpty(entry) : isEmptyUpper(entry, level);
  }

  /**
   * Tells whether an entry maps a page, even one without access rights (PROT_NONE) or one whose
   * next use traps. Linux counterpart: {@code pte_present}.
   *
   * @param pte an entry
   * @return true if it is a leaf
   */
  public final boolean isPresent(long pte) {
    return (pte & presentMask) == presentValue || (pte & otherPresentMask) == otherPresentValue;
  }

  /**
   * Tells whether hardware may translate through an entry. Not every present entry is valid.
   *
   * @param pte an entry
   * @return true if a load goes through without a fault
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

  /** The number of the special bit, lowest first. */
  final int specialShift() {
    return Long.numberOfTrailingZeros(specialMask);
  }

  /**
   * Tells whether the architecture has a special bit at all. Linux counterpart: {@code
   * CONFIG_ARCH_HAS_PTE_SPECIAL}.
   *
   * @return false if {@link #isSpecial} can never be true
   */
  public final boolean hasSpecialBit() {
    return specialMask != 0;
  }

  /**
   * Tells whether leaves of a level can be special. Linux counterpart: {@code
   * CONFIG_ARCH_SUPPORTS_PMD_PFNMAP} and its like for the PUD.
   *
   * @param level a level
   * @return false if {@link #isSpecial(long, Level)} can never be true there
   */
  public final boolean hasSpecialBit(Level level) {
    return specialMask != 0 && level.compareTo(highestSpecial) <= 0;
  }

  /**
   * Tells whether a leaf of any level says that no page frame may be touched. Linux counterpart:
   * {@code pmd_special}, {@code pud_special}.
   *
   * @param pte a leaf
   * @param level its level
   * @return true if leaves of the level have a special bit and it is set
   */
  public final boolean isSpecial(long pte, Level level) {
    return isSpecial(pte) && level.compareTo(highestSpecial) <= 0;
  }

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
   * Sets the special bit of a leaf of any level. Linux counterpart: {@code pmd_mkspecial}.
   *
   * @param pte a leaf
   * @param level its level
   * @return the leaf with the bit, or itself if leaves of the level have none
   */
  public final long withSpecial(long pte, Level level) {
    return hasSpecialBit(level) ? pte | specialMask : pte;
  }

  /**
   * Tells whether the architecture has a bit for page frames that a device brought along. Linux
   * counterpart: {@code CONFIG_ARCH_HAS_PTE_DEVMAP} (4.5 to 6.16).
   *
   * @return false if {@link #isDevmap} can never be true
   */
  public final boolean hasDevmapBit() {
    return devmapMask != 0;
  }

  /**
   * Tells whether an entry is special, but for a page frame that a device brought along: one that
   * may be held while the device is there, and is not counted by entries. Linux counterpart: {@code
   * pte_devmap}.
   *
   * @param pte an entry
   * @return true if the devmap bit is set
   */
  public final boolean isDevmap(long pte) {
    return (pte & devmapMask) != 0;
  }

  /**
   * Sets the devmap bit and the special bit. Linux counterpart: {@code pte_mkdevmap}.
   *
   * @param pte an entry
   * @return the entry with both, or with those that the architecture has
   */
  public final long withDevmap(long pte) {
    return pte | devmapMask | specialMask;
  }

  /**
   * Returns an entry that maps nothing and says that its address is guarded: the special bit in an
   * entry that is not present. Linux makes a swap entry for it, whose type depends on the
   * configuration. Linux counterpart: {@code make_pte_marker(PTE_MARKER_GUARD)}.
   *
   * @return the entry, or an empty one if the layout has none
   */
  public final long guard() {
    long guard = withSpecial(empty());
    return isEmpty(guard) ? empty() : guard;
  }

  /**
   * Tells whether an entry says that its address is guarded. Linux counterpart: {@code
   * is_guard_pte_marker}.
   *
   * @param pte an entry
   * @return true if it is neither present nor empty, and special
   */
  public final boolean isGuard(long pte) {
    return isSpecial(pte) && !isPresent(pte) && !isEmpty(pte);
  }

  /**
   * Tells whether stores are allowed. Hardware may still trap the first store to set the dirty
   * state. Linux counterpart: {@code pte_write}.
   *
   * @param pte a present entry
   * @return true if it is writable
   */
  public final boolean isWritable(long pte) {
    return (pte & writableMask) == writableValue;
  }

  /**
   * Tells whether none of several entries can be writable.
   *
   * @param all the bits that all of them have
   * @param any the bits that at least one of them has
   */
  final boolean isNoneWritable(long all, long any) {
    return ((all & ~writableValue | ~any & writableValue) & writableMask) != 0;
  }

  /**
   * Tells whether instructions may be fetched.
   *
   * @param pte a present entry
   * @return true if it is executable
   */
  public final boolean isExecutable(long pte) {
    return (pte & executableMask) == executableValue;
  }

  /**
   * Tells whether the page was used since {@link #withOld}. Linux counterpart: {@code pte_young}.
   *
   * @param pte a present entry
   * @return true if it was; always false where the architecture does not track it
   */
  public final boolean isYoung(long pte) {
    return (pte & youngMask) != 0;
  }

  /**
   * Tells whether the page was written since {@link #withClean}. Linux counterpart: {@code
   * pte_dirty}.
   *
   * @param pte a present entry
   * @return true if it was; always false where the architecture does not track it
   */
  public final boolean isDirty(long pte) {
    return (pte & dirtyMask) != 0 || (pte & hardwareDirtyMask) == hardwareDirtyValue;
  }

  /**
   * Makes a leaf of the lowest level, young and clean. Linux counterpart: {@code pfn_pte}.
   *
   * @param pfn the page frame number
   * @param access what the mapping allows; a leaf without any right is present but not valid, and
   *     one with any right can be read
   * @return the entry, without the special bit
   */
  public final long leaf(long pfn, Access access) {
    return pfn << Pages.SHIFT | protection(access);
  }

  /**
   * Returns the bits for rights, young and clean. Linux counterpart: {@code vm_get_page_prot}.
   *
   * @param access the rights
   * @return a leaf without a frame
   */
  abstract long protection(Access access);

  /**
   * Gives an entry other rights and keeps all other state, the special bit included. Linux
   * counterpart: {@code pte_modify}.
   *
   * @param pte a present entry
   * @param access what the mapping allows from now on
   * @return the entry with those rights
   */
  public final long modify(long pte, Access access) {
    return settle(pte, pte & changeMask | protection(access) & ~changeMask);
  }

  /** Sets the bits that depend both on kept state and on new rights. */
  abstract long settle(long old, long modified);

  /**
   * Allows stores. Linux counterpart: {@code pte_mkwrite}.
   *
   * @param pte a present entry
   * @return the entry, writable
   */
  public abstract long withWrite(long pte);

  /**
   * Forbids stores and keeps the dirty state. Linux counterpart: {@code pte_wrprotect}.
   *
   * @param pte a present entry
   * @return the entry, not writable and as dirty as before
   */
  public abstract long withoutWrite(long pte);

  /**
   * Marks the page as used. Linux counterpart: {@code pte_mkyoung}.
   *
   * @param pte a present entry
   * @return the entry, young; itself where the architecture does not track it
   */
  public abstract long withYoung(long pte);

  /**
   * Marks the page as not used. Linux counterpart: {@code pte_mkold}.
   *
   * @param pte a present entry
   * @return the entry, old; itself where the architecture does not track it
   */
  public final long withOld(long pte) {
    return pte & ~oldClears | oldSets;
  }

  /**
   * Marks the page as written. Linux counterpart: {@code pte_mkdirty}.
   *
   * @param pte a present entry
   * @return the entry, dirty; itself where the architecture does not track it
   */
  public abstract long withDirty(long pte);

  /**
   * Marks the page as not written. Linux counterpart: {@code pte_mkclean}.
   *
   * @param pte a present entry
   * @return the entry, clean; itself where the architecture does not track it
   */
  public final long withClean(long pte) {
    return pte & ~cleanClears | cleanSets;
  }

  /**
   * Tells whether hardware may translate through a leaf of any level.
   *
   * @param pte a leaf
   * @param level its level
   * @return true if a load goes through without a fault
   */
  public final boolean isValid(long pte, Level level) {
    return level == Level.PTE ? isValid(pte) : isValidHuge(pte);
  }

  /**
   * Makes a leaf above the lowest level, young and clean. Linux counterpart: {@code pfn_pmd}.
   *
   * @param pfn its first frame, a multiple of its size in pages
   * @param access what the mapping allows
   * @param level its level
   * @return the entry, without the special bit
   * @throws IllegalArgumentException if the level has no huge leaves or the frame is not aligned
   */
  public final long hugeLeaf(long pfn, Access access, Level level) {
    long pages = 1L << (shift(level) - Pages.SHIFT);
    if (level == Level.PTE || !hasLeaves(level) || (pfn & (pages - 1)) != 0) {
      throw new IllegalArgumentException(
          "%s leaf of %s at pfn 0x%x: expected a level of huge leaves and a multiple of 0x%x"
              .formatted(level, name, pfn, pages));
    }
    return pfn << Pages.SHIFT | hugeProtection(access, level);
  }

  /**
   * Gives a huge leaf that is special other rights, as {@link #modify(long, Access)} does. Where
   * huge leaves can be special, young, old, clean and writable are the same bits as in leaves of
   * the lowest level. Linux counterpart: {@code pmd_modify}.
   *
   * @param pte a huge leaf
   * @param access what the mapping allows from now on
   * @param level its level
   * @return the leaf with those rights
   */
  public final long modify(long pte, Access access, Level level) {
    return settle(pte, pte & changeMask | hugeProtection(access, level) & ~changeMask);
  }

  /**
   * Returns the first of the leaves one level below into which a special huge leaf is split. Linux
   * counterpart: {@code __split_huge_pmd_locked} (mm/huge_memory.c).
   *
   * @param pte a huge leaf
   * @param level its level
   * @return the leaf of the first page, or of the first part if that is huge as well
   */
  final long firstBelow(long pte, Level level) {
    return level == Level.PMD ? pte & ~smallClears | smallSets : pte;
  }

  /** Returns the bits for rights at the level of a huge leaf, with the bits that make it a leaf. */
  abstract long hugeProtection(Access access, Level level);

  /**
   * Names the bits of a leaf of the lowest level.
   *
   * @param pte an entry
   * @return the names of the bits that are set, lowest first, such as {@code PRESENT USER SPECIAL}
   */
  public abstract String describe(long pte);

  /** Adds a name if any bit of a mask is set. */
  static void name(StringJoiner bits, long pte, long mask, String name) {
    if ((pte & mask) != 0) {
      bits.add(name);
    }
  }

  @Override
  public final String toString() {
    return name;
  }
}
