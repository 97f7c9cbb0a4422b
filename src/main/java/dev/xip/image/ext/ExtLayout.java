package dev.xip.image.ext;

/**
 * Where things lie in an image of ext2, ext3 or ext4. Offsets are in bytes from the start of the
 * structure named; all numbers on disk are little-endian. Sources: Linux fs/ext2/ext2.h and, for
 * fields that came later, fs/ext4/ext4.h.
 */
public final class ExtLayout {
  private ExtLayout() {}

  // struct ext2_super_block

  /** Offset of the superblock in the image, whatever the block size. */
  public static final long SUPERBLOCK_OFFSET = 1024;

  /** Size of the superblock in bytes. */
  public static final int SUPERBLOCK_SIZE = 1024;

  /** s_inodes_count, u32: how many inodes there are. */
  public static final int S_INODES_COUNT = 0x00;

  /** s_blocks_count, u32: how many blocks there are. */
  public static final int S_BLOCKS_COUNT = 0x04;

  /** s_free_blocks_count, u32. */
  public static final int S_FREE_BLOCKS_COUNT = 0x0c;

  /** s_free_inodes_count, u32. */
  public static final int S_FREE_INODES_COUNT = 0x10;

  /** s_first_data_block, u32: the first block of group 0; 1 with 1 KiB blocks, else 0. */
  public static final int S_FIRST_DATA_BLOCK = 0x14;

  /** s_log_block_size, u32: log2 of the block size, less 10. */
  public static final int S_LOG_BLOCK_SIZE = 0x18;

  /** s_log_cluster_size, u32: log2 of the cluster size, less 10; with the feature bigalloc. */
  public static final int S_LOG_CLUSTER_SIZE = 0x1c;

  /** s_blocks_per_group, u32. */
  public static final int S_BLOCKS_PER_GROUP = 0x20;

  /** s_inodes_per_group, u32. */
  public static final int S_INODES_PER_GROUP = 0x28;

  /** s_magic, u16: {@link #MAGIC}. */
  public static final int S_MAGIC = 0x38;

  /** s_state, u16: {@link #STATE_VALID}, {@link #STATE_ERRORS}. */
  public static final int S_STATE = 0x3a;

  /** s_rev_level, u32: {@link #REVISION_OLD} or {@link #REVISION_DYNAMIC}. */
  public static final int S_REV_LEVEL = 0x4c;

  /** s_first_ino, u32: the first inode that is not reserved; from revision 1 on. */
  public static final int S_FIRST_INO = 0x54;

  /** s_inode_size, u16: bytes; from revision 1 on. */
  public static final int S_INODE_SIZE = 0x58;

  /** s_feature_compat, u32: features that an unaware program may ignore. */
  public static final int S_FEATURE_COMPAT = 0x5c;

  /** s_feature_incompat, u32: features that an unaware program must refuse. */
  public static final int S_FEATURE_INCOMPAT = 0x60;

  /** s_feature_ro_compat, u32: features that an unaware program may read over. */
  public static final int S_FEATURE_RO_COMPAT = 0x64;

  /** s_uuid, 16 bytes in the order in which they are printed. */
  public static final int S_UUID = 0x68;

  /** s_volume_name, 16 bytes, padded with NUL. */
  public static final int S_VOLUME_NAME = 0x78;

  /** s_journal_inum, u32: the inode of the journal; 0 if it lies on a device of its own. */
  public static final int S_JOURNAL_INUM = 0xe0;

  /** s_journal_dev, u32: the device of an external journal. */
  public static final int S_JOURNAL_DEV = 0xe4;

  /** s_hash_seed, 4 u32: where the hashes of names start, unless all are 0. */
  public static final int S_HASH_SEED = 0xec;

  /** s_def_hash_version, u8: the hash function of new directories. */
  public static final int S_DEF_HASH_VERSION = 0xfc;

  /** s_desc_size, u16: the size of a group descriptor in bytes; with the feature 64bit. */
  public static final int S_DESC_SIZE = 0xfe;

  /** s_first_meta_bg, u32: the first block of descriptors that lies in the groups it describes. */
  public static final int S_FIRST_META_BG = 0x104;

  /** s_blocks_count_hi, u32: high half of s_blocks_count; with the feature 64bit. */
  public static final int S_BLOCKS_COUNT_HI = 0x150;

  /** s_free_blocks_count_hi, u32: high half of s_free_blocks_count; with the feature 64bit. */
  public static final int S_FREE_BLOCKS_COUNT_HI = 0x158;

  /** s_flags, u32: {@link #UNSIGNED_HASH} and others. */
  public static final int S_FLAGS = 0x160;

  /** s_checksum_type, u8: {@link #CHECKSUM_CRC32C}; with the feature metadata_csum. */
  public static final int S_CHECKSUM_TYPE = 0x175;

  /** s_backup_bgs, 2 u32: the groups with copies of the superblock; with sparse_super2. */
  public static final int S_BACKUP_BGS = 0x24c;

  /** s_checksum_seed, u32: where checksums start; with the feature metadata_csum_seed. */
  public static final int S_CHECKSUM_SEED = 0x270;

  /** s_encoding, u16: {@link #ENCODING_UTF8_12_1}; with the feature casefold. */
  public static final int S_ENCODING = 0x27c;

  /** s_encoding_flags, u16: bit 0 if names must be of that encoding. */
  public static final int S_ENCODING_FLAGS = 0x27e;

  /** s_checksum, u32: the CRC-32C of all bytes before it; with the feature metadata_csum. */
  public static final int S_CHECKSUM = 0x3fc;

  /** s_flags: the bytes of names are hashed as unsigned numbers. */
  public static final int UNSIGNED_HASH = 0x2;

  /** The only value of s_encoding: Unicode 12.1.0 in UTF-8. */
  public static final int ENCODING_UTF8_12_1 = 1;

  /** The only value of s_checksum_type. */
  public static final int CHECKSUM_CRC32C = 1;

  /** Length of s_uuid in bytes. */
  public static final int UUID_LENGTH = 16;

  /** Length of the volume name in bytes. */
  public static final int VOLUME_NAME_LENGTH = 16;

  /** The value of s_magic. */
  public static final int MAGIC = 0xef53;

  /** Set while the file system is not mounted, or has a journal (EXT4_VALID_FS). */
  public static final int STATE_VALID = 1;

  /** Set when errors are found (EXT4_ERROR_FS). */
  public static final int STATE_ERRORS = 2;

  /** The first revision: inodes of 128 bytes, the first 10 reserved. */
  public static final int REVISION_OLD = 0;

  /** The revision that says its inode size and its features. */
  public static final int REVISION_DYNAMIC = 1;

  /** s_first_ino in revision 0, and the least one later (EXT2_GOOD_OLD_FIRST_INO). */
  public static final int OLD_FIRST_INO = 11;

  /** s_inode_size in revision 0, and the least one later (EXT2_GOOD_OLD_INODE_SIZE). */
  public static final int OLD_INODE_SIZE = 128;

  // Blocks

  /** log2 of the block size that s_log_block_size 0 stands for. */
  public static final int LEAST_BLOCK_SHIFT = 10;

  /** log2 of the largest block size. */
  public static final int MOST_BLOCK_SHIFT = 16;

  /** log2 of the largest cluster size (EXT4_MAX_CLUSTER_LOG_SIZE). */
  public static final int MOST_CLUSTER_SHIFT = 30;

  /** log2 of a sector, the unit of i_blocks. */
  public static final int SECTOR_SHIFT = 9;

  // struct ext2_group_desc

  /** Size of a group descriptor in bytes, unless the superblock says another. */
  public static final int GROUP_DESCRIPTOR_SIZE = 32;

  /** The least size of a group descriptor in bytes with the feature 64bit. */
  public static final int LARGE_GROUP_DESCRIPTOR_SIZE = 64;

  /** The most bytes of a group descriptor. */
  public static final int MOST_GROUP_DESCRIPTOR_SIZE = 1024;

  /** bg_block_bitmap, u32: the block that says which of the group's blocks are in use. */
  public static final int BG_BLOCK_BITMAP = 0x00;

  /** bg_inode_bitmap, u32: the block that says which of the group's inodes are in use. */
  public static final int BG_INODE_BITMAP = 0x04;

  /** bg_inode_table, u32: the block in which the group's inodes begin. */
  public static final int BG_INODE_TABLE = 0x08;

  /** bg_free_blocks_count, u16. */
  public static final int BG_FREE_BLOCKS_COUNT = 0x0c;

  /** bg_free_inodes_count, u16. */
  public static final int BG_FREE_INODES_COUNT = 0x0e;

  /** bg_used_dirs_count, u16. */
  public static final int BG_USED_DIRS_COUNT = 0x10;

  /** bg_checksum, u16: with the features uninit_bg and metadata_csum. */
  public static final int BG_CHECKSUM = 0x1e;

  /** How far the high half of a block number lies behind its low half, in large descriptors. */
  public static final int BG_HIGH = 0x20;

  // struct ext2_inode

  /** The inode of the root directory; inode 0 does not exist. */
  public static final int ROOT_INODE = 2;

  /** i_mode, u16. */
  public static final int I_MODE = 0x00;

  /** i_uid, u16: low half of the owner. */
  public static final int I_UID = 0x02;

  /** i_size, u32: low half of the length in bytes. */
  public static final int I_SIZE = 0x04;

  /** i_atime, s32: seconds since 1970. */
  public static final int I_ATIME = 0x08;

  /** i_ctime, s32: seconds since 1970. */
  public static final int I_CTIME = 0x0c;

  /** i_mtime, s32: seconds since 1970. */
  public static final int I_MTIME = 0x10;

  /** i_dtime, u32: when the file was deleted, 0 while it lives. */
  public static final int I_DTIME = 0x14;

  /** i_gid, u16: low half of the group. */
  public static final int I_GID = 0x18;

  /** i_links_count, u16. */
  public static final int I_LINKS_COUNT = 0x1a;

  /** i_blocks, u32: sectors of 512 bytes, with tree blocks and the block of attributes. */
  public static final int I_BLOCKS = 0x1c;

  /** i_flags, u32. */
  public static final int I_FLAGS = 0x20;

  /** i_block, 15 u32: the block tree, or a short link's target, or a device number. */
  public static final int I_BLOCK = 0x28;

  /** Size of i_block in bytes. */
  public static final int I_BLOCK_SIZE = 60;

  /** i_generation, u32: part of each checksum of the inode and its blocks. */
  public static final int I_GENERATION = 0x64;

  /** i_file_acl, u32: the block that holds extended attributes, 0 if none. */
  public static final int I_FILE_ACL = 0x68;

  /** i_size_high (once i_dir_acl), u32: high half of a regular file's length. */
  public static final int I_SIZE_HIGH = 0x6c;

  /** l_i_blocks_high, u16: bits of i_blocks above 32; with the feature huge_file. */
  public static final int I_BLOCKS_HIGH = 0x74;

  /** l_i_file_acl_high, u16: bits of i_file_acl above 32; with the feature 64bit. */
  public static final int I_FILE_ACL_HIGH = 0x76;

  /** l_i_uid_high, u16: high half of the owner. */
  public static final int I_UID_HIGH = 0x78;

  /** l_i_gid_high, u16: high half of the group. */
  public static final int I_GID_HIGH = 0x7a;

  /** l_i_checksum_lo, u16: low half of the CRC-32C; with the feature metadata_csum. */
  public static final int I_CHECKSUM_LO = 0x7c;

  /** i_extra_isize, u16: how many bytes past the first 128 are in use; in larger inodes only. */
  public static final int I_EXTRA_ISIZE = 0x80;

  /** i_checksum_hi, u16: high half of the CRC-32C, if the extra part reaches it. */
  public static final int I_CHECKSUM_HI = 0x82;

  /** i_ctime_extra, u32: two bits of epoch (2^32 s each), then 30 bits of nanoseconds. */
  public static final int I_CTIME_EXTRA = 0x84;

  /** i_mtime_extra, u32: as i_ctime_extra. */
  public static final int I_MTIME_EXTRA = 0x88;

  /** i_atime_extra, u32: as i_ctime_extra. */
  public static final int I_ATIME_EXTRA = 0x8c;

  /** i_crtime, s32: when the file was made, seconds since 1970. */
  public static final int I_CRTIME = 0x90;

  /** i_crtime_extra, u32: as i_ctime_extra. */
  public static final int I_CRTIME_EXTRA = 0x94;

  /** The bits of an extra time that count epochs. */
  public static final int EPOCH_MASK = 3;

  /** How far the nanoseconds are shifted up in an extra time. */
  public static final int EPOCH_BITS = 2;

  /** i_flags: the bytes are encrypted (EXT4_ENCRYPT_FL). */
  public static final long ENCRYPT_FL = 0x800;

  /** i_flags: i_blocks counts blocks, not sectors (EXT4_HUGE_FILE_FL). */
  public static final long HUGE_FILE_FL = 0x4_0000;

  /** i_flags: i_block holds an extent tree (EXT4_EXTENTS_FL). */
  public static final long EXTENTS_FL = 0x8_0000;

  /** i_flags: the directory is hashed (EXT4_INDEX_FL). */
  public static final long INDEX_FL = 0x1000;

  /** i_flags: the bytes are protected by fs-verity (EXT4_VERITY_FL). */
  public static final long VERITY_FL = 0x10_0000;

  /** i_flags: the inode is the value of an attribute (EXT4_EA_INODE_FL). */
  public static final long EA_INODE_FL = 0x20_0000;

  /** i_flags: the directory takes no notice of case (EXT4_CASEFOLD_FL). */
  public static final long CASEFOLD_FL = 0x4000_0000;

  /** i_flags: i_block holds the first bytes of the file (EXT4_INLINE_DATA_FL). */
  public static final long INLINE_DATA_FL = 0x1000_0000;

  // The tree of direct and indirect blocks

  /** How many entries of i_block name data directly; then one each of the three indirections. */
  public static final int DIRECT_BLOCKS = 12;

  /** Size of a block number in bytes. */
  public static final int POINTER_SIZE = 4;

  /** log2 of the size of a block number. */
  public static final int POINTER_SHIFT = 2;

  /** How many levels of indirection there are. */
  public static final int MAX_DEPTH = 3;

  // struct ext2_dir_entry_2

  /** inode, u32: the inode named, 0 in an entry that is not in use. */
  public static final int D_INODE = 0x00;

  /** rec_len, u16: from this entry to the next in bytes, a multiple of 4. */
  public static final int D_REC_LEN = 0x04;

  /** name_len, u8: length of the name in bytes. */
  public static final int D_NAME_LEN = 0x06;

  /** file_type, u8: with the filetype feature, else 0. */
  public static final int D_FILE_TYPE = 0x07;

  /** Where the name starts. */
  public static final int D_NAME = 0x08;

  /** What an entry's length is a multiple of, and its least length less the header. */
  public static final int D_ALIGNMENT = 4;

  /** The largest rec_len that is a length: in blocks of 64 KiB it stands for a whole block. */
  public static final int D_MOST_REC_LEN = 0xffff;

  /** Size of the last entry of a block, which holds a checksum; with the feature metadata_csum. */
  public static final int D_TAIL_SIZE = 12;

  /** The file_type of that entry. */
  public static final int D_TAIL_TYPE = 0xde;

  /** det_checksum, u32, in that entry: the CRC-32C of all before it. */
  public static final int D_TAIL_CHECKSUM = 0x08;
}
