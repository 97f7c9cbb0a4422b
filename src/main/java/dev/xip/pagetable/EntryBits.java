package dev.xip.pagetable;

/**
 * The bits of one architecture, as a table of patterns that its layout fills in by name; C's
 * counterpart is {@code struct xip_layout} (native/tables.h). The layout copies the longs into
 * final fields of its own: a test through a pattern would cost one more load for each entry of a
 * walk.
 */
final class EntryBits {
  /** An entry matches if its masked bits have this value. */
  record Pattern(long mask, long value) {}

  /** The bits that a change of state clears and sets. */
  record Change(long clears, long sets) {}

  private static final Pattern NEVER = new Pattern(0, 1);
  private static final Change NO_CHANGE = new Change(0, 0);

  /** Address bits that index a table of the lowest level, and one of any other. */
  int lowestIndexBits;

  int upperIndexBits;

  /** The user's addresses are those below {@code 1 << addressBits}. */
  int addressBits;

  /** The highest level that may hold a leaf, and the highest whose leaves may be special. */
  Level highestLeaf;

  Level highestSpecial;

  /** An entry of an upper level that points at a table. */
  Pattern table;

  /** The bits of such an entry beside the table's address, by level. */
  long[] links;

  /** The empty entry of each upper level, and the bits that may be set in it all the same. */
  long[] emptyUpper;

  long emptyUpperIgnored;

  /** An entry of an upper level that is a leaf: one that hardware uses, one without any access. */
  Pattern huge;

  Pattern untouchableHuge;

  /** Turns a special huge leaf into a leaf of a page. */
  Change small = NO_CHANGE;

  Pattern empty;

  /** An entry of the lowest level is present if it matches one of these two. */
  Pattern present;

  Pattern otherPresent;

  /** A present entry that hardware uses. */
  Pattern valid;

  /** 0 if the architecture has no special bit. */
  long special;

  /** 0 if the architecture has no bit for the page frames of devices. */
  long devmap;

  Pattern writable;

  Pattern executable;

  /**
   * Any of these bits marks an entry as young, or dirty; 0 if the architecture does not track it.
   */
  long young;

  long dirty;

  /** A second pattern of dirty entries. */
  Pattern hardwareDirty = NEVER;

  /** Make an entry old, or clean; no change if the architecture does not track it. */
  Change old = NO_CHANGE;

  Change clean = NO_CHANGE;

  /** The bits of the physical address. */
  long address;

  /** The bits of the old entry that {@code modify} keeps. */
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
    table = new Pattern(mask, value);
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
    huge = new Pattern(mask, value);
    return this;
  }

  EntryBits small(long clears, long sets) {
    small = new Change(clears, sets);
    return this;
  }

  EntryBits untouchableHuge(long mask, long value) {
    untouchableHuge = new Pattern(mask, value);
    return this;
  }

  EntryBits empty(long mask, long value) {
    empty = new Pattern(mask, value);
    return this;
  }

  EntryBits present(long mask, long value) {
    present = new Pattern(mask, value);
    return this;
  }

  EntryBits otherPresent(long mask, long value) {
    otherPresent = new Pattern(mask, value);
    return this;
  }

  EntryBits valid(long mask, long value) {
    valid = new Pattern(mask, value);
    return this;
  }

  EntryBits special(long bit) {
    special = bit;
    return this;
  }

  EntryBits devmap(long bit) {
    devmap = bit;
    return this;
  }

  EntryBits writable(long mask, long value) {
    writable = new Pattern(mask, value);
    return this;
  }

  EntryBits executable(long mask, long value) {
    executable = new Pattern(mask, value);
    return this;
  }

  EntryBits state(long young, long dirty) {
    this.young = young;
    this.dirty = dirty;
    return this;
  }

  EntryBits old(long clears, long sets) {
    old = new Change(clears, sets);
    return this;
  }

  EntryBits clean(long clears, long sets) {
    clean = new Change(clears, sets);
    return this;
  }

  EntryBits hardwareDirty(long mask, long value) {
    hardwareDirty = new Pattern(mask, value);
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
