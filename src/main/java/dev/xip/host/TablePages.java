package dev.xip.host;

/**
 * The page frames that {@link Libxip#set} may make tables of, taken in order and never given back.
 * One thread may use it at a time.
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

  /**
   * Returns the frame that is taken next.
   *
   * @return a frame number; {@link #endPfn} when all are taken
   */
  public long nextPfn() {
    return nextPfn;
  }

  /**
   * Returns the end of the supply.
   *
   * @return the frame after the last
   */
  public long endPfn() {
    return endPfn;
  }

  void advanceTo(long pfn) {
    nextPfn = pfn;
  }
}
