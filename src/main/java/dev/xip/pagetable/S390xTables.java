package dev.xip.pagetable;

import dev.xip.bindings.PteBits;

/**
 * The upper tables of s390x, which hardware defines and which did not change between 2008 and
 * today, but for one bit of software: 2048 entries in 16 KiB above 256 in 2 KiB.
 */
final class S390xTables {
  static final long INVALID = PteBits.XIP_S390X_UPPER_INVALID();
  static final long NOEXEC = PteBits.XIP_S390X_UPPER_NOEXEC();
  static final long PROTECT = PteBits.XIP_S390X_UPPER_PROTECT();
  static final long LARGE = PteBits.XIP_S390X_UPPER_LARGE();
  private static final long PMD = PteBits.XIP_S390X_PMD_TYPE();
  private static final long PUD = PteBits.XIP_S390X_PUD_TYPE();
  private static final long PGD = PteBits.XIP_S390X_PGD_TYPE();
  private static final long LENGTH = PteBits.XIP_S390X_REGION_LENGTH();

  private S390xTables() {}

  /**
   * The bits of upper entries.
   *
   * @param highestLeaf the highest level of huge leaves
   * @param present the bit of software that huge leaves and links to tables of the lowest level
   *     have, or 0
   */
  static EntryBits bits(Level highestLeaf, long present) {
    return new EntryBits()
        .geometry(
            PteBits.XIP_S390X_PTE_INDEX_BITS(),
            PteBits.XIP_S390X_INDEX_BITS(),
            PteBits.XIP_S390X_VA_BITS())
        .leaves(highestLeaf, Level.PTE)
        .table(INVALID | LARGE, 0)
        .links(PMD | present, PUD | LENGTH, PGD | LENGTH)
        .emptyUpper(0, PMD | INVALID, PUD | INVALID, PGD | INVALID)
        .huge(INVALID | LARGE | present, LARGE | present)
        .untouchableHuge(INVALID | LARGE | present, INVALID | LARGE | present)
        .address(PteBits.XIP_S390X_PFN_MASK());
  }

  /** The bits that make an entry a huge leaf of its level. */
  static long hugeType(Level level) {
    return LARGE | (level == Level.PMD ? PMD : PUD);
  }
}
