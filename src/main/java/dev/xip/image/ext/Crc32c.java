package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;

/**
 * CRC-32C as ext4 computes it: from any start, and not inverted at the end. The JDK's class starts
 * from one value only, and holds the mapping open while it runs, on a counter that all threads
 * would write. Linux counterpart: lib/crc/crc32-main.c:crc32c.
 */
final class Crc32c {
  private static final int POLYNOMIAL = 0x82f6_3b78;

  /**
   * What a byte adds that has 0 to 7 bytes behind it: 256 values for each distance, the nearest
   * first.
   */
  private static final int[] TABLE = table();

  private Crc32c() {}

  private static int[] table() {
    int[] table = new int[Long.BYTES * 256];
    for (int i = 0; i < table.length; i++) {
      int value = i < 256 ? i : table[i - 256];
      if (i < 256) {
        for (int bit = 0; bit < Byte.SIZE; bit++) {
          value = value >>> 1 ^ ((value & 1) == 0 ? 0 : POLYNOMIAL);
        }
      } else {
        value = value >>> 8 ^ table[value & 0xff];
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
   * @param to the offset behind the last
   * @return the new value
   * @throws MalformedDataException if a byte lies outside the image
   */
  static int of(int crc, ByteView view, long from, long to) throws MalformedDataException {
    int value = crc;
    long at = from;
    for (; at <= to - Long.BYTES; at += Long.BYTES) {
      value = ofLong(view.u64(at) ^ value & 0xffff_ffffL);
    }
    for (; at < to; at++) {
      value = ofNumber(value, view.u8(at), 1);
    }
    return value;
  }

  /**
   * Adds bytes of an array.
   *
   * @param crc the value so far
   * @param bytes the bytes
   * @return the new value
   */
  static int of(int crc, byte[] bytes) {
    int value = crc;
    for (byte each : bytes) {
      value = ofNumber(value, each, 1);
    }
    return value;
  }

  private static int ofLong(long word) {
    int low = (int) word;
    int high = (int) (word >>> Integer.SIZE);
    return TABLE[7 * 256 + (low & 0xff)]
        ^ TABLE[6 * 256 + (low >>> 8 & 0xff)]
        ^ TABLE[5 * 256 + (low >>> 16 & 0xff)]
        ^ TABLE[4 * 256 + (low >>> 24)]
        ^ TABLE[3 * 256 + (high & 0xff)]
        ^ TABLE[2 * 256 + (high >>> 8 & 0xff)]
        ^ TABLE[256 + (high >>> 16 & 0xff)]
        ^ TABLE[high >>> 24];
  }
}
