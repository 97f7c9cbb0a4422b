package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.util.zip.CRC32C;

/**
 * CRC-32C as ext4 computes it: from any start, and not inverted at the end. The JDK's class, which
 * the processor's own instruction runs, starts from one value only; but to change the start is to
 * change the first four bytes. It gets a copy of the bytes: it would hold a mapping open while it
 * runs, on a counter that all threads write. Linux counterpart: lib/crc/crc32-main.c:crc32c.
 */
final class Crc32c {
  private static final int POLYNOMIAL = 0x82f6_3b78;

  /** What a byte adds that has none behind it. */
  private static final int[] TABLE = table();

  private Crc32c() {}

  private static int[] table() {
    int[] table = new int[256];
    for (int i = 0; i < table.length; i++) {
      int value = i;
      for (int bit = 0; bit < Byte.SIZE; bit++) {
        value = value >>> 1 ^ ((value & 1) == 0 ? 0 : POLYNOMIAL);
      }
      table[i] = value;
    }
    return table;
  }

  /**
   * Adds the bytes of a number.
   *
   * @param crc the value so far
   * @param number the number, which is stored little-endian
   * @param bytes how many bytes it has, at most 8
   * @return the new value
   */
  static int ofNumber(int crc, long number, int bytes) {
    int value = crc;
    for (int i = 0; i < bytes; i++) {
      value = value >>> 8 ^ TABLE[(value ^ (int) (number >>> 8 * i)) & 0xff];
    }
    return value;
  }

  /**
   * Adds bytes of an image.
   *
   * @param crc the value so far
   * @param view the image
   * @param from the offset of the first byte
   * @param to the offset behind the last, at most 2^31 - 1 bytes further
   * @return the new value
   * @throws MalformedDataException if a byte lies outside the image
   */
  static int of(int crc, ByteView view, long from, long to) throws MalformedDataException {
    return of(crc, view.bytes(from, Math.toIntExact(to - from)));
  }

  /**
   * Adds bytes of an array.
   *
   * @param crc the value so far
   * @param bytes the bytes
   * @return the new value
   */
  static int of(int crc, byte[] bytes) {
    if (bytes.length < Integer.BYTES) {
      int value = crc;
      for (byte each : bytes) {
        value = ofNumber(value, each, 1);
      }
      return value;
    }
    CRC32C sum = new CRC32C();
    for (int i = 0; i < Integer.BYTES; i++) {
      sum.update(bytes[i] ^ ~crc >>> 8 * i);
    }
    sum.update(bytes, Integer.BYTES, bytes.length - Integer.BYTES);
    return ~(int) sum.getValue();
  }
}
