package dev.xip.mapping;

/**
 * Physically contiguous pages of a file or device, or a hole.
 *
 * @param pfn the page frame number of the first page, or -1 for a hole
 * @param pages how many pages, at least 1
 */
public record PageRun(long pfn, long pages) {
  /** One page of a hole. */
  public static final PageRun HOLE = new PageRun(-1, 1);

  /** {@return whether this is a hole, which reads as zeros} */
  public boolean isHole() {
    return pfn < 0;
  }
}
