package dev.xip.image.ext;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.zip.CRC32C;

/**
 * The checksums of an image's structures, computed with the JDK's CRC-32C: put right after a
 * change, so that a reader comes to the damage behind them.
 */
final class Seals {
  private static final int UUID = (int) ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_UUID;

  private final List<Seal> seals = new ArrayList<>();

  /**
   * One checksum.
   *
   * @param from the first byte that it covers
   * @param to the byte behind the last
   * @param number the number of the group or inode that it begins with, -1 if with none
   * @param inode the byte offset of the inode whose generation follows, -1 if of none
   * @param fields where its halves are stored, the low one first; they count as zeros
   */
  private record Seal(int from, int to, int number, int inode, int... fields) {
    boolean covers(int at) {
      return at >= from && at < to || inode >= 0 && at >> 2 == inode + ExtLayout.I_GENERATION >> 2;
    }

    void put(byte[] image) {
      CRC32C crc = new CRC32C();
      if (number >= 0) {
        crc.update(image, UUID, ExtLayout.UUID_LENGTH);
        crc.update(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(number).flip());
      }
      if (inode >= 0) {
        crc.update(image, inode + ExtLayout.I_GENERATION, Integer.BYTES);
      }
      byte[] covered = Arrays.copyOfRange(image, from, to);
      for (int field : fields) {
        if (field < to) {
          Arrays.fill(covered, field - from, field - from + Short.BYTES, (byte) 0);
        }
      }
      crc.update(covered);
      int value = ~(int) crc.getValue();
      for (int field : fields) {
        image[field] = (byte) value;
        image[field + 1] = (byte) (value >> 8);
        value >>>= Short.SIZE;
      }
    }
  }

  void addSuperblock() {
    int at = (int) ExtLayout.SUPERBLOCK_OFFSET;
    int end = at + ExtLayout.S_CHECKSUM;
    seals.add(new Seal(at, end, -1, -1, end, end + 2));
  }

  void addGroup(int number, int at, int size) {
    seals.add(new Seal(at, at + size, number, -1, at + ExtLayout.BG_CHECKSUM));
  }

  /** Adds an inode whose extra part reaches the high half of the checksum. */
  void addInode(long number, int at, int size) {
    seals.add(
        new Seal(
            at,
            at + size,
            (int) number,
            at,
            at + ExtLayout.I_CHECKSUM_LO,
            at + ExtLayout.I_CHECKSUM_HI));
  }

  /** Adds a block of an inode whose checksum is behind all that it covers. */
  void addBlock(long number, int inode, int at, int end) {
    seals.add(new Seal(at, end, (int) number, inode, end, end + 2));
  }

  /** Adds a block of a directory whose checksum is in its tail. */
  void addLeaf(long number, int inode, int at, int tail) {
    int field = tail + ExtLayout.D_TAIL_CHECKSUM;
    seals.add(new Seal(at, tail, (int) number, inode, field, field + 2));
  }

  /**
   * Puts right each checksum that covers a changed byte.
   *
   * @param image the image
   * @param changed the offsets of the bytes that were changed
   * @param before receives the offset of each byte that will be changed
   */
  void put(byte[] image, Iterable<Integer> changed, IntConsumer before) {
    for (Seal seal : seals) {
      for (int at : changed) {
        if (seal.covers(at)) {
          for (int field : seal.fields) {
            before.accept(field);
            before.accept(field + 1);
          }
          seal.put(image);
          break;
        }
      }
    }
  }

  /** Puts all checksums right. */
  void put(byte[] image) {
    seals.forEach(seal -> seal.put(image));
  }
}
