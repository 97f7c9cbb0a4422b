package dev.xip.mapping;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import java.io.IOException;

/**
 * A contiguous range of physical memory as a device's memory, such as a frame buffer.
 *
 * @param name a name, for messages
 * @param range the physical addresses, page aligned, not empty
 * @param isWritable whether a shared mapping may store into it
 * @param isEnteredAtOnce whether mmap makes all entries
 */
public record PhysicalRange(
    String name, AddrRange range, boolean isWritable, boolean isEnteredAtOnce)
    implements DeviceMemory {
  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if the range is empty or not page aligned (EINVAL)
   */
  public PhysicalRange {
    Pages.requireAligned(range.start(), "start of " + name);
    Pages.requireAligned(range.end(), "end of " + name);
    if (range.length() == 0) {
      throw new IllegalArgumentException(Errno.EINVAL.message("%s: expected a page or more", name));
    }
  }

  @Override
  public long size() {
    return range.length();
  }

  @Override
  public PageRun translate(long pageOffset) throws IOException {
    long pages = range.length() >>> Pages.SHIFT;
    if (pageOffset < 0 || pageOffset >= pages) {
      throw new IOException(
          Errno.EINVAL.message(
              "%s, page 0x%x: expected one of its 0x%x pages", name, pageOffset, pages));
    }
    return new PageRun((range.start() >>> Pages.SHIFT) + pageOffset, pages - pageOffset);
  }
}
