package dev.xip.image.erofs;

import java.util.ArrayList;
import java.util.List;

/**
 * The feature bits of a superblock. Three bits of the incompatible features have two meanings each,
 * which the fields that belong to them tell apart.
 */
final class ErofsFeatures {
  static final int COMPAT_CHECKSUM = 0x01;
  static final int COMPAT_SHARED_ATTRIBUTES_IN_METABOX = 0x08;
  static final int COMPAT_PLAIN_PREFIXES = 0x10;
  static final int INCOMPAT_ZERO_PADDING = 0x01;
  static final int INCOMPAT_DEVICE_TABLE = 0x08;
  static final int INCOMPAT_FRAGMENTS = 0x20;
  static final int INCOMPAT_48BIT = 0x80;
  static final int INCOMPAT_METABOX = 0x100;

  private static final List<String> COMPAT =
      List.of(
          "sb_csum",
          "mtime",
          "xattr_filter",
          "shared_ea_in_metabox",
          "plain_xattr_pfx",
          "ishare_xattrs");

  private static final List<String> INCOMPAT =
      List.of(
          "0padding",
          "compr_cfgs/big_pcluster",
          "chunked_file",
          "device_table/compr_head2",
          "ztailpacking",
          "fragments/dedupe",
          "xattr_prefixes",
          "48bit",
          "metabox");

  /** The incompatible features that this package reads: all that have names. */
  static final int INCOMPAT_SUPPORTED = (1 << INCOMPAT.size()) - 1;

  private ErofsFeatures() {}

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
   * @param compat the bits of feature_compat
   * @param incompat the bits of feature_incompat
   * @return their names, unknown ones in hex
   */
  static List<String> all(long compat, long incompat) {
    List<String> all = new ArrayList<>(names("compat", COMPAT, compat));
    all.addAll(incompat(incompat));
    return List.copyOf(all);
  }

  private static List<String> names(String word, List<String> known, long bits) {
    List<String> names = new ArrayList<>();
    for (long left = bits; left != 0; left &= left - 1) {
      int bit = Long.numberOfTrailingZeros(left);
      names.add(bit < known.size() ? known.get(bit) : "%s:0x%x".formatted(word, 1L << bit));
    }
    return names;
  }
}
