package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import java.io.IOException;

/**
 * A file whose pages lie at frames chosen by a test.
 *
 * @param pfns the frame number of each page, -1 for a hole
 */
record PlacedFile(long[] pfns) implements Mappable {
  /** A page whose translation fails. */
  static final long UNREACHABLE = -2;

  @Override
  public String name() {
    return "placed";
  }

  @Override
  public long size() {
    return pfns.length * Pages.SIZE;
  }

  @Override
  public PageRun translate(long page) throws IOException {
    int first = (int) page;
    if (pfns[first] == UNREACHABLE) {
      throw new IOException("EIO: page 0x%x of placed".formatted(page));
    }
    if (pfns[first] < 0) {
      return PageRun.HOLE;
    }
    int end = first + 1;
    while (end < pfns.length && pfns[end] == pfns[first] + end - first) {
      end++;
    }
    return new PageRun(pfns[first], end - first);
  }
}
