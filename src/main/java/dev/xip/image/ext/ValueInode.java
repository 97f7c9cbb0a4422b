package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.Crc32c;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;

/**
 * Reads values of attributes that lie in inodes of their own. Such an inode is no file: it holds
 * the checksum of the value in place of its time of access. Linux counterpart:
 * fs/ext4/xattr.c:ext4_xattr_inode_get.
 *
 * @param view the image
 * @param superblock its superblock
 * @param inodes its inodes
 * @param owner the inode that has the attributes
 */
record ValueInode(ByteView view, Superblock superblock, InodeTable inodes, Inode owner) {
  /** The longest value that getxattr(2) returns (include/uapi/linux/limits.h, XATTR_SIZE_MAX). */
  private static final int MOST_BYTES = 1 << 16;

  /** How far the hash of an entry is rotated for each byte of the name, and for the value. */
  private static final int NAME_HASH_SHIFT = 5;

  private static final int VALUE_HASH_SHIFT = 16;

  /**
   * Reads a value.
   *
   * @param entry the byte offset of the attribute's entry
   * @return the value
   * @throws MalformedDataException if the inode is none of a value, or it has another checksum
   */
  byte[] read(long entry) throws MalformedDataException {
    long field = entry + AttributeLayout.E_VALUE_INUM;
    long number = view.u32(field);
    if (!superblock.features().hasIncompat(ExtFeatures.INCOMPAT_EA_INODE)) {
      throw view.malformed(field, "a value beside its name", "one in inode " + number);
    }
    if (number == owner.number() || number == ExtLayout.ROOT_INODE) {
      throw view.malformed(field, "an inode of its own for a value", "inode %d".formatted(number));
    }
    Inode inode = inodes.readValue(number);
    if (AttributeReader.hasAny(view, superblock, inodes, inode)) {
      throw view.malformed(
          inode.offset(), "no attributes of inode %d, a value".formatted(number), "attributes");
    }
    long size = view.u32(entry + AttributeLayout.E_VALUE_SIZE);
    if (size != inode.size() || size > MOST_BYTES) {
      throw view.malformed(
          entry + AttributeLayout.E_VALUE_SIZE,
          "the %d bytes of inode %d, at most %d".formatted(inode.size(), number, MOST_BYTES),
          Long.toString(size));
    }
    BlockMap map = BlockTree.read(view, superblock, inode, Verdict.IN_PLACE);
    byte[] value = InodeBytes.read(view, inode, map);
    if (!isOfLustre(entry, inode)) {
      check(entry, inode, Crc32c.of(superblock.checksums().seed(), value));
    }
    return value;
  }

  /** Lustre's have no checksum, but name the inode that they belong to. */
  private boolean isOfLustre(long entry, Inode inode) throws MalformedDataException {
    return view.u32(entry + AttributeLayout.E_HASH) != view.u32(inode.offset() + ExtLayout.I_ATIME)
        && view.u32(inode.offset() + ExtLayout.I_MTIME) == owner.number()
        && view.u32(inode.offset() + ExtLayout.I_GENERATION)
            == view.u32(owner.offset() + ExtLayout.I_GENERATION);
  }

  private void check(long entry, Inode inode, int checksum) throws MalformedDataException {
    long field = inode.offset() + ExtLayout.I_ATIME;
    if (checksum != view.s32(field)) {
      throw view.malformed(
          field,
          "the checksum 0x%08x of the value in inode %d".formatted(checksum, inode.number()),
          "0x%08x".formatted(view.s32(field)));
    }
    int stored = view.s32(entry + AttributeLayout.E_HASH);
    int hash = entryHash(entry, checksum, false);
    // Some kernels took the bytes of names as signed.
    if (stored != hash && stored != entryHash(entry, checksum, true)) {
      throw view.malformed(
          entry + AttributeLayout.E_HASH,
          "the hash 0x%08x of an attribute".formatted(hash),
          "0x%08x".formatted(stored));
    }
  }

  private int entryHash(long entry, int checksum, boolean signed) throws MalformedDataException {
    int hash = 0;
    for (int i = 0; i < view.u8(entry + AttributeLayout.E_NAME_LEN); i++) {
      int next = view.u8(entry + AttributeLayout.E_NAME + i);
      hash = Integer.rotateLeft(hash, NAME_HASH_SHIFT) ^ (signed ? (byte) next : next);
    }
    return Integer.rotateLeft(hash, VALUE_HASH_SHIFT) ^ checksum;
  }
}
