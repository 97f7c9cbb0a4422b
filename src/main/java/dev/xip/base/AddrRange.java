package dev.xip.base;

/**
 * A half-open range of addresses, {@code start <= end}. The owner defines whether they are virtual
 * addresses, physical addresses or offsets.
 *
 * @param start the first byte, at least 0
 * @param end the byte after the last
 */
public record AddrRange(long start, long end) {
  /** Rejects reversed and negative ranges. */
  public AddrRange {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException(
          "range [0x%x, 0x%x) is reversed or negative".formatted(start, end));
    }
  }

  /**
   * Makes a range from its start and length.
   *
   * @param start the first byte, at least 0
   * @param length the length in bytes, at least 0
   * @return the range
   * @throws IllegalArgumentException if one is negative or the end past {@link Long#MAX_VALUE}
   */
  public static AddrRange ofLength(long start, long length) {
    if (length < 0 || start > Long.MAX_VALUE - length) {
      throw new IllegalArgumentException(
          "range at 0x%x of length 0x%x: expected a length of at least 0 and an end below 2^63"
              .formatted(start, length));
    }
    return new AddrRange(start, start + length);
  }

  /** {@return the length in bytes} */
  public long length() {
    return end - start;
  }

  /**
   * Tells whether an address lies inside.
   *
   * @param address an address
   * @return true if {@code start <= address < end}
   */
  public boolean contains(long address) {
    return address >= start && address < end;
  }

  /**
   * Tells whether another range lies wholly inside.
   *
   * @param other another range
   * @return true if every byte of it is inside
   */
  public boolean contains(AddrRange other) {
    return other.start >= start && other.end <= end;
  }

  /**
   * Tells whether two ranges share a byte.
   *
   * @param other another range
   * @return true if they overlap
   */
  public boolean overlaps(AddrRange other) {
    return start < other.end && other.start < end;
  }

  @Override
  public String toString() {
    return "[0x%x, 0x%x)".formatted(start, end);
  }
}
