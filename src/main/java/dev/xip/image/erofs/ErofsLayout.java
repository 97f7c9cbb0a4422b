package dev.xip.image.erofs;

/** Offsets, sizes and bits of the structures on disk. Linux counterpart: fs/erofs/erofs_fs.h. */
final class ErofsLayout {
  // The superblock (struct erofs_super_block).
  static final long SUPERBLOCK_OFFSET = 1024;
  static final int SUPERBLOCK_SIZE = 128;
  static final int EXTENSION_SLOT_SIZE = 16;
  static final long MAGIC = 0xe0f5_e1e2L;
  static final int S_MAGIC = 0x00;
  static final int S_CHECKSUM = 0x04;
  static final int S_FEATURE_COMPAT = 0x08;
  static final int S_BLKSZBITS = 0x0c;
  static final int S_EXTSLOTS = 0x0d;
  static final int S_ROOT_NID_OR_BLOCKS_HI = 0x0e;
  static final int S_INOS = 0x10;
  static final int S_EPOCH = 0x18;
  static final int S_FIXED_NSEC = 0x20;
  static final int S_BLOCKS = 0x24;
  static final int S_META_BLKADDR = 0x28;
  static final int S_XATTR_BLKADDR = 0x2c;
  static final int S_UUID = 0x30;
  static final int S_VOLUME_NAME = 0x40;
  static final int VOLUME_NAME_LENGTH = 16;
  static final int S_FEATURE_INCOMPAT = 0x50;
  static final int S_EXTRA_DEVICES = 0x56;
  static final int S_DIRBLKBITS = 0x5a;
  static final int S_XATTR_PREFIX_COUNT = 0x5b;
  static final int S_XATTR_PREFIX_START = 0x5c;
  static final int S_PACKED_NID = 0x60;
  static final int S_ROOT_NID_8B = 0x70;
  static final int S_METABOX_NID = 0x80;
  static final long MAX_INODES = 1L << 48;

  /** Seconds since 1970, before or after, that an Instant holds with room for those of an inode. */
  static final long MAX_SECOND = 1L << 54;

  static final int MIN_BLOCK_SHIFT = 9;
  static final int MAX_BLOCK_SHIFT = 16;

  // Inodes (struct erofs_inode_compact and erofs_inode_extended); a nid counts slots of 32 bytes.
  static final int SLOT_SHIFT = 5;

  static final int COMPACT_SIZE = 32;
  static final int EXTENDED_SIZE = 64;
  static final int I_FORMAT = 0x00;
  static final int I_XATTR_ICOUNT = 0x02;
  static final int I_MODE = 0x04;

  /** Number of links of a compact inode, or the upper 16 bits of a block number or count. */
  static final int I_NB = 0x06;

  static final int I_SIZE = 0x08;
  static final int COMPACT_MTIME = 0x0c;
  static final int I_U = 0x10;
  static final int COMPACT_UID = 0x18;
  static final int COMPACT_GID = 0x1a;
  static final int EXTENDED_UID = 0x18;
  static final int EXTENDED_GID = 0x1c;
  static final int EXTENDED_MTIME = 0x20;
  static final int EXTENDED_MTIME_NSEC = 0x28;
  static final int EXTENDED_NLINK = 0x2c;
  static final int FORMAT_EXTENDED = 0x01;
  static final int FORMAT_LAYOUT_SHIFT = 1;
  static final int FORMAT_LAYOUT_MASK = 0x07;

  /** In the format: one link, for a compact inode; for a directory: no entry for itself. */
  static final int FORMAT_NLINK_1 = 0x10;

  static final int FORMAT_DOT_OMITTED = 0x10;
  static final int FORMAT_ALL = 0x1f;
  static final long NULL_BLOCK_32 = 0xffff_ffffL;
  static final long NULL_BLOCK_48 = 0xffff_ffff_ffffL;

  /** Sizes are below, so that they can be rounded up to blocks. */
  static final long MAX_FILE_SIZE = Long.MAX_VALUE - (1 << MAX_BLOCK_SHIFT);

  /** The most extents of a file that are kept in memory. */
  static final int MAX_EXTENTS = 1 << 22;

  // Layouts of an inode's bytes.
  static final int FLAT_PLAIN = 0;
  static final int COMPRESSED_FULL = 1;
  static final int FLAT_INLINE = 2;
  static final int COMPRESSED_COMPACT = 3;
  static final int CHUNK_BASED = 4;

  // Files in chunks (struct erofs_inode_chunk_info and erofs_inode_chunk_index).
  static final int CHUNK_BLKBITS_MASK = 0x1f;
  static final int CHUNK_INDEXES = 0x20;
  static final int CHUNK_48BIT = 0x40;
  static final int CHUNK_ALL = 0x7f;
  static final int CHUNK_POINTER_SIZE = 4;
  static final int CHUNK_INDEX_SIZE = 8;
  static final int C_STARTBLK_HI = 0;
  static final int C_STARTBLK_LO = 4;

  // Extended attributes (struct erofs_xattr_ibody_header and erofs_xattr_entry).
  static final int ATTRIBUTES_HEADER_SIZE = 12;
  static final int H_SHARED_COUNT = 0x04;
  static final int SHARED_ID_SIZE = 4;
  static final int E_NAME_LEN = 0x00;
  static final int E_NAME_INDEX = 0x01;
  static final int E_VALUE_SIZE = 0x02;
  static final int E_NAME = 0x04;
  static final int ATTRIBUTE_ALIGNMENT = 4;
  static final int LONG_PREFIX = 0x80;

  // POSIX ACLs, in the form of the system calls (struct posix_acl_xattr_header and _entry).
  static final int ACL_VERSION = 2;
  static final int ACL_HEADER_SIZE = 4;
  static final int ACL_ENTRY_SIZE = 8;
  static final int ACL_ID = 4;
  static final int ACL_USER_OBJ = 0x01;
  static final int ACL_USER = 0x02;
  static final int ACL_GROUP_OBJ = 0x04;
  static final int ACL_GROUP = 0x08;
  static final int ACL_MASK = 0x10;
  static final int ACL_OTHER = 0x20;

  /** A long prefix: the number of a short one, then what comes between it and the name. */
  static final int MAX_LONG_PREFIX = 1 + 255;

  // Directory entries (struct erofs_dirent).
  static final int DIRENT_SIZE = 12;
  static final int D_NID = 0x00;
  static final int D_NAMEOFF = 0x08;
  static final int D_FILE_TYPE = 0x0a;
  static final int MAX_NAME = 255;

  /** The longest target of a link (PATH_MAX without its zero byte). */
  static final int MAX_LINK_TARGET = 4095;

  // Compressed files (struct z_erofs_map_header, z_erofs_lcluster_index and z_erofs_extent).
  static final int MAP_HEADER_SIZE = 8;
  static final int H_FRAGMENT_OFFSET = 0x00;
  static final int H_INLINE_SIZE = 0x02;
  static final int H_EXTENTS_LO = 0x00;
  static final int H_ADVISE = 0x04;
  static final int H_ALGORITHMS = 0x06;
  static final int H_EXTENTS_HI = 0x06;
  static final int H_CLUSTERBITS = 0x07;
  static final int CLUSTERBITS_MASK = 0x0f;

  /** In the cluster bits: the whole file is a piece of the packed file. */
  static final int WHOLE_FRAGMENT = 0x80;

  static final int ADVISE_COMPACTED_2B = 0x01;
  static final int ADVISE_EXTENTS = 0x01;
  static final int ADVISE_BIG_PCLUSTER = 0x06;
  static final int ADVISE_BIG_PCLUSTER_1 = 0x02;
  static final int ADVISE_BIG_PCLUSTER_2 = 0x04;
  static final int ADVISE_INLINE_PCLUSTER = 0x08;
  static final int ADVISE_INTERLACED = 0x10;
  static final int ADVISE_FRAGMENT = 0x20;
  static final int ADVISE_RECORD_SHIFT = 1;
  static final int ADVISE_RECORD_MASK = 0x03;
  static final int CLUSTER_PLAIN = 0;
  static final int CLUSTER_HEAD_1 = 1;
  static final int CLUSTER_NONHEAD = 2;
  static final int CLUSTER_TYPE_MASK = 3;

  /** The distance of a cluster's head: a count of blocks is in its place. */
  static final int DISTANCE_IS_COUNT = 0x800;

  static final int FULL_INDEX_SIZE = 8;

  /** Eight bytes that are not used lie between the header of the map and the full indexes. */
  static final int FULL_INDEX_GAP = 8;

  static final int L_CLUSTEROFS = 0x02;
  static final int L_BLKADDR = 0x04;
  static final int MAX_COMPACT_SHIFT = 14;
  static final int MAX_FULL_SHIFT = 16;
  static final int EXTENT_PLEN = 0x00;
  static final int EXTENT_PSTART_LO = 0x04;
  static final int EXTENT_PSTART_HI = 0x08;
  static final int EXTENT_LSTART_LO = 0x0c;
  static final int EXTENT_LSTART_HI = 0x10;
  static final int PLEN_FORMAT_SHIFT = 28;
  static final int PLEN_MASK = (1 << 21) - 1;
  static final int MAX_ENCODED = 1 << 20;
  static final int MAX_DECODED = 12 << 20;

  private ErofsLayout() {}
}
