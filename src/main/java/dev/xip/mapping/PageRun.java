package dev.xip.mapping;

/**
 * Physically contiguous pages, or a hole: where a page of a file or of a device lies, and how many
 * from it on lie behind each other.
 *
 * @param pfn the page frame number of the first page, or -1 for a hole
 * @param pages how many pages, at least 1
 */
public record PageRun(long pfn, long pages) {
  /** One page of a hole. */
  public static final PageRun HOLE = new PageRun(-1, 1);

  /**
   * Tells whether nothing lies there.
   *
   * @return true for a hole, which reads as zeros
   */
  public boolean isHole() {
    return pfn < 0;
  }
}
