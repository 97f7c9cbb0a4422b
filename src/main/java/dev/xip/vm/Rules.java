package dev.xip.vm;

/**
 * Where releases of Linux differ and the difference is the point. A machine keeps to one set of
 * rules from boot on; the package's README says what each is for.
 *
 * @param forkWalksMixedMaps whether fork copies the entries of every mapping with MIXEDMAP (3.19),
 *     or leaves those without private copies for the child to fault in (2.6.26)
 * @param faultHoldsFileLock whether a fault keeps truncation out from the moment it compares with
 *     the file's size until its entry is in (4.0); without, a fault can leave an entry for a block
 *     that was freed meanwhile (3.19 and before)
 * @param sparsePageGuarded whether the page that stands for holes is inserted under a mutex and a
 *     sequence count (2.6.27); without, it can outlive the hole (2.6.26)
 */
public record Rules(
    boolean forkWalksMixedMaps, boolean faultHoldsFileLock, boolean sparsePageGuarded) {
  /** What a machine keeps to if nobody says otherwise: 3.19 without its known race. */
  public static final Rules DEFAULT = new Rules(true, true, true);

  /** The last release with filemap_xip. */
  public static final Rules LINUX_3_19 = new Rules(true, false, true);

  /** The release that the special bit came with. */
  public static final Rules LINUX_2_6_26 = new Rules(false, false, false);
}
