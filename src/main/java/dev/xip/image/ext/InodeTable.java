package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.time.Instant;

/** Finds inodes by number and decodes them. Linux counterpart: fs/ext4/inode.c:__ext4_iget. */
final class InodeTable {
  private final ByteView view;
  private final Superblock superblock;
  private final BlockGroups groups;

  InodeTable(ByteView view, Superblock superblock) {
    this.view = view;
    this.superblock = superblock;
    this.groups = new BlockGroups(view, superblock);
  }

  /**
   * Decodes an inode.
   *
   * @param number its number
   * @return the inode
   * @throws MalformedDataException if there is none of that number, it is not in use, or it is
   *     damaged
   */
  Inode read(long number) throws MalformedDataException {
    Inode inode = decode(number, groups.inode(number));
    if ((inode.flags() & ExtLayout.EA_INODE_FL) != 0) {
      throw view.malformed(
          inode.offset() + ExtLayout.I_FLAGS,
          "a file as inode %d".formatted(number),
          "the value of an attribute");
    }
    return inode;
  }

  /**
   * Decodes an inode that is no file, but the value of an attribute.
   *
   * @param number its number
   * @return the inode
   * @throws MalformedDataException if there is none of that number, it is a file, or it is damaged
   */
  Inode readValue(long number) throws MalformedDataException {
    Inode inode = decode(number, groups.inode(number));
    if ((inode.flags() & ExtLayout.EA_INODE_FL) == 0 || inode.type() != FileType.REGULAR) {
      throw view.malformed(
          inode.offset() + ExtLayout.I_FLAGS,
          "the value of an attribute as inode %d".formatted(number),
          "a file of type " + inode.type().letter());
    }
    return inode;
  }

  /**
   * Decodes the inode of the journal, which is a reserved one in most images.
   *
   * @return the inode
   * @throws MalformedDataException as {@link #read} does
   */
  Inode readJournal() throws MalformedDataException {
    long field = ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_JOURNAL_INUM;
    long number = view.u32(field);
    if (number < 1 || number > superblock.inodes()) {
      throw view.malformed(
          field, "an inode of 1..%d".formatted(superblock.inodes()), Long.toString(number));
    }
    return decode(number, groups.anyInode(number));
  }

  private Inode decode(long number, BlockGroups.Place place) throws MalformedDataException {
    long at = place.at();
    int mode = view.u16(at + ExtLayout.I_MODE);
    int links = view.u16(at + ExtLayout.I_LINKS_COUNT);
    if (links == 0 && (mode == 0 || view.u32(at + ExtLayout.I_DTIME) != 0)) {
      throw view.malformed(at, "inode %d in use".formatted(number), "a deleted or unused one");
    }
    int extra = extraSize(at);
    if (!place.isChecked()) {
      superblock.checksums().checkInode(view, number, at, superblock.inodeSize(), extra);
      place.setChecked();
    }
    FileType type = FileType.ofMode(mode);
    if (type == FileType.UNKNOWN) {
      throw view.malformed(at, "a mode that names a type of file", "0x%04x".formatted(mode));
    }
    long flags = flags(at);
    long device = device(at, type);
    return new Inode(
        number,
        at,
        mode,
        view.u16(at + ExtLayout.I_UID) | (long) view.u16(at + ExtLayout.I_UID_HIGH) << 16,
        view.u16(at + ExtLayout.I_GID) | (long) view.u16(at + ExtLayout.I_GID_HIGH) << 16,
        links,
        size(at, type, flags),
        sectors(at, flags),
        time(at, ExtLayout.I_ATIME, ExtLayout.I_ATIME_EXTRA, extra),
        time(at, ExtLayout.I_MTIME, ExtLayout.I_MTIME_EXTRA, extra),
        time(at, ExtLayout.I_CTIME, ExtLayout.I_CTIME_EXTRA, extra),
        ExtLayout.OLD_INODE_SIZE + extra < ExtLayout.I_CRTIME + Integer.BYTES
            ? null
            : time(at, ExtLayout.I_CRTIME, ExtLayout.I_CRTIME_EXTRA, extra),
        (int) (device >>> 32),
        (int) device,
        flags);
  }

  /** Flags that change where bytes or names lie are damage without their features. */
  private long flags(long at) throws MalformedDataException {
    long flags = view.u32(at + ExtLayout.I_FLAGS);
    checkFlag(at, flags, ExtLayout.INLINE_DATA_FL, ExtFeatures.INCOMPAT_INLINE_DATA);
    checkFlag(at, flags, ExtLayout.ENCRYPT_FL, ExtFeatures.INCOMPAT_ENCRYPT);
    checkFlag(at, flags, ExtLayout.CASEFOLD_FL, ExtFeatures.INCOMPAT_CASEFOLD);
    return flags;
  }

  private void checkFlag(long at, long flags, long flag, int feature)
      throws MalformedDataException {
    if ((flags & flag) != 0 && !superblock.features().hasIncompat(feature)) {
      throw view.malformed(
          at + ExtLayout.I_FLAGS,
          "no flag 0x%x, which needs a feature of the image".formatted(flag),
          "0x%x".formatted(flags));
    }
  }

  /**
   * Returns how many bytes past the first 128 an inode uses for fields; the rest is for attributes.
   *
   * @param at the byte offset of the inode
   * @throws MalformedDataException if the inode has no room for them
   */
  int extraSize(long at) throws MalformedDataException {
    int room = superblock.inodeSize() - ExtLayout.OLD_INODE_SIZE;
    if (room == 0) {
      return 0;
    }
    int extra = view.u16(at + ExtLayout.I_EXTRA_ISIZE);
    if (extra > room || extra % 4 != 0) {
      throw view.malformed(
          at + ExtLayout.I_EXTRA_ISIZE,
          "an extra size that is a multiple of 4 up to %d".formatted(room),
          Integer.toString(extra));
    }
    return extra;
  }

  private long size(long at, FileType type, long flags) throws MalformedDataException {
    long size = view.u32(at + ExtLayout.I_SIZE);
    if (type == FileType.REGULAR
        || superblock.features().hasIncompat(ExtFeatures.INCOMPAT_LARGE_DIR)) {
      size |= view.u32(at + ExtLayout.I_SIZE_HIGH) << Integer.SIZE;
    }
    long most = BlockTree.mostBlocks(flags, superblock.blockShift()) << superblock.blockShift();
    if (size < 0 || size > most) {
      throw view.malformed(
          at + ExtLayout.I_SIZE,
          "a size of at most 0x%x bytes".formatted(most),
          "0x%x".formatted(size));
    }
    return size;
  }

  /** Linux counterpart: fs/ext4/inode.c:ext4_inode_blocks. */
  private long sectors(long at, long flags) throws MalformedDataException {
    long blocks = view.u32(at + ExtLayout.I_BLOCKS);
    if (!superblock.features().hasRoCompat(ExtFeatures.RO_COMPAT_HUGE_FILE)) {
      return blocks;
    }
    blocks |= (long) view.u16(at + ExtLayout.I_BLOCKS_HIGH) << Integer.SIZE;
    return (flags & ExtLayout.HUGE_FILE_FL) == 0
        ? blocks
        : blocks << superblock.blockShift() - ExtLayout.SECTOR_SHIFT;
  }

  /** Seconds are signed; the extra field, where there is one, adds epochs and nanoseconds. */
  private Instant time(long at, int seconds, int extraField, int extraSize)
      throws MalformedDataException {
    long second = view.s32(at + seconds);
    if (ExtLayout.OLD_INODE_SIZE + extraSize < extraField + 4) {
      return Instant.ofEpochSecond(second);
    }
    long extra = view.u32(at + extraField);
    return Instant.ofEpochSecond(
        second + ((extra & ExtLayout.EPOCH_MASK) << 32), extra >>> ExtLayout.EPOCH_BITS);
  }

  /** Returns the major number in the high half and the minor in the low, 0 for other files. */
  private long device(long at, FileType type) throws MalformedDataException {
    if (type != FileType.CHARACTER_DEVICE && type != FileType.BLOCK_DEVICE) {
      return 0;
    }
    // include/linux/kdev_t.h: old_decode_dev in the first word, new_decode_dev in the second.
    long old = view.u32(at + ExtLayout.I_BLOCK);
    if (old != 0) {
      return (old >> 8 & 0xff) << 32 | old & 0xff;
    }
    long dev = view.u32(at + ExtLayout.I_BLOCK + ExtLayout.POINTER_SIZE);
    return (dev >> 8 & 0xfff) << 32 | dev & 0xff | dev >> 12 & 0xfff00;
  }

  /**
   * Returns the number of the block that holds an inode's attributes, 0 if there is none.
   *
   * @param at the byte offset of the inode
   * @throws MalformedDataException if the inode does not lie in the image
   */
  long attributesBlock(long at) throws MalformedDataException {
    return superblock.wide(
        view.u32(at + ExtLayout.I_FILE_ACL), view.u16(at + ExtLayout.I_FILE_ACL_HIGH));
  }

  /**
   * A link's target is in the inode if nothing but the cluster of its attributes is allocated, or,
   * where attributes in inodes of their own count too, if it is short enough. Linux counterpart:
   * fs/ext4/inode.c:ext4_inode_is_fast_symlink.
   */
  boolean isFastLink(Inode link) throws MalformedDataException {
    if (superblock.features().hasIncompat(ExtFeatures.INCOMPAT_EA_INODE)) {
      return link.size() > 0 && link.size() < ExtLayout.I_BLOCK_SIZE;
    }
    int shift = superblock.blockShift() + superblock.clusterShift() - ExtLayout.SECTOR_SHIFT;
    return link.sectors() == (attributesBlock(link.offset()) == 0 ? 0 : 1L << shift);
  }
}
