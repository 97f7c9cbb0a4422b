package dev.xip.image.ext;

import java.util.ArrayList;
import java.util.List;

/** The feature bits of a superblock, with the names that mke2fs gives them. */
final class ExtFeatures {
  /** The incompatible feature that puts a file's type into its directory entry. */
  static final int INCOMPAT_FILETYPE = 0x2;

  /** The incompatible feature of block numbers of 64 bits and of larger group descriptors. */
  static final int INCOMPAT_64BIT = 0x80;

  /** The incompatible features that this package reads. */
  static final int INCOMPAT_SUPPORTED = INCOMPAT_FILETYPE;

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
          "extents",
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

  private ExtFeatures() {}

  /**
   * Names incompatible features.
   *
   * @param bits their bits
   * @return their names, unknown ones as {@code incompat:0x…}
   */
  static List<String> incompat(long bits) {
    return names("incompat", INCOMPAT, bits);
  }

  /**
   * Names all features of a superblock.
   *
   * @param compat the bits of s_feature_compat
   * @param incompat the bits of s_feature_incompat
   * @param roCompat the bits of s_feature_ro_compat
   * @return their names, unknown ones in hex
   */
  static List<String> all(long compat, long incompat, long roCompat) {
    List<String> all = new ArrayList<>(names("compat", COMPAT, compat));
    all.addAll(incompat(incompat));
    all.addAll(names("ro_compat", RO_COMPAT, roCompat));
    return List.copyOf(all);
  }

  private static List<String> names(String word, List<String> known, long bits) {
    List<String> names = new ArrayList<>();
    for (long left = bits; left != 0; left &= left - 1) {
      int bit = Long.numberOfTrailingZeros(left);
      boolean named = bit < known.size() && !known.get(bit).isEmpty();
      names.add(named ? known.get(bit) : "%s:0x%x".formatted(word, 1L << bit));
    }
    return names;
  }
}
