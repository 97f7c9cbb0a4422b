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
  private Crc32c() {}

  /**
   * Adds the bytes of a number.
   *
   * @param crc the value so far
   * @param number the number, which is stored little-endian
   * @param bytes how many bytes it has, 4 to 8
   * @return the new value
   */
  static int ofNumber(int crc, long number, int bytes) {
    CRC32C sum = new CRC32C();
    long fromStart = number ^ Integer.toUnsignedLong(~crc);
    for (int i = 0; i < bytes; i++) {
      sum.update((int) (fromStart >>> 8 * i));
    }
    return ~(int) sum.getValue();
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
