package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.PhysAddr;

/**
 * A run of pages of one type inside a segment. Linux counterpart: {@code struct qrange}
 * (arch/s390/mm/extmem.c).
 *
 * @param type the type, never {@link SegmentType#EWEN}
 * @param firstPage the number of the first page, 0..2^40-1
 * @param lastPage the number of the last page, inclusive, not below the first
 */
public record SegmentPart(SegmentType type, long firstPage, long lastPage) {
  private static final long LAST_OF_ALL = (1L << (PhysAddr.BITS - Pages.SHIFT)) - 1;

  /** Rejects reversed ranges, pages that no entry can hold, and EWEN. */
  public SegmentPart {
    try {
      check(type, firstPage, lastPage);
    } catch (SegmentException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * Makes a part from user input.
   *
   * @param type the type
   * @param firstPage the number of the first page
   * @param lastPage the number of the last page, inclusive
   * @return the part
   * @throws SegmentException if the range is reversed or the type is EWEN (EINVAL), or a page lies
   *     beyond 2^52 bytes (ERANGE)
   */
  public static SegmentPart of(SegmentType type, long firstPage, long lastPage)
      throws SegmentException {
    check(type, firstPage, lastPage);
    return new SegmentPart(type, firstPage, lastPage);
  }

  private static void check(SegmentType type, long first, long last) throws SegmentException {
    String subject = "segment part %s %x-%x".formatted(type, first, last);
    if (type == SegmentType.EWEN) {
      throw new SegmentException(Errno.EINVAL, subject, "SW EW SR ER SN EN or SC", "EWEN");
    }
    if (first < 0 || last > LAST_OF_ALL) {
      throw new SegmentException(
          Errno.ERANGE, subject, "pages 0 to %x".formatted(LAST_OF_ALL), "a page outside");
    }
    if (last < first) {
      throw new SegmentException(
          Errno.EINVAL, subject, "a last page not below the first", "a reversed range");
    }
  }

  /** {@return the number of pages, at least 1} */
  public long pages() {
    return lastPage - firstPage + 1;
  }

  /** {@return the physical range in bytes, half-open} */
  public AddrRange range() {
    return AddrRange.ofLength(firstPage << Pages.SHIFT, pages() << Pages.SHIFT);
  }

  @Override
  public String toString() {
    return "%x-%x %s".formatted(firstPage, lastPage, type);
  }
}
