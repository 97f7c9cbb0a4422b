package dev.xip.image.ext;

/**
 * Where things lie in extended attributes: in a block of their own, and behind the extra part of an
 * inode, where the header is the magic number alone. Offsets are in bytes from the start of the
 * structure named; all numbers on disk are little-endian. Source: Linux fs/ext4/xattr.h.
 */
public final class AttributeLayout {
  private AttributeLayout() {}

  // struct ext4_xattr_header

  /** h_magic, u32: {@link #MAGIC}, in both places. */
  public static final int H_MAGIC = 0x00;

  /** h_refcount, u32: how many inodes share the block. */
  public static final int H_REFCOUNT = 0x04;

  /** h_blocks, u32: always 1. */
  public static final int H_BLOCKS = 0x08;

  /** h_hash, u32: made of the hashes of all entries. */
  public static final int H_HASH = 0x0c;

  /** h_checksum, u32: with the feature metadata_csum. */
  public static final int H_CHECKSUM = 0x10;

  /** Where the entries start in a block. */
  public static final int BLOCK_HEADER_SIZE = 32;

  /** Where the entries start behind the extra part of an inode. */
  public static final int INODE_HEADER_SIZE = 4;

  /** The value of h_magic. */
  public static final long MAGIC = 0xea02_0000L;

  // struct ext4_xattr_entry

  /** e_name_len, u8: length of the name without its prefix; entries end at four zero bytes. */
  public static final int E_NAME_LEN = 0x00;

  /** e_name_index, u8: which prefix the name has. */
  public static final int E_NAME_INDEX = 0x01;

  /** e_value_offs, u16: where the value is, from the block's start or the inode's first entry. */
  public static final int E_VALUE_OFFS = 0x02;

  /** e_value_inum, u32: the inode that holds the value, 0 if it lies here. */
  public static final int E_VALUE_INUM = 0x04;

  /** e_value_size, u32: length of the value in bytes. */
  public static final int E_VALUE_SIZE = 0x08;

  /** e_hash, u32: of name and value; may be 0 in an inode. */
  public static final int E_HASH = 0x0c;

  /** Where the name starts in an entry. */
  public static final int E_NAME = 0x10;

  /** What the lengths of entries and values are multiples of. */
  public static final int ALIGNMENT = 4;
}
