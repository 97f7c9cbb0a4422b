package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.Crc32c;
import dev.xip.base.MalformedDataException;
import dev.xip.image.FsInfo;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A superblock that was checked as a whole. Linux counterpart:
 * fs/erofs/super.c:erofs_read_superblock.
 *
 * @param compat the bits of the compatible features
 * @param incompat the bits of the incompatible features, all of them known
 * @param blockShift the block size as a power of two, 9..16
 * @param rootNid the nid of the root directory
 * @param metadata the byte offset from which nids count, negative in images that were extended
 * @param sharedAttributes the byte offset from which the numbers of shared attributes count
 * @param prefixes how many long prefixes of attribute names there are
 * @param prefixStart the byte offset of the first of them
 * @param packedNid the nid of the file that fragments of other files lie in, 0 if there is none
 * @param metaboxNid the nid of the file that holds inodes, 0 if there is none
 * @param epoch the second from which the times of compact inodes count
 * @param nanoseconds the nanoseconds of the times of compact inodes
 * @param info the fields that are shown to users
 */
record Superblock(
    int compat,
    int incompat,
    int blockShift,
    long rootNid,
    long metadata,
    long sharedAttributes,
    int prefixes,
    long prefixStart,
    long packedNid,
    long metaboxNid,
    long epoch,
    long nanoseconds,
    FsInfo info) {

  /**
   * Reads and checks the superblock.
   *
   * @param view the image
   * @return the superblock
   * @throws MalformedDataException if it is damaged, the image is shorter than it says, or it is of
   *     a kind that is not read
   */
  static Superblock read(ByteView view) throws MalformedDataException {
    view.checkRange(
        ErofsLayout.SUPERBLOCK_OFFSET, ErofsLayout.SUPERBLOCK_SIZE, "an EROFS superblock");
    return new Reader(view).read();
  }

  /** {@return the block size in bytes} */
  int blockSize() {
    return 1 << blockShift;
  }

  /**
   * Returns the offset of a byte in its block.
   *
   * @param at a byte offset in the image
   * @return the offset, 0 up to the block size
   */
  int offsetInBlock(long at) {
    return (int) (at & blockSize() - 1);
  }

  /**
   * Tells whether an incompatible feature is set.
   *
   * @param bit its bit, such as {@link ErofsFeatures#INCOMPAT_FRAGMENTS}
   * @return whether it is
   */
  boolean has(int bit) {
    return (incompat & bit) != 0;
  }

  /** Reads the fields one by one, features first, each checked before the next is used. */
  private static final class Reader {
    private final ByteView view;

    Reader(ByteView view) {
      this.view = view;
    }

    Superblock read() throws MalformedDataException {
      checkMagic();
      int incompat = incompat();
      int shift = view.u8(at(ErofsLayout.S_BLKSZBITS));
      check(
          shift >= ErofsLayout.MIN_BLOCK_SHIFT && shift <= ErofsLayout.MAX_BLOCK_SHIFT,
          ErofsLayout.S_BLKSZBITS,
          "blocks of 2^9..2^16 bytes",
          "2^" + shift);
      int compat = view.s32(at(ErofsLayout.S_FEATURE_COMPAT));
      if ((compat & ErofsFeatures.COMPAT_CHECKSUM) != 0) {
        checkChecksum(1 << shift);
      }
      checkDevices(incompat);
      int directoryShift = view.u8(at(ErofsLayout.S_DIRBLKBITS));
      check(
          directoryShift == 0,
          ErofsLayout.S_DIRBLKBITS,
          "directories in blocks of the size of others",
          "blocks 2^" + directoryShift + " times as large");
      boolean wide =
          (incompat & ErofsFeatures.INCOMPAT_48BIT) != 0
              && view.u64(at(ErofsLayout.S_ROOT_NID_8B)) != 0;
      int either = view.u16(at(ErofsLayout.S_ROOT_NID_OR_BLOCKS_HI));
      long blocks = u32(ErofsLayout.S_BLOCKS) | (wide ? (long) either << 32 : 0);
      checkBlocks(blocks, shift);
      long nanoseconds = u32(ErofsLayout.S_FIXED_NSEC);
      check(
          nanoseconds < 1_000_000_000,
          ErofsLayout.S_FIXED_NSEC,
          "less than 1000000000 nanoseconds",
          Long.toString(nanoseconds));
      return new Superblock(
          compat,
          incompat,
          shift,
          wide ? view.u64(at(ErofsLayout.S_ROOT_NID_8B)) : either,
          (long) view.s32(at(ErofsLayout.S_META_BLKADDR)) << shift,
          u32(ErofsLayout.S_XATTR_BLKADDR) << shift,
          view.u8(at(ErofsLayout.S_XATTR_PREFIX_COUNT)),
          u32(ErofsLayout.S_XATTR_PREFIX_START) << 2,
          nid(incompat, ErofsFeatures.INCOMPAT_FRAGMENTS, ErofsLayout.S_PACKED_NID),
          nid(incompat, ErofsFeatures.INCOMPAT_METABOX, ErofsLayout.S_METABOX_NID),
          epoch(),
          nanoseconds,
          info(compat, incompat, 1 << shift, blocks));
    }

    private void checkMagic() throws MalformedDataException {
      long magic = u32(ErofsLayout.S_MAGIC);
      if (magic != ErofsLayout.MAGIC) {
        throw view.malformed(
            at(ErofsLayout.S_MAGIC),
            "the EROFS magic 0x%08x".formatted(ErofsLayout.MAGIC),
            "0x%08x".formatted(magic));
      }
    }

    private int incompat() throws MalformedDataException {
      int incompat = view.s32(at(ErofsLayout.S_FEATURE_INCOMPAT));
      long unknown = Integer.toUnsignedLong(incompat) & ~(long) ErofsFeatures.INCOMPAT_SUPPORTED;
      check(
          unknown == 0,
          ErofsLayout.S_FEATURE_INCOMPAT,
          "no incompatible feature above metabox",
          String.join(", ", ErofsFeatures.incompat(unknown)));
      return incompat;
    }

    /** The checksum covers the rest of the superblock's block, without its own field. */
    private void checkChecksum(int blockSize) throws MalformedDataException {
      int start = (int) ErofsLayout.SUPERBLOCK_OFFSET;
      byte[] covered = view.bytes(start, blockSize > start ? blockSize - start : blockSize);
      for (int i = 0; i < Integer.BYTES; i++) {
        covered[ErofsLayout.S_CHECKSUM + i] = 0;
      }
      long expected = Integer.toUnsignedLong(Crc32c.of(~0, covered));
      long found = u32(ErofsLayout.S_CHECKSUM);
      if (found != expected) {
        throw view.malformed(
            at(ErofsLayout.S_CHECKSUM),
            "the checksum 0x%08x of the superblock".formatted(expected),
            "0x%08x".formatted(found));
      }
    }

    /** The bit of the device table has another meaning too, then there are no more devices. */
    private void checkDevices(int incompat) throws MalformedDataException {
      int devices = view.u16(at(ErofsLayout.S_EXTRA_DEVICES));
      boolean table = (incompat & ErofsFeatures.INCOMPAT_DEVICE_TABLE) != 0;
      check(
          !table || devices == 0,
          ErofsLayout.S_EXTRA_DEVICES,
          "an image on one device, such as mkfs.erofs makes without --blobdev",
          "device_table: "
              + devices
              + (devices == 1 ? " more device" : " more devices")
              + " with the files' bytes");
    }

    private void checkBlocks(long blocks, int shift) throws MalformedDataException {
      if (blocks > view.size() >>> shift) {
        throw view.malformed(
            at(ErofsLayout.S_BLOCKS),
            "a file of %d blocks of %d bytes".formatted(blocks, 1 << shift),
            "one of 0x%x bytes: it is truncated".formatted(view.size()));
      }
    }

    /** Reads the nid of a file that only images with a certain feature have. */
    private long nid(int incompat, int feature, int field) throws MalformedDataException {
      if ((incompat & feature) == 0) {
        return 0;
      }
      int slots = view.u8(at(ErofsLayout.S_EXTSLOTS));
      check(
          field + Long.BYTES
              <= ErofsLayout.SUPERBLOCK_SIZE + slots * ErofsLayout.EXTENSION_SLOT_SIZE,
          ErofsLayout.S_EXTSLOTS,
          "a superblock with a field at 0x" + Integer.toHexString(field),
          slots + " extension slots");
      long nid = view.u64(at(field));
      check(nid >= 0, field, "a nid outside the metabox", "0x" + Long.toHexString(nid));
      return nid;
    }

    private long epoch() throws MalformedDataException {
      long epoch = view.u64(at(ErofsLayout.S_EPOCH));
      check(
          Math.abs(epoch) <= ErofsLayout.MAX_SECOND && epoch != Long.MIN_VALUE,
          ErofsLayout.S_EPOCH,
          "a time of at most 2^54 seconds",
          Long.toString(epoch));
      return epoch;
    }

    private long inodes() throws MalformedDataException {
      long inodes = view.u64(at(ErofsLayout.S_INOS));
      check(
          inodes >= 0 && inodes <= ErofsLayout.MAX_INODES,
          ErofsLayout.S_INOS,
          "at most 2^48 inodes",
          Long.toUnsignedString(inodes));
      return inodes;
    }

    private FsInfo info(int compat, int incompat, int blockSize, long blocks)
        throws MalformedDataException {
      byte[] label = view.bytes(at(ErofsLayout.S_VOLUME_NAME), ErofsLayout.VOLUME_NAME_LENGTH);
      int length = 0;
      while (length < label.length && label[length] != 0) {
        length++;
      }
      return new FsInfo(
          "erofs",
          new String(label, 0, length, StandardCharsets.UTF_8),
          view.uuid(at(ErofsLayout.S_UUID)),
          blockSize,
          blocks,
          0,
          inodes(),
          0,
          ErofsFeatures.all(Integer.toUnsignedLong(compat), Integer.toUnsignedLong(incompat)),
          List.of());
    }

    private void check(boolean holds, int field, String expected, String found)
        throws MalformedDataException {
      if (!holds) {
        throw view.malformed(at(field), expected, found);
      }
    }

    private long u32(int field) throws MalformedDataException {
      return view.u32(at(field));
    }

    private static long at(int field) {
      return ErofsLayout.SUPERBLOCK_OFFSET + field;
    }
  }
}
