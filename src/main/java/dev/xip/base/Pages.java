package dev.xip.base;

/** Arithmetic of 4 KiB pages, the unit of every table and frame in xip. */
public final class Pages {
  /** log2 of the page size. */
  public static final int SHIFT = 12;

  /** The page size in bytes. */
  public static final long SIZE = 1L << SHIFT;

  /** The bits of an address that lie inside its page. */
  public static final long OFFSET_MASK = SIZE - 1;

  private Pages() {}

  /**
   * Rounds down to a page boundary.
   *
   * @param bytes an address or a length
   * @return the largest multiple of the page size that is not above it
   */
  public static long roundDown(long bytes) {
    return bytes & -SIZE;
  }

  /**
   * Rounds up to a page boundary.
   *
   * @param bytes an address or a length, at least 0
   * @return the smallest multiple of the page size that is not below it
   * @throws IllegalArgumentException if that is past {@link Long#MAX_VALUE}
   */
  public static long roundUp(long bytes) {
    if (bytes > Long.MAX_VALUE - OFFSET_MASK) {
      throw new IllegalArgumentException(
          "length 0x%x: expected at most 0x%x".formatted(bytes, Long.MAX_VALUE - OFFSET_MASK));
    }
    return bytes + OFFSET_MASK & -SIZE;
  }

  /**
   * Counts the pages that cover a length.
   *
   * @param bytes a length, at least 0
   * @return the number of pages
   */
  public static long covering(long bytes) {
    return roundUp(bytes) >>> SHIFT;
  }

  /**
   * Tells whether a value is a multiple of the page size.
   *
   * @param bytes an address or a length
   * @return true on a page boundary
   */
  public static boolean isAligned(long bytes) {
    return (bytes & OFFSET_MASK) == 0;
  }

  /**
   * Demands a multiple of the page size.
   *
   * @param bytes an address, an offset or a length
   * @param what what it is, for the message
   * @return the value itself
   * @throws IllegalArgumentException if it is negative or not page aligned (EINVAL)
   */
  public static long requireAligned(long bytes, String what) {
    if (bytes < 0 || !isAligned(bytes)) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message("%s 0x%x: expected a multiple of 0x%x", what, bytes, SIZE));
    }
    return bytes;
  }
}
