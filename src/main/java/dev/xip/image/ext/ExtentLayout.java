package dev.xip.image.ext;

/**
 * Where things lie in a node of an extent tree, the root in i_block or a block below it: a header,
 * then entries of one size, which are extents at depth 0 and else lead to nodes below; in a block
 * with the feature metadata_csum, a checksum behind the room for entries. Source: Linux
 * fs/ext4/ext4_extents.h.
 */
public final class ExtentLayout {
  private ExtentLayout() {}

  /** eh_magic, u16: {@link #MAGIC}. */
  public static final int EH_MAGIC = 0x00;

  /** eh_entries, u16: how many entries follow. */
  public static final int EH_ENTRIES = 0x02;

  /** eh_max, u16: how many there is room for. */
  public static final int EH_MAX = 0x04;

  /** eh_depth, u16: how many levels are below this node, 0 in a node of extents. */
  public static final int EH_DEPTH = 0x06;

  /** Size of the header and of each entry in bytes. */
  public static final int ENTRY_SIZE = 12;

  /** The value of eh_magic. */
  public static final int MAGIC = 0xf30a;

  /** The most levels below the root (EXT4_MAX_EXTENT_DEPTH). */
  public static final int MOST_DEPTH = 5;

  /** The most blocks of a file: extents count its blocks in 32 bits. */
  public static final long MOST_FILE_BLOCKS = 1L << 32;

  /** ei_block and ee_block, u32: the first block of the file that the entry leads to. */
  public static final int E_BLOCK = 0x00;

  /** ei_leaf_lo, u32: low half of the number of the block that holds the node below. */
  public static final int EI_LEAF_LO = 0x04;

  /** ei_leaf_hi, u16: bits of it above 32. */
  public static final int EI_LEAF_HI = 0x08;

  /** ee_len, u16: how many blocks; more than {@link #MOST_WRITTEN} if they were never written. */
  public static final int EE_LEN = 0x04;

  /** ee_start_hi, u16: bits of the first block's number above 32. */
  public static final int EE_START_HI = 0x06;

  /** ee_start_lo, u32: low half of the first block's number. */
  public static final int EE_START_LO = 0x08;

  /** The most blocks of a written extent, which an unwritten one adds to its length. */
  public static final int MOST_WRITTEN = 0x8000;
}
