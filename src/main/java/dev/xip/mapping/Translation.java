package dev.xip.mapping;

/**
 * Where a page of a {@link Mappable} lies, and how many pages from it on lie contiguously.
 *
 * @param pfn the page frame number of the first page, or -1 for a hole
 * @param pages how many contiguous pages follow from there, at least 1 (holes: of the hole)
 */
public record Translation(long pfn, long pages) {
  /** One page of a hole. */
  public static final Translation HOLE = new Translation(-1, 1);

  /**
   * Tells whether nothing lies there.
   *
   * @return true for a hole, which reads as zeros
   */
  public boolean isHole() {
    return pfn < 0;
  }
}
