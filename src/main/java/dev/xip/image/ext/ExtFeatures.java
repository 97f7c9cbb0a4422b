package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.util.ArrayList;
import java.util.List;

/**
 * The feature bits of a superblock, with the names that mke2fs gives them.
 *
 * @param compat s_feature_compat: features that an unaware program may ignore
 * @param incompat s_feature_incompat: features that an unaware program must refuse
 * @param roCompat s_feature_ro_compat: features that an unaware program may read over
 */
public record ExtFeatures(int compat, int incompat, int roCompat) {
  /** A journal, from which ext3 has its name. */
  static final int COMPAT_HAS_JOURNAL = 0x4;

  /** Directories may be hashed. */
  static final int COMPAT_DIR_INDEX = 0x20;

  /** At most two groups have copies of the superblock; the superblock names them. */
  static final int COMPAT_SPARSE_SUPER2 = 0x200;

  /** Directory entries hold the type of what they name. */
  public static final int INCOMPAT_FILETYPE = 0x2;

  /** Changes are in the journal that are not in their places yet. */
  static final int INCOMPAT_RECOVER = 0x4;

  /** Group descriptors lie in the groups that they describe. */
  static final int INCOMPAT_META_BG = 0x10;

  /** Files may have extent trees. */
  public static final int INCOMPAT_EXTENTS = 0x40;

  /** Block numbers of 64 bits and larger group descriptors. */
  static final int INCOMPAT_64BIT = 0x80;

  /** A block says which host has the image mounted for writing. */
  static final int INCOMPAT_MMP = 0x100;

  /** Bitmaps and inode tables may lie in any group. */
  static final int INCOMPAT_FLEX_BG = 0x200;

  /** Large attributes lie in inodes of their own. */
  static final int INCOMPAT_EA_INODE = 0x400;

  /** The superblock stores where checksums start, so that the UUID can change. */
  static final int INCOMPAT_CSUM_SEED = 0x2000;

  /** Directories above 2 GiB, and indexes of three levels. */
  static final int INCOMPAT_LARGE_DIR = 0x4000;

  /** Files may lie inside their inodes. */
  static final int INCOMPAT_INLINE_DATA = 0x8000;

  /** Files and names may be encrypted. */
  static final int INCOMPAT_ENCRYPT = 0x1_0000;

  /** Directories may take no notice of case. */
  static final int INCOMPAT_CASEFOLD = 0x2_0000;

  /** The incompatible features that this package reads. */
  static final int INCOMPAT_SUPPORTED =
      INCOMPAT_FILETYPE
          | INCOMPAT_RECOVER
          | INCOMPAT_META_BG
          | INCOMPAT_EXTENTS
          | INCOMPAT_64BIT
          | INCOMPAT_MMP
          | INCOMPAT_FLEX_BG
          | INCOMPAT_EA_INODE
          | INCOMPAT_CSUM_SEED
          | INCOMPAT_LARGE_DIR
          | INCOMPAT_INLINE_DATA
          | INCOMPAT_ENCRYPT
          | INCOMPAT_CASEFOLD;

  /** Only a few groups have copies of the superblock. */
  static final int RO_COMPAT_SPARSE_SUPER = 0x1;

  /** Inodes count blocks in 48 bits, and may count whole blocks. */
  static final int RO_COMPAT_HUGE_FILE = 0x8;

  /** Group descriptors have checksums. */
  static final int RO_COMPAT_UNINIT_BG = 0x10;

  /** Blocks are allocated in clusters. */
  static final int RO_COMPAT_BIGALLOC = 0x200;

  /** All metadata has checksums. */
  static final int RO_COMPAT_METADATA_CSUM = 0x400;

  /** Equal blocks of files may be stored once. */
  static final int RO_COMPAT_SHARED_BLOCKS = 0x4000;

  /** What the drivers of ext2 and ext3 read: sparse_super, large_file and 0x4, never used. */
  private static final int RO_COMPAT_OF_EXT3 = 0x7;

  private static final int INCOMPAT_OF_EXT3 =
      INCOMPAT_FILETYPE | INCOMPAT_RECOVER | INCOMPAT_META_BG;

  /** Names of the compatible features, from bit 0 on. */
  private static final List<String> COMPAT =
      List.of(
          "dir_prealloc",
          "imagic_inodes",
          "has_journal",
          "ext_attr",
          "resize_inode",
          "dir_index",
          "lazy_bg",
          "",
          "snapshot_bitmap",
          "sparse_super2",
          "fast_commit",
          "stable_inodes",
          "orphan_file");

  /** Names of the incompatible features, from bit 0 on. */
  private static final List<String> INCOMPAT =
      List.of(
          "compression",
          "filetype",
          "needs_recovery",
          "journal_dev",
          "meta_bg",
          "",
          "extent",
          "64bit",
          "mmp",
          "flex_bg",
          "ea_inode",
          "",
          "dirdata",
          "metadata_csum_seed",
          "large_dir",
          "inline_data",
          "encrypt",
          "casefold");

  /** Names of the features that only a writer must know, from bit 0 on. */
  private static final List<String> RO_COMPAT =
      List.of(
          "sparse_super",
          "large_file",
          "",
          "huge_file",
          "uninit_bg",
          "dir_nlink",
          "extra_isize",
          "",
          "quota",
          "bigalloc",
          "metadata_csum",
          "replica",
          "read-only",
          "project",
          "shared_blocks",
          "verity",
          "orphan_present");

  /**
   * Reads the features.
   *
   * @param view the image
   * @return the features
   * @throws MalformedDataException if the image ends before
   */
  static ExtFeatures read(ByteView view) throws MalformedDataException {
    return new ExtFeatures(
        view.s32(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_FEATURE_COMPAT),
        view.s32(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_FEATURE_INCOMPAT),
        view.s32(ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_FEATURE_RO_COMPAT));
  }

  /** {@return whether a compatible feature is set} */
  boolean hasCompat(int bit) {
    return (compat & bit) != 0;
  }

  /** {@return whether an incompatible feature is set} */
  boolean hasIncompat(int bit) {
    return (incompat & bit) != 0;
  }

  /** {@return whether a feature is set that only a writer must know} */
  boolean hasRoCompat(int bit) {
    return (roCompat & bit) != 0;
  }

  /**
   * {@return the name of the oldest file system that has all these features: ext2, ext3 or ext4} As
   * blkid decides (util-linux, libblkid/src/superblocks/ext.c).
   */
  String format() {
    if ((roCompat & ~RO_COMPAT_OF_EXT3 | incompat & ~INCOMPAT_OF_EXT3) != 0) {
      return "ext4";
    }
    return hasCompat(COMPAT_HAS_JOURNAL) ? "ext3" : "ext2";
  }

  /** {@return the names of all features, unknown ones in hex} */
  List<String> names() {
    List<String> all = new ArrayList<>(names("compat", COMPAT, compat));
    all.addAll(names("incompat", INCOMPAT, incompat));
    all.addAll(names("ro_compat", RO_COMPAT, roCompat));
    return List.copyOf(all);
  }

  /** {@return the names of the incompatible features that are not read, unknown ones in hex} */
  List<String> refused() {
    return names("incompat", INCOMPAT, incompat & ~INCOMPAT_SUPPORTED);
  }

  private static List<String> names(String word, List<String> known, int bits) {
    List<String> names = new ArrayList<>();
    for (int left = bits; left != 0; left &= left - 1) {
      int bit = Integer.numberOfTrailingZeros(left);
      boolean named = bit < known.size() && !known.get(bit).isEmpty();
      names.add(named ? known.get(bit) : "%s:0x%x".formatted(word, 1L << bit));
    }
    return names;
  }
}
