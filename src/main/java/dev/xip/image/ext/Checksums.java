package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.Crc32c;
import dev.xip.base.MalformedDataException;

/**
 * The checksums of an image's metadata: a CRC-32C of every structure with the feature
 * metadata_csum, a CRC-16 of the group descriptors alone with uninit_bg, else none, and then every
 * structure passes. Immutable. Linux counterpart: fs/ext4/super.c:ext4_group_desc_csum and the
 * functions named {@code …_csum_verify}.
 */
public final class Checksums {
  /** Every structure has a CRC-32C. */
  private final boolean metadata;

  /** Group descriptors have a CRC-16. */
  private final boolean groups;

  /** Where each CRC-32C starts: that of the UUID, unless the superblock stores another value. */
  private final int seed;

  /** The CRC-16 of the UUID, if group descriptors have one. */
  private final int groupSeed;

  private Checksums(boolean metadata, boolean groups, int seed, int groupSeed) {
    this.metadata = metadata;
    this.groups = groups;
    this.seed = seed;
    this.groupSeed = groupSeed;
  }

  /**
   * Reads where checksums start, and checks that of the superblock.
   *
   * @param view the image
   * @param features the features of its superblock
   * @return the checksums
   * @throws MalformedDataException if the superblock's is wrong, or of a kind that is not known
   */
  static Checksums read(ByteView view, ExtFeatures features) throws MalformedDataException {
    boolean metadata = features.hasRoCompat(ExtFeatures.RO_COMPAT_METADATA_CSUM);
    long uuid = ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_UUID;
    if (metadata) {
      checkSuperblock(view);
    }
    int seed =
        features.hasIncompat(ExtFeatures.INCOMPAT_CSUM_SEED)
            ? view.s32(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_CHECKSUM_SEED)
            : Crc32c.of(~0, view, uuid, uuid + ExtLayout.UUID_LENGTH);
    boolean groups = !metadata && features.hasRoCompat(ExtFeatures.RO_COMPAT_UNINIT_BG);
    int groupSeed =
        groups
            ? Crc16.of(0xffff, view.bytes(uuid, ExtLayout.UUID_LENGTH), 0, ExtLayout.UUID_LENGTH)
            : 0;
    return new Checksums(metadata, groups, seed, groupSeed);
  }

  private static void checkSuperblock(ByteView view) throws MalformedDataException {
    long at = ExtLayout.SUPERBLOCK_OFFSET;
    int type = view.u8(at + ExtLayout.S_CHECKSUM_TYPE);
    if (type != ExtLayout.CHECKSUM_CRC32C) {
      throw view.malformed(
          at + ExtLayout.S_CHECKSUM_TYPE, "checksums of type 1, CRC-32C", "of type " + type);
    }
    long field = at + ExtLayout.S_CHECKSUM;
    int computed = Crc32c.of(~0, view, at, field);
    if (computed != view.s32(field)) {
      throw wrong(view, field, "the superblock", computed, view.s32(field));
    }
  }

  /** {@return where the checksums of blocks and values of attributes start} */
  int seed() {
    return seed;
  }

  /** {@return whether blocks of the tree, of directories and of attributes have checksums} */
  boolean inBlocks() {
    return metadata;
  }

  /**
   * Returns where the checksums of an inode start, and those of the blocks of its tree and of its
   * directory.
   *
   * @param view the image
   * @param number the inode's number
   * @param at its byte offset
   * @return the start
   * @throws MalformedDataException if the inode does not lie in the image
   */
  int inodeSeed(ByteView view, long number, long at) throws MalformedDataException {
    int ofNumber = Crc32c.ofNumber(seed, number, Integer.BYTES);
    return Crc32c.ofNumber(ofNumber, view.u32(at + ExtLayout.I_GENERATION), Integer.BYTES);
  }

  /**
   * Checks a group descriptor.
   *
   * @param view the image
   * @param group the group's number
   * @param at the byte offset of its descriptor
   * @param size the size of a descriptor in bytes
   * @throws MalformedDataException if its checksum is wrong
   */
  void checkGroup(ByteView view, long group, long at, int size) throws MalformedDataException {
    if (!metadata && !groups) {
      return;
    }
    long field = at + ExtLayout.BG_CHECKSUM;
    byte[] bytes = view.bytes(at, size);
    int computed;
    if (metadata) {
      clear(bytes, ExtLayout.BG_CHECKSUM);
      computed = Crc32c.of(Crc32c.ofNumber(seed, group, Integer.BYTES), bytes);
    } else {
      byte[] number = {
        (byte) group, (byte) (group >>> 8), (byte) (group >>> 16), (byte) (group >>> 24)
      };
      int before = Crc16.of(groupSeed, number, 0, number.length);
      before = Crc16.of(before, bytes, 0, ExtLayout.BG_CHECKSUM);
      computed = Crc16.of(before, bytes, ExtLayout.BG_CHECKSUM + Short.BYTES, size);
    }
    if ((computed & 0xffff) != view.u16(field)) {
      throw wrong(view, field, "group descriptor " + group, computed & 0xffff, view.u16(field));
    }
  }

  /**
   * Checks an inode.
   *
   * @param view the image
   * @param number its number
   * @param at its byte offset
   * @param size the size of an inode in bytes
   * @param extra how many bytes behind the first 128 it uses for fields
   * @throws MalformedDataException if its checksum is wrong
   */
  void checkInode(ByteView view, long number, long at, int size, int extra)
      throws MalformedDataException {
    if (!metadata) {
      return;
    }
    long low = at + ExtLayout.I_CHECKSUM_LO;
    long high = at + ExtLayout.I_CHECKSUM_HI;
    boolean whole = ExtLayout.OLD_INODE_SIZE + extra >= ExtLayout.I_CHECKSUM_HI + Short.BYTES;
    byte[] bytes = view.bytes(at, size);
    clear(bytes, ExtLayout.I_CHECKSUM_LO);
    if (whole) {
      clear(bytes, ExtLayout.I_CHECKSUM_HI);
    }
    int computed = Crc32c.of(inodeSeed(view, number, at), bytes) & (whole ? -1 : 0xffff);
    int stored = view.u16(low) | (whole ? view.u16(high) << Short.SIZE : 0);
    if (computed != stored) {
      throw wrong(view, low, "inode " + number, computed, stored);
    }
  }

  /** Where a sum of 16 bits is stored, it is computed over zeros. */
  private static void clear(byte[] bytes, int field) {
    bytes[field] = 0;
    bytes[field + 1] = 0;
  }

  /**
   * Checks a block whose checksum lies behind the bytes that it covers.
   *
   * @param view the image
   * @param what what the block is, for the message
   * @param start where its checksum starts
   * @param at its byte offset
   * @param field the byte offset of the checksum, a u32
   * @throws MalformedDataException if it is wrong
   */
  void checkBlock(ByteView view, String what, int start, long at, long field)
      throws MalformedDataException {
    if (!metadata) {
      return;
    }
    int computed = Crc32c.of(start, view, at, field);
    if (computed != view.s32(field)) {
      throw wrong(view, field, what, computed, view.s32(field));
    }
  }

  private static MalformedDataException wrong(
      ByteView view, long field, String what, int computed, int stored) {
    return view.malformed(
        field, "the checksum 0x%08x of %s".formatted(computed, what), "0x%08x".formatted(stored));
  }
}
