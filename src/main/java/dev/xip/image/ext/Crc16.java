package dev.xip.image.ext;

/** CRC-16 as ext4 computes it, from any start. Linux counterpart: lib/crc/crc16.c:crc16. */
final class Crc16 {
  private static final int POLYNOMIAL = 0xa001;
  private static final int[] TABLE = table();

  private Crc16() {}

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
   * Adds bytes.
   *
   * @param crc the value so far
   * @param bytes the array that holds them
   * @param from the index of the first
   * @param to the index behind the last
   * @return the new value
   */
  static int of(int crc, byte[] bytes, int from, int to) {
    int value = crc;
    for (int i = from; i < to; i++) {
      value = value >>> 8 ^ TABLE[(value ^ bytes[i]) & 0xff];
    }
    return value;
  }
}
