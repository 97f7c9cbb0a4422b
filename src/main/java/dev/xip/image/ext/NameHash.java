package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;

/**
 * One of the hash functions of indexed directories, with the seed of an image. Immutable; hashing
 * does not allocate. SipHash is missing: its key is that of an encrypted directory, whose entries
 * hold their hashes. Linux counterpart: fs/ext4/hash.c:ext4fs_dirhash.
 */
final class NameHash {
  private static final int MD4_BYTES = 32;
  private static final int TEA_BYTES = 16;
  private static final int TEA_ROUNDS = 16;
  private static final int DELTA = 0x9e37_79b9;

  /** The largest hash stands for the end of a directory, so no name has it. */
  private static final int END = -2;

  private final int version;
  private final boolean unsigned;
  private final int[] seed = {0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476};

  private NameHash(ByteView view, int version, boolean unsigned) throws MalformedDataException {
    this.version = version;
    this.unsigned = unsigned;
    int[] own = new int[seed.length];
    view.u32s(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_HASH_SEED, own, own.length);
    if ((own[0] | own[1] | own[2] | own[3]) != 0) {
      System.arraycopy(own, 0, seed, 0, own.length);
    }
  }

  /**
   * Returns a hash function of an image.
   *
   * @param view the image
   * @param version its number, as superblock and directories hold it
   * @return the function, or null if this class has none of that number
   * @throws MalformedDataException if the image ends before its superblock
   */
  static NameHash of(ByteView view, int version) throws MalformedDataException {
    long flags = view.u32(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_FLAGS);
    boolean unsigned = (flags & ExtLayout.UNSIGNED_HASH) != 0;
    return version > HashTreeLayout.TEA ? null : new NameHash(view, version, unsigned);
  }

  /**
   * Hashes a name.
   *
   * @param name the name, case-folded where the directory is
   * @return the hash by which directories are ordered, whose lowest bit is 0, in the upper half;
   *     the minor hash in the lower
   */
  long hash(FileName name) {
    long both =
        switch (version) {
          case HashTreeLayout.LEGACY -> (long) legacy(name) << Integer.SIZE;
          case HashTreeLayout.HALF_MD4 -> halfMd4(name);
          default -> tea(name);
        };
    int major = (int) (both >>> Integer.SIZE) & ~1;
    return pair(major == END ? END - 2 : major, (int) both);
  }

  private static long pair(int upper, int lower) {
    return (long) upper << Integer.SIZE | Integer.toUnsignedLong(lower);
  }

  private int legacy(FileName name) {
    int hash0 = 0x12a3_fe2d;
    int hash1 = 0x37ab_e8f9;
    for (int i = 0; i < name.length(); i++) {
      int hash = hash1 + (hash0 ^ value(name, i) * 7_152_373);
      hash1 = hash0;
      hash0 = hash < 0 ? hash - 0x7fff_ffff : hash;
    }
    return hash0 << 1;
  }

  /** Its 24 steps stand one by one: a loop over them takes three times as long. */
  private long halfMd4(FileName name) {
    int a0 = seed[0];
    int b0 = seed[1];
    int c0 = seed[2];
    int d0 = seed[3];
    for (int from = 0; from < name.length(); from += MD4_BYTES) {
      int w0 = word(name, from, 0);
      int w1 = word(name, from, 1);
      int w2 = word(name, from, 2);
      int w3 = word(name, from, 3);
      int w4 = word(name, from, 4);
      int w5 = word(name, from, 5);
      int w6 = word(name, from, 6);
      int w7 = word(name, from, 7);
      int a = a0;
      int b = b0;
      int c = c0;
      int d = d0;
      a = choice(a, b, c, d, w0, 3);
      d = choice(d, a, b, c, w1, 7);
      c = choice(c, d, a, b, w2, 11);
      b = choice(b, c, d, a, w3, 19);
      a = choice(a, b, c, d, w4, 3);
      d = choice(d, a, b, c, w5, 7);
      c = choice(c, d, a, b, w6, 11);
      b = choice(b, c, d, a, w7, 19);
      a = majority(a, b, c, d, w1, 3);
      d = majority(d, a, b, c, w3, 5);
      c = majority(c, d, a, b, w5, 9);
      b = majority(b, c, d, a, w7, 13);
      a = majority(a, b, c, d, w0, 3);
      d = majority(d, a, b, c, w2, 5);
      c = majority(c, d, a, b, w4, 9);
      b = majority(b, c, d, a, w6, 13);
      a = parity(a, b, c, d, w3, 3);
      d = parity(d, a, b, c, w7, 9);
      c = parity(c, d, a, b, w2, 11);
      b = parity(b, c, d, a, w6, 15);
      a = parity(a, b, c, d, w1, 3);
      d = parity(d, a, b, c, w5, 9);
      c = parity(c, d, a, b, w0, 11);
      b = parity(b, c, d, a, w4, 15);
      a0 += a;
      b0 += b;
      c0 += c;
      d0 += d;
    }
    return pair(b0, c0);
  }

  private static int choice(int a, int b, int c, int d, int word, int shift) {
    return Integer.rotateLeft(a + (d ^ b & (c ^ d)) + word, shift);
  }

  private static int majority(int a, int b, int c, int d, int word, int shift) {
    return Integer.rotateLeft(a + (b & c) + ((b ^ c) & d) + word + 0x5a82_7999, shift);
  }

  private static int parity(int a, int b, int c, int d, int word, int shift) {
    return Integer.rotateLeft(a + (b ^ c ^ d) + word + 0x6ed9_eba1, shift);
  }

  private long tea(FileName name) {
    int x0 = seed[0];
    int y0 = seed[1];
    for (int from = 0; from < name.length(); from += TEA_BYTES) {
      int a = word(name, from, 0);
      int b = word(name, from, 1);
      int c = word(name, from, 2);
      int d = word(name, from, 3);
      int x = x0;
      int y = y0;
      for (int round = 1; round <= TEA_ROUNDS; round++) {
        int sum = round * DELTA;
        x += (y << 4) + a ^ y + sum ^ (y >>> 5) + b;
        y += (x << 4) + c ^ x + sum ^ (x >>> 5) + d;
      }
      x0 += x;
      y0 += y;
    }
    return pair(x0, y0);
  }

  /** Four bytes of a name, the first uppermost, filled up from above with what is left of it. */
  private int word(FileName name, int from, int index) {
    int left = name.length() - from;
    int word = left | left << 8;
    word |= word << 16;
    int start = from + index * Integer.BYTES;
    int end = Math.min(start + Integer.BYTES, name.length());
    for (int i = start; i < end; i++) {
      word = (word << Byte.SIZE) + value(name, i);
    }
    return word;
  }

  private int value(FileName name, int index) {
    return unsigned ? name.at(index) & 0xff : name.at(index);
  }
}
