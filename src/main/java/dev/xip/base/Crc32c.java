package dev.xip.base;

import java.util.zip.CRC32C;

/**
 * CRC-32C as file systems compute it: from any start, and not inverted at the end. Safe for any
 * number of threads. Linux counterpart: lib/crc/crc32-main.c:crc32c.
 *
 * <p>The JDK's class, which the processor's own instruction runs, starts from one value only; but
 * to change the start is to change the first four bytes. It gets a copy of the bytes: it would hold
 * a mapping open while it runs, on a counter that all threads write.
 */
public final class Crc32c {
  /** The polynomial, with its lowest power in the highest bit (RFC 3720, section 12.1). */
  private static final int POLYNOMIAL = 0x82f6_3b78;

  /**
   * How many bytes the table here sums up, before the class of the JDK is loaded: it makes eight
   * tables, which takes longer than to open an image and find a file.
   */
  private static final int FIRST_BYTES = 1 << 16;

  private static final int[] TABLE = table();

  /** How many bytes were summed up by the table; some may be missing if threads count at once. */
  private static int first;

  private Crc32c() {}

  private static int[] table() {
    int[] table = new int[1 << Byte.SIZE];
    for (int i = 0; i < table.length; i++) {
      int crc = i;
      for (int bit = 0; bit < Byte.SIZE; bit++) {
        crc = crc >>> 1 ^ -(crc & 1) & POLYNOMIAL;
      }
      table[i] = crc;
    }
    return table;
  }

  /**
   * Adds the bytes of a number.
   *
   * @param crc the value so far
   * @param number the number, which is stored little-endian
   * @param bytes how many bytes it has, 1 to 8
   * @return the new value
   */
  public static int ofNumber(int crc, long number, int bytes) {
    int sum = crc;
    for (int i = 0; i < bytes; i++) {
      int next = (int) (number >>> Byte.SIZE * i);
      sum = TABLE[(sum ^ next) & 0xff] ^ sum >>> Byte.SIZE;
    }
    return sum;
  }

  /**
   * Adds bytes of a file.
   *
   * @param crc the value so far
   * @param view the file
   * @param from the offset of the first byte
   * @param to the offset behind the last, at most 2^31 - 1 bytes further
   * @return the new value
   * @throws MalformedDataException if a byte lies outside the file
   */
  public static int of(int crc, ByteView view, long from, long to) throws MalformedDataException {
    return of(crc, view.bytes(from, Math.toIntExact(to - from)));
  }

  /**
   * Adds bytes of an array.
   *
   * @param crc the value so far
   * @param bytes the bytes
   * @return the new value
   */
  public static int of(int crc, byte[] bytes) {
    if (bytes.length <= FIRST_BYTES - first) {
      first += bytes.length;
      int[] table = TABLE;
      int sum = crc;
      for (byte each : bytes) {
        sum = table[(sum ^ each) & 0xff] ^ sum >>> Byte.SIZE;
      }
      return sum;
    }
    CRC32C sum = new CRC32C();
    int head = Math.min(bytes.length, Integer.BYTES);
    for (int i = 0; i < head; i++) {
      sum.update(bytes[i] ^ ~crc >>> 8 * i);
    }
    sum.update(bytes, head, bytes.length - head);
    // Of fewer bytes than four, the rest of the start has not met one yet.
    int rest = head < Integer.BYTES ? ~crc >>> 8 * head : 0;
    return ~(int) sum.getValue() ^ rest;
  }
}
