package dev.xip.vm;

import dev.xip.base.Errno;

/**
 * Behaviour in which releases of Linux differ. A machine keeps one set of rules from boot on; the
 * package's README explains each.
 *
 * <p>Lock held by the caller: none needed.
 *
 * @param forkWalksMixedMaps whether fork copies the entries of every mapping with MIXEDMAP (3.19),
 *     or leaves those without private copies for the child to fault in (2.6.26)
 * @param faultHoldsFileLock whether a fault keeps truncation out from its check of the file's size
 *     until it has inserted the entry (4.0); without, a fault can leave an entry for a block that
 *     was freed meanwhile (3.19 and before)
 * @param sparsePageGuarded whether the page that stands for holes is inserted under a mutex and a
 *     sequence count (2.6.27); without, it can outlive the hole (2.6.26)
 * @param faultAroundPages the size of the aligned group of pages that a read fault maps, as far as
 *     they lie in memory: a power of two, from 1 (the page itself) to {@value #MOST_FAULT_AROUND}
 * @param hugeLeaves whether one entry maps 2 MiB or 1 GiB of a file where the architecture has
 *     special leaves of that size; needs the special bit to decide about page frames
 */
public record Rules(
    boolean forkWalksMixedMaps,
    boolean faultHoldsFileLock,
    boolean sparsePageGuarded,
    int faultAroundPages,
    boolean hugeLeaves) {
  /** The number of entries of the smallest table of any architecture. */
  public static final int MOST_FAULT_AROUND = 256;

  /**
   * The default: 3.19 without its known race, with fault-around of 16 pages as for files in the
   * page cache since 3.15, and with huge leaves as for DAX since 4.5.
   */
  public static final Rules DEFAULT = new Rules(true, true, true, 16, true);

  /** The last release with filemap_xip. */
  public static final Rules LINUX_3_19 = new Rules(true, false, true, 1, false);

  /** The release that the special bit came with. */
  public static final Rules LINUX_2_6_26 = new Rules(false, false, false, 1, false);

  /**
   * Makes a set of rules.
   *
   * @throws IllegalArgumentException if the pages of a fault are no power of two or too many
   */
  public Rules {
    if (Integer.bitCount(faultAroundPages) != 1 || faultAroundPages > MOST_FAULT_AROUND) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "%d pages for a fault: expected a power of two, at most %d",
              faultAroundPages, MOST_FAULT_AROUND));
    }
  }

  /**
   * Changes how many pages a fault maps.
   *
   * @param pages a power of two; 1 for the page itself
   * @return the rules
   * @throws IllegalArgumentException if that is not so
   */
  public Rules withFaultAround(int pages) {
    return new Rules(forkWalksMixedMaps, faultHoldsFileLock, sparsePageGuarded, pages, hugeLeaves);
  }

  /**
   * Changes whether there are huge leaves.
   *
   * @param wanted true for leaves of 2 MiB and 1 GiB
   * @return the rules
   */
  public Rules withHugeLeaves(boolean wanted) {
    return new Rules(
        forkWalksMixedMaps, faultHoldsFileLock, sparsePageGuarded, faultAroundPages, wanted);
  }
}
