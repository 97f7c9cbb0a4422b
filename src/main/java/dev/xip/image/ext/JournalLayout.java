package dev.xip.image.ext;

/**
 * Where things lie in a journal. Offsets are in bytes from the start of the structure named; all
 * numbers are big-endian, but for those of fast commits. Source: Linux include/linux/jbd2.h and
 * fs/ext4/fast_commit.h.
 */
final class JournalLayout {
  private JournalLayout() {}

  // journal_header_t, at the start of each block of the log that is not a logged one

  /** h_magic, u32: {@link #MAGIC}. */
  static final int H_MAGIC = 0x00;

  /** h_blocktype, u32: one of the types below. */
  static final int H_BLOCKTYPE = 0x04;

  /** h_sequence, u32: the transaction; numbers wrap around. */
  static final int H_SEQUENCE = 0x08;

  /** Size of the header in bytes. */
  static final int HEADER_SIZE = 12;

  /** The value of h_magic. */
  static final int MAGIC = 0xc03b_3998;

  /** A block of tags, one for each block logged behind it. */
  static final int DESCRIPTOR_BLOCK = 1;

  /** The block that ends a transaction. */
  static final int COMMIT_BLOCK = 2;

  /** A superblock without features. */
  static final int SUPERBLOCK_V1 = 3;

  /** A superblock with features. */
  static final int SUPERBLOCK_V2 = 4;

  /** A block of numbers of blocks that are not to be replayed. */
  static final int REVOKE_BLOCK = 5;

  // journal_superblock_t, in block 0 of the journal

  /** s_blocksize, u32. */
  static final int S_BLOCKSIZE = 0x0c;

  /** s_maxlen, u32: how many blocks the journal has. */
  static final int S_MAXLEN = 0x10;

  /** s_first, u32: the first block of the log. */
  static final int S_FIRST = 0x14;

  /** s_sequence, u32: the transaction that the log begins with. */
  static final int S_SEQUENCE = 0x18;

  /** s_start, u32: the block where it begins; 0 if there is nothing to replay. */
  static final int S_START = 0x1c;

  /** s_feature_compat, u32. */
  static final int S_FEATURE_COMPAT = 0x24;

  /** s_feature_incompat, u32. */
  static final int S_FEATURE_INCOMPAT = 0x28;

  /** s_feature_ro_compat, u32. */
  static final int S_FEATURE_RO_COMPAT = 0x2c;

  /** s_uuid, 16 bytes, the seed of all checksums of versions 2 and 3. */
  static final int S_UUID = 0x30;

  /** s_checksum_type, u8: {@link #CRC32C_CHECKSUM} with checksums of version 2 or 3. */
  static final int S_CHECKSUM_TYPE = 0x50;

  /** s_num_fc_blks, u32: how many blocks at the end are for fast commits, 0 for 256. */
  static final int S_NUM_FC_BLKS = 0x54;

  /** s_checksum, u32: of the 1024 bytes of the superblock. */
  static final int S_CHECKSUM = 0xfc;

  /** Size of the superblock in bytes. */
  static final int SUPERBLOCK_SIZE = 1024;

  /** Size of a UUID in bytes, in the superblock and behind a tag. */
  static final int UUID_SIZE = 16;

  /** The kernel takes no journal with fewer blocks of the log (JBD2_MIN_JOURNAL_BLOCKS). */
  static final int MIN_BLOCKS = 1024;

  /** How many blocks are for fast commits if s_num_fc_blks is 0. */
  static final int DEFAULT_FC_BLOCKS = 256;

  /** s_checksum_type of crc32c (JBD2_CRC32C_CHKSUM). */
  static final int CRC32C_CHECKSUM = 4;

  /** Compatible: commit blocks have a CRC-32 of the whole transaction, version 1. */
  static final int COMPAT_CHECKSUM = 0x1;

  /** Incompatible: there are revoke blocks. */
  static final int INCOMPAT_REVOKE = 0x1;

  /** Incompatible: block numbers have 64 bits. */
  static final int INCOMPAT_64BIT = 0x2;

  /** Incompatible: a commit block may be written before what it commits. */
  static final int INCOMPAT_ASYNC_COMMIT = 0x4;

  /** Incompatible: checksums of version 2, with 16 bits in each tag. */
  static final int INCOMPAT_CSUM_V2 = 0x8;

  /** Incompatible: checksums of version 3, with 32 bits in each tag. */
  static final int INCOMPAT_CSUM_V3 = 0x10;

  /** Incompatible: there may be fast commits behind the log. */
  static final int INCOMPAT_FAST_COMMIT = 0x20;

  // struct commit_header

  /** h_chksum_type, u8: {@link #CRC32_CHECKSUM} with checksums of version 1. */
  static final int H_CHKSUM_TYPE = 0x0c;

  /** h_chksum_size, u8: 4 with checksums of version 1. */
  static final int H_CHKSUM_SIZE = 0x0d;

  /** h_chksum[0], u32. */
  static final int H_CHKSUM = 0x10;

  /** h_commit_sec, u64: when it was committed, seconds since 1970. */
  static final int H_COMMIT_SEC = 0x30;

  /** Size of the commit header in bytes; zeros follow. */
  static final int COMMIT_HEADER_SIZE = 0x40;

  /** h_chksum_type of CRC-32 (JBD2_CRC32_CHKSUM). */
  static final int CRC32_CHECKSUM = 1;

  // journal_block_tag_t and journal_block_tag3_t, behind the header of a descriptor block

  /** t_blocknr, u32: low half of the number of the block that was logged. */
  static final int T_BLOCKNR = 0x00;

  /** t_checksum of version 2, u16. */
  static final int T_CHECKSUM = 0x04;

  /** t_flags, u16; in version 3 the low half of an u32. */
  static final int T_FLAGS = 0x06;

  /** t_blocknr_high, u32: the high half; with the feature 64bit. */
  static final int T_BLOCKNR_HIGH = 0x08;

  /** t_checksum of version 3, u32. */
  static final int T3_CHECKSUM = 0x0c;

  /** Size of a tag without checksum and high half. */
  static final int TAG_SIZE = 8;

  /** Size of a tag of version 3. */
  static final int TAG3_SIZE = 16;

  /** t_flags: the block begins with the magic number, which was logged as zeros. */
  static final int FLAG_ESCAPE = 1;

  /** t_flags: no UUID follows. */
  static final int FLAG_SAME_UUID = 2;

  /** t_flags: the last tag of the descriptor block. */
  static final int FLAG_LAST_TAG = 8;

  /** Size of t_checksum, u32, at the end of descriptor and revoke blocks of versions 2 and 3. */
  static final int TAIL_SIZE = 4;

  // jbd2_journal_revoke_header_t

  /** r_count, u32: how many bytes of the block are in use, with the header. */
  static final int R_COUNT = 0x0c;

  /** Size of the revoke header in bytes; block numbers follow. */
  static final int REVOKE_HEADER_SIZE = 16;

  // struct ext4_fc_tl and ext4_fc_head, little-endian, in the first block for fast commits

  /** fc_tag, u16: {@link #FC_TAG_HEAD} at the start of fast commits. */
  static final int FC_TAG = 0x00;

  /** fc_tid, u32: the transaction that the fast commits follow. */
  static final int FC_TID = 0x08;

  /** The value of fc_tag of a head. */
  static final int FC_TAG_HEAD = 9;
}
