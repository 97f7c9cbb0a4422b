package dev.xip.pagetable;

/**
 * The bits of one architecture, named one by one while its layout is made; the layout copies them
 * into final fields. A pattern is a mask and the value that the masked bits must have.
 */
final class EntryBits {
  /** Address bits that index a table of the lowest level, and one of any other. */
  int lowestIndexBits;

  int upperIndexBits;

  /** The user's addresses are those below {@code 1 << addressBits}. */
  int addressBits;

  /** The highest level that may hold a leaf, and the highest whose leaves may be special. */
  Level highestLeaf;

  Level highestSpecial;

  /** What an entry of an upper level must match to point at a table. */
  long tableMask;

  long tableValue;

  /** What such an entry carries beside the table's address, by level. */
  long[] links;

  /** The empty entry of each upper level, and the bits that may be set in it all the same. */
  long[] emptyUpper;

  long emptyUpperIgnored;

  /** What an entry of an upper level must match to be a leaf that hardware uses. */
  long hugeMask;

  long hugeValue;

  /** What a huge leaf that may be special loses and gets when it becomes one of a page. */
  long smallClears;

  long smallSets;

  /** What it must match to be a leaf that nobody may touch. */
  long untouchableHugeMask;

  long untouchableHugeValue;

  long emptyMask;
  long emptyValue;

  /** An entry of the lowest level is present if it matches one of these two patterns. */
  long presentMask;

  long presentValue;
  long otherPresentMask;
  long otherPresentValue;

  long validMask;
  long validValue;

  /** 0 if the architecture has no special bit. */
  long special;

  long writableMask;
  long writableValue;

  /** The bit whose presence forbids instruction fetches, or 0. */
  long noExecute;

  /** Any of these tells a young or a dirty entry; 0 if entries do not know. */
  long young;

  long dirty;

  /** A pattern that tells a dirty entry as well; this one never matches. */
  long hardwareDirtyMask;

  long hardwareDirtyValue = 1;

  /** What an entry that becomes old, or clean, loses and gets; 0 if entries do not know. */
  long oldClears;

  long oldSets;
  long cleanClears;
  long cleanSets;

  /** The bits of the physical address. */
  long address;

  /** What {@code modify} keeps of the old entry. */
  long change;

  EntryBits geometry(int lowestIndexBits, int upperIndexBits, int addressBits) {
    this.lowestIndexBits = lowestIndexBits;
    this.upperIndexBits = upperIndexBits;
    this.addressBits = addressBits;
    return this;
  }

  EntryBits leaves(Level highestLeaf, Level highestSpecial) {
    this.highestLeaf = highestLeaf;
    this.highestSpecial = highestSpecial;
    return this;
  }

  EntryBits table(long mask, long value) {
    tableMask = mask;
    tableValue = value;
    return this;
  }

  EntryBits links(long pmd, long pud, long pgd) {
    links = new long[] {0, pmd, pud, pgd};
    return this;
  }

  EntryBits emptyUpper(long ignored, long pmd, long pud, long pgd) {
    emptyUpperIgnored = ignored;
    emptyUpper = new long[] {0, pmd, pud, pgd};
    return this;
  }

  EntryBits huge(long mask, long value) {
    hugeMask = mask;
    hugeValue = value;
    return this;
  }

  EntryBits small(long clears, long sets) {
    smallClears = clears;
    smallSets = sets;
    return this;
  }

  EntryBits untouchableHuge(long mask, long value) {
    untouchableHugeMask = mask;
    untouchableHugeValue = value;
    return this;
  }

  EntryBits empty(long mask, long value) {
    emptyMask = mask;
    emptyValue = value;
    return this;
  }

  EntryBits present(long mask, long value) {
    presentMask = mask;
    presentValue = value;
    return this;
  }

  EntryBits otherPresent(long mask, long value) {
    otherPresentMask = mask;
    otherPresentValue = value;
    return this;
  }

  EntryBits valid(long mask, long value) {
    validMask = mask;
    validValue = value;
    return this;
  }

  EntryBits special(long bit) {
    special = bit;
    return this;
  }

  EntryBits writable(long mask, long value) {
    writableMask = mask;
    writableValue = value;
    return this;
  }

  EntryBits noExecute(long bit) {
    noExecute = bit;
    return this;
  }

  EntryBits state(long young, long dirty) {
    this.young = young;
    this.dirty = dirty;
    return this;
  }

  EntryBits old(long clears, long sets) {
    oldClears = clears;
    oldSets = sets;
    return this;
  }

  EntryBits clean(long clears, long sets) {
    cleanClears = clears;
    cleanSets = sets;
    return this;
  }

  EntryBits hardwareDirty(long mask, long value) {
    hardwareDirtyMask = mask;
    hardwareDirtyValue = value;
    return this;
  }

  EntryBits address(long mask) {
    address = mask;
    return this;
  }

  EntryBits change(long mask) {
    change = mask;
    return this;
  }
}
