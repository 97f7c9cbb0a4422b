package dev.xip.image.ext;

/**
 * Where things lie in the index of a hashed directory. Offsets are in bytes from the start of the
 * block, unless said otherwise. Source: Linux fs/ext4/namei.c.
 */
public final class HashTreeLayout {
  private HashTreeLayout() {}

  /** Length of the entry {@code .} at the start of the root; the entry {@code ..} is the rest. */
  public static final int DOT_SIZE = 12;

  /** info.reserved_zero, u32, in the root. */
  public static final int RESERVED = 0x18;

  /** info.hash_version, u8, in the root: {@link #LEGACY} to {@link #TEA}, or {@link #SIP}. */
  public static final int HASH_VERSION = 0x1c;

  /** info.info_length, u8, in the root: {@link #INFO_SIZE}. */
  public static final int INFO_LENGTH = 0x1d;

  /** info.indirect_levels, u8, in the root: how many levels of index blocks are below it. */
  public static final int INDIRECT_LEVELS = 0x1e;

  /** info.unused_flags, u8, in the root: bit 0 must not be set. */
  public static final int FLAGS = 0x1f;

  /** The value of info.info_length. */
  public static final int INFO_SIZE = 8;

  /** Where the entries of the root start. */
  public static final int ROOT_ENTRIES = 0x20;

  /** Where the entries of other index blocks start, behind a directory entry not in use. */
  public static final int NODE_ENTRIES = 0x08;

  /** Size of an entry: the first hash below it, u32, and the block's number, u32. */
  public static final int ENTRY_SIZE = 8;

  /** limit, u16, in place of the first entry's hash: how many entries there is room for. */
  public static final int LIMIT = 0x00;

  /** count, u16, from the first entry: how many entries are in use, the first one included. */
  public static final int COUNT = 0x02;

  /** block, u32, from an entry: the number of a block of the directory. */
  public static final int BLOCK = 0x04;

  /** The bits of a block's number. */
  public static final int BLOCK_MASK = 0x0fff_ffff;

  /** Size of the tail behind the room for entries, with the feature metadata_csum. */
  public static final int TAIL_SIZE = 8;

  /** dt_checksum, u32, in the tail. */
  public static final int TAIL_CHECKSUM = 0x04;

  /** hash_version: the first hash function. */
  public static final int LEGACY = 0;

  /** hash_version: half of an MD4. */
  public static final int HALF_MD4 = 1;

  /** hash_version: the Tiny Encryption Algorithm. */
  public static final int TEA = 2;

  /** hash_version: SipHash, in directories whose names are both encrypted and case-folded. */
  public static final int SIP = 6;

  /** Index levels that an image without the feature large_dir may have. */
  public static final int LEVELS = 2;

  /** Index levels that an image with the feature large_dir may have. */
  public static final int LARGE_LEVELS = 3;
}
