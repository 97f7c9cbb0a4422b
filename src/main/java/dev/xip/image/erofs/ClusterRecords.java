package dev.xip.image.erofs;

import dev.xip.base.MalformedDataException;
import dev.xip.image.erofs.Clusters.Form;
import java.nio.file.FileSystemException;

/**
 * The records of the extents of a compressed file, in the place of indexes of its clusters. Linux
 * counterpart: fs/erofs/zmap.c:z_erofs_map_blocks_ext.
 */
final class ClusterRecords {
  private final ClusterMap map;
  private final Clusters.Builder clusters;

  /**
   * Makes a reader.
   *
   * @param map the header of the map
   * @param clusters receives the extents
   */
  ClusterRecords(ClusterMap map, Clusters.Builder clusters) {
    this.map = map;
    this.clusters = clusters;
  }

  /** Reads records of 4 or 8 bytes, one for each cluster, or of 16 or 32, one for each extent. */
  void read() throws FileSystemException {
    int size =
        4 << (map.advise() >> ErofsLayout.ADVISE_RECORD_SHIFT & ErofsLayout.ADVISE_RECORD_MASK);
    long first = map.at() + ErofsLayout.MAP_HEADER_SIZE + size - 1 & -size;
    if (size <= ErofsLayout.EXTENT_PSTART_HI) {
      clusterRecords(first, size);
      return;
    }
    long count =
        map.view().u32(map.at() + ErofsLayout.H_EXTENTS_LO)
            | (long) map.view().u16(map.at() + ErofsLayout.H_EXTENTS_HI) << 32;
    map.view()
        .checkRange(first, Math.min(count, map.view().size()) * size, "the extents of a file");
    if (count == 0 || lstart(first, size) > 0) {
      clusters.add(0, Form.HOLE, 0, 0, false);
    }
    long before = -1;
    for (long i = 0; i < count; i++) {
      long at = first + i * size;
      long from = lstart(at, size);
      if (from <= before || from > map.inode().size()) {
        throw map.view()
            .malformed(
                at + ErofsLayout.EXTENT_LSTART_LO,
                "an extent behind byte 0x%x of inode %d, of 0x%x bytes"
                    .formatted(before, map.inode().number(), map.inode().size()),
                "one at 0x%x".formatted(from));
      }
      if (from < map.inode().size()) {
        long place =
            map.view().u32(at + ErofsLayout.EXTENT_PSTART_LO)
                | map.view().u32(at + ErofsLayout.EXTENT_PSTART_HI) << 32;
        record(at, from, place, size, i + 1 == count);
      }
      before = from;
    }
  }

  private long lstart(long at, int size) throws MalformedDataException {
    long high =
        size > ErofsLayout.EXTENT_LSTART_HI ? map.view().u32(at + ErofsLayout.EXTENT_LSTART_HI) : 0;
    return high << 32 | map.view().u32(at + ErofsLayout.EXTENT_LSTART_LO);
  }

  /** Records of 4 bytes have the place of the first extent before them; the others follow on it. */
  private void clusterRecords(long first, int size) throws FileSystemException {
    boolean follow = size <= ErofsLayout.EXTENT_PSTART_LO;
    long count = map.clusterCount(size);
    long at = first;
    long place = 0;
    if (follow) {
      place = map.view().u64(at);
      at += Long.BYTES;
    }
    map.view().checkRange(at, count * size, "the extents of a file");
    for (long i = 0; i < count; i++, at += size) {
      if (!follow) {
        place = map.view().u32(at + ErofsLayout.EXTENT_PSTART_LO);
      }
      record(at, i << map.shift(), place, size, i + 1 == count);
      place += map.view().u32(at) & ErofsLayout.PLEN_MASK;
    }
  }

  private void record(long at, long from, long place, int size, boolean isLast)
      throws FileSystemException {
    map.checkCount(clusters, at);
    long length = map.view().u32(at + ErofsLayout.EXTENT_PLEN);
    int stored = (int) length & ErofsLayout.PLEN_MASK;
    if (isLast && (map.advise() & ErofsLayout.ADVISE_FRAGMENT) != 0) {
      map.addFragment(
          clusters, from, length | (size > ErofsLayout.EXTENT_PSTART_LO ? place << 32 : 0));
    } else if (stored == 0) {
      clusters.add(from, Form.HOLE, 0, 0, false);
    } else {
      if (stored > ErofsLayout.MAX_ENCODED) {
        throw map.view()
            .malformed(
                at,
                "an extent of at most %d bytes".formatted(ErofsLayout.MAX_ENCODED),
                "" + stored);
      }
      map.image().checkRange(place, stored, "a compressed extent");
      clusters.add(from, form(at, length, place, stored), place, stored, false);
    }
  }

  private Form form(long at, long length, long place, int stored) throws FileSystemException {
    int format = (int) (length >>> ErofsLayout.PLEN_FORMAT_SHIFT);
    if (format > 0) {
      map.requireLz4(format - 1, at);
      return Form.LZ4;
    }
    boolean interlaced = (map.advise() & ErofsLayout.ADVISE_INTERLACED) != 0;
    return interlaced && map.superblock().offsetInBlock(place | stored) == 0
        ? Form.INTERLACED
        : Form.PLAIN;
  }
}
