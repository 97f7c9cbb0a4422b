package dev.xip.host;

/**
 * The page frames that {@link Libxip#set} may make tables of, taken in order and never returned.
 * Not thread-safe.
 */
public final class TablePages {
  private final long endPfn;
  private long nextPfn;

  /**
   * Makes a supply.
   *
   * @param firstPfn the first frame, at least 0
   * @param endPfn the frame after the last, not below the first
   */
  public TablePages(long firstPfn, long endPfn) {
    if (firstPfn < 0 || endPfn < firstPfn) {
      throw new IllegalArgumentException(
          "frames [0x%x, 0x%x): expected first <= end".formatted(firstPfn, endPfn));
    }
    this.nextPfn = firstPfn;
    this.endPfn = endPfn;
  }

  /** {@return the next frame to be taken; {@link #endPfn} when all are} */
  public long nextPfn() {
    return nextPfn;
  }

  /** {@return the frame after the last of the supply} */
  public long endPfn() {
    return endPfn;
  }

  void advanceTo(long pfn) {
    nextPfn = pfn;
  }
}
