package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.Crc32c;
import dev.xip.base.MalformedDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The checksums of a journal: of version 1 a CRC-32 of each transaction, of versions 2 and 3 a
 * CRC-32C of each block. Every block passes if the journal has none. Linux counterpart:
 * fs/jbd2/recovery.c.
 */
final class JournalChecksums {
  /** CRC-32 with the most significant bit first; the JDK has it with the least one first. */
  private static final int CRC32_POLYNOMIAL = 0x04c1_1db7;

  private static final int[] CRC32_TABLE = crc32Table();

  private final ByteView view;
  private final int blockSize;
  private final boolean version2;
  private final boolean version3;

  /** Where each CRC-32C but that of the superblock starts: behind the UUID of the journal. */
  private final int seed;

  /**
   * Makes a checker.
   *
   * @param view the image
   * @param superblock the byte offset of the journal's superblock
   * @param blockSize the block size in bytes
   * @param incompat its incompatible features
   */
  JournalChecksums(ByteView view, long superblock, int blockSize, long incompat)
      throws MalformedDataException {
    this.view = view;
    this.blockSize = blockSize;
    this.version2 = (incompat & JournalLayout.INCOMPAT_CSUM_V2) != 0;
    this.version3 = (incompat & JournalLayout.INCOMPAT_CSUM_V3) != 0;
    long uuid = superblock + JournalLayout.S_UUID;
    this.seed = Crc32c.of(~0, view, uuid, uuid + JournalLayout.UUID_SIZE);
  }

  /** {@return whether descriptor and revoke blocks end in a checksum} */
  boolean inBlocks() {
    return version2 || version3;
  }

  /** {@return how many bytes at the end of a descriptor or revoke block a checksum takes} */
  int tailSize() {
    return inBlocks() ? JournalLayout.TAIL_SIZE : 0;
  }

  /** Tells whether the superblock at a byte offset has the checksum of its bytes. */
  boolean superblockAgrees(long at) throws MalformedDataException {
    return agrees(~0, at, JournalLayout.S_CHECKSUM, JournalLayout.SUPERBLOCK_SIZE, 0);
  }

  /** Tells whether the descriptor or revoke block at a byte offset has its checksum. */
  boolean blockAgrees(long at) throws MalformedDataException {
    return !inBlocks() || agrees(seed, at, blockSize - JournalLayout.TAIL_SIZE, blockSize, 0);
  }

  /**
   * Tells whether the commit block at a byte offset has its checksum. The kernel also takes one
   * whose end is not zeros: a device may have written the first sector alone.
   */
  boolean commitAgrees(long at) throws MalformedDataException {
    int header = JournalLayout.COMMIT_HEADER_SIZE;
    return !inBlocks()
        || agrees(seed, at, JournalLayout.H_CHKSUM, blockSize, 0)
        || agrees(seed, at, JournalLayout.H_CHKSUM, header, blockSize - header);
  }

  /**
   * Compares a checksum that was made with zeros in its own place.
   *
   * @param start where it starts
   * @param at the byte offset of the structure
   * @param field where in the structure the checksum is stored
   * @param length the length of the structure
   * @param zeros how many zeros behind it count, a multiple of 8
   */
  private boolean agrees(int start, long at, int field, int length, int zeros)
      throws MalformedDataException {
    int crc = Crc32c.of(start, view, at, at + field);
    crc = Crc32c.ofNumber(crc, 0, Integer.BYTES);
    crc = Crc32c.of(crc, view, at + field + Integer.BYTES, at + length);
    for (int i = 0; i < zeros; i += Long.BYTES) {
      crc = Crc32c.ofNumber(crc, 0, Long.BYTES);
    }
    return stored(at + field) == crc;
  }

  /**
   * Tells whether a logged block has the checksum in its tag.
   *
   * @param tag the byte offset of the tag
   * @param block the byte offset of the logged block
   * @param sequence its transaction
   */
  boolean loggedBlockAgrees(long tag, long block, int sequence) throws MalformedDataException {
    if (!inBlocks()) {
      return true;
    }
    int crc = Crc32c.ofNumber(seed, Integer.reverseBytes(sequence), Integer.BYTES);
    crc = Crc32c.of(crc, view, block, block + blockSize);
    return version3
        ? stored(tag + JournalLayout.T3_CHECKSUM) == crc
        : Short.reverseBytes((short) view.u16(tag + JournalLayout.T_CHECKSUM)) == (short) crc;
  }

  private int stored(long at) throws MalformedDataException {
    return Integer.reverseBytes(view.s32(at));
  }

  /**
   * Adds a block to the CRC-32 of a transaction.
   *
   * @param sum the value so far, all ones at first
   * @param at the byte offset of the block
   * @return the new value
   */
  int crc32(int sum, long at) throws MalformedDataException {
    view.checkRange(at, blockSize, "a block of the journal");
    ByteBuffer block =
        view.memory().asSlice(at, blockSize).asByteBuffer().order(ByteOrder.BIG_ENDIAN);
    int crc32 = sum;
    while (block.hasRemaining()) {
      crc32 = crc32 << 8 ^ CRC32_TABLE[(crc32 >>> 24 ^ block.get()) & 0xff];
    }
    return crc32;
  }

  /**
   * Tells whether a commit block has the CRC-32 of its transaction, or none.
   *
   * @param at the byte offset of the commit block
   * @param sum the CRC-32
   */
  boolean commitAgrees(long at, int sum) throws MalformedDataException {
    int type = view.u8(at + JournalLayout.H_CHKSUM_TYPE);
    int size = view.u8(at + JournalLayout.H_CHKSUM_SIZE);
    int stored = stored(at + JournalLayout.H_CHKSUM);
    return type == JournalLayout.CRC32_CHECKSUM && size == Integer.BYTES && stored == sum
        || type == 0 && size == 0 && stored == 0;
  }

  private static int[] crc32Table() {
    int[] table = new int[256];
    for (int i = 0; i < table.length; i++) {
      int value = i << 24;
      for (int bit = 0; bit < Byte.SIZE; bit++) {
        value = value << 1 ^ (value < 0 ? CRC32_POLYNOMIAL : 0);
      }
      table[i] = value;
    }
    return table;
  }
}
