package dev.xip.image.erofs;

import dev.xip.base.MalformedDataException;
import dev.xip.image.erofs.Clusters.Form;

/**
 * The indexes of the logical clusters of a compressed file, read from the first to the last: each
 * tells whether an extent starts in its cluster, and where that is stored. Linux counterpart:
 * fs/erofs/zmap.c:z_erofs_load_full_lcluster and z_erofs_load_compact_lcluster.
 */
final class ClusterIndexes {
  private static final int UNKNOWN = -1;

  private final ClusterMap map;
  private final Clusters.Builder clusters;

  // The extent whose end is not known yet.
  private long start = -1;
  private int type;
  private long block;

  /** How many blocks the extent is stored in: none for a fragment. */
  private long blocks;

  /** The byte offset behind the last index or pack of indexes. */
  private long indexEnd;

  /**
   * Makes a reader.
   *
   * @param map the header of the map
   * @param clusters receives the extents
   */
  ClusterIndexes(ClusterMap map, Clusters.Builder clusters) {
    this.map = map;
    this.clusters = clusters;
  }

  /**
   * Reads all indexes.
   *
   * @param full whether each is a structure of its own; else they share bits of packs
   * @throws MalformedDataException if one is damaged
   */
  void read(boolean full) throws MalformedDataException {
    if (full) {
      fullIndexes();
    } else {
      compactIndexes();
    }
    last(full);
  }

  private void fullIndexes() throws MalformedDataException {
    if (map.shift() > ErofsLayout.MAX_FULL_SHIFT) {
      throw clusterSize(ErofsLayout.MAX_FULL_SHIFT);
    }
    long first = map.at() + ErofsLayout.MAP_HEADER_SIZE + ErofsLayout.FULL_INDEX_GAP;
    long count = map.clusterCount(ErofsLayout.FULL_INDEX_SIZE);
    indexEnd = first + count * ErofsLayout.FULL_INDEX_SIZE;
    map.view().checkRange(first, indexEnd - first, "the indexes of a compressed file");
    for (long i = 0; i < count; i++) {
      long at = first + i * ErofsLayout.FULL_INDEX_SIZE;
      int clusterType = map.view().u16(at) & ErofsLayout.CLUSTER_TYPE_MASK;
      if (clusterType == ErofsLayout.CLUSTER_NONHEAD) {
        int distance = map.view().u16(at + ErofsLayout.L_BLKADDR);
        noHead(at, distance);
      } else {
        head(
            at,
            clusterType,
            i,
            map.view().u16(at + ErofsLayout.L_CLUSTEROFS),
            map.view().u32(at + ErofsLayout.L_BLKADDR));
      }
    }
  }

  /**
   * Reads indexes in packs of 8 bytes for two clusters or 32 bytes for sixteen. A pack ends with
   * the number of the block that the blocks of its extents follow one by one.
   */
  private void compactIndexes() throws MalformedDataException {
    if (map.shift() > ErofsLayout.MAX_COMPACT_SHIFT) {
      throw clusterSize(ErofsLayout.MAX_COMPACT_SHIFT);
    }
    int big = map.advise() & ErofsLayout.ADVISE_BIG_PCLUSTER;
    if (big != 0 && big != ErofsLayout.ADVISE_BIG_PCLUSTER) {
      throw map.view()
          .malformed(
              map.at() + ErofsLayout.H_ADVISE,
              "large clusters for both algorithms or none",
              "the bits 0x%04x".formatted(map.advise()));
    }
    long count = map.clusterCount(Short.BYTES);
    long first = map.at() + ErofsLayout.MAP_HEADER_SIZE;
    long smallFirst = 32 - first % 32 >> 2 & 7;
    long large = 0;
    if ((map.advise() & ErofsLayout.ADVISE_COMPACTED_2B) != 0) {
      long all = Math.ceilDiv(map.inode().size(), map.superblock().blockSize());
      large = Math.max(0, all - smallFirst) & -16;
      if (large > 0 && map.shift() > 12) {
        throw clusterSize(12);
      }
    }
    long at = first;
    for (long i = 0; i < count; ) {
      boolean isLarge = i >= smallFirst && i < smallFirst + large;
      int inPack = isLarge ? 16 : 2;
      int bytes = isLarge ? 32 : 8;
      map.view().checkRange(at, bytes, "the indexes of a compressed file");
      pack(at, bytes, inPack, i, Math.min(count - i, inPack), big != 0);
      i += inPack;
      at += bytes;
    }
    indexEnd = at;
  }

  private void pack(long at, int bytes, int inPack, long firstCluster, long used, boolean big)
      throws MalformedDataException {
    int lowBits = Math.max(map.shift(), 12);
    int bits = (bytes - Integer.BYTES) * 8 / inPack;
    long next = map.view().u32(at + bytes - Integer.BYTES) + (big ? 0 : 1);
    for (int i = 0; i < used; i++) {
      int index = index(at, i * bits);
      int low = index & (1 << lowBits) - 1;
      int clusterType = index >> lowBits & ErofsLayout.CLUSTER_TYPE_MASK;
      if (clusterType == ErofsLayout.CLUSTER_NONHEAD) {
        noHead(at, low);
        if ((low & ErofsLayout.DISTANCE_IS_COUNT) != 0) {
          next += low & ~ErofsLayout.DISTANCE_IS_COUNT;
        }
      } else {
        head(at, clusterType, firstCluster + i, low, next);
        if (!big || i + 1 < used && !isNoHead(index(at, (i + 1) * bits), lowBits)) {
          next++;
        }
      }
    }
  }

  /** Reads the bits of an index, and others behind them. */
  private int index(long pack, int bit) throws MalformedDataException {
    return (int) (map.view().u32(pack + bit / 8) >>> bit % 8);
  }

  private static boolean isNoHead(int index, int lowBits) {
    return (index >> lowBits & ErofsLayout.CLUSTER_TYPE_MASK) == ErofsLayout.CLUSTER_NONHEAD;
  }

  private MalformedDataException clusterSize(int most) {
    return map.view()
        .malformed(
            map.at() + ErofsLayout.H_CLUSTERBITS,
            "clusters of at most 2^%d bytes".formatted(most),
            "2^" + map.shift());
  }

  /** An extent starts, and with it ends the one before. */
  private void head(long at, int headType, long cluster, int offset, long firstBlock)
      throws MalformedDataException {
    long from = (cluster << map.shift()) + offset;
    if (offset >= 1 << map.shift() || cluster == 0 && offset > 0 || from > map.inode().size()) {
      throw map.view()
          .malformed(
              at,
              "an extent that starts in cluster %d of inode %d, and in the first one at its start"
                  .formatted(cluster, map.inode().number()),
              "one at its byte 0x%x".formatted(offset));
    }
    if (from == map.inode().size()) {
      // It ends the last extent, and has no bytes itself.
      return;
    }
    if (start >= 0) {
      stored(at);
    }
    start = from;
    type = headType;
    block = firstBlock;
    blocks = isBig() ? UNKNOWN : 1;
  }

  private boolean isBig() {
    int bit =
        type == ErofsLayout.CLUSTER_HEAD_1
            ? ErofsLayout.ADVISE_BIG_PCLUSTER_1
            : ErofsLayout.ADVISE_BIG_PCLUSTER_2;
    return (map.advise() & bit) != 0;
  }

  /** A cluster in which no extent starts; the first one of an extent counts its blocks. */
  private void noHead(long at, int distance) throws MalformedDataException {
    boolean count = (distance & ErofsLayout.DISTANCE_IS_COUNT) != 0;
    if (start < 0 || count && (map.advise() & ErofsLayout.ADVISE_BIG_PCLUSTER) == 0) {
      throw map.view()
          .malformed(
              at,
              start < 0 ? "the start of an extent in the first cluster" : "a distance below 0x800",
              "a cluster of the type 2 with 0x%04x".formatted(distance));
    }
    if (blocks == UNKNOWN) {
      if (!count) {
        throw map.view()
            .malformed(
                at, "the number of blocks of an extent", "the distance 0x%04x".formatted(distance));
      }
      blocks = distance & ~ErofsLayout.DISTANCE_IS_COUNT;
    }
  }

  /** Adds the extent that was started and lies in blocks of its own. */
  private void stored(long at) throws MalformedDataException {
    // An extent that is not longer than its first cluster has one block.
    long bytes = (blocks == UNKNOWN ? 1 : blocks) << map.superblock().blockShift();
    if (bytes == 0
        || bytes > ErofsLayout.MAX_ENCODED
        || block > map.image().size() >>> map.superblock().blockShift()) {
      throw map.view()
          .malformed(
              at,
              "1..%d bytes of an extent in the image".formatted(ErofsLayout.MAX_ENCODED),
              "%d from block %d on".formatted(bytes, block));
    }
    map.checkCount(clusters, at);
    map.image().checkRange(block << map.superblock().blockShift(), bytes, "a compressed extent");
    clusters.add(start, form(), block << map.superblock().blockShift(), (int) bytes, false);
  }

  private Form form() {
    if (type != ErofsLayout.CLUSTER_PLAIN) {
      return Form.LZ4;
    }
    return (map.advise() & ErofsLayout.ADVISE_INTERLACED) != 0 ? Form.INTERLACED : Form.PLAIN;
  }

  /** Adds the last extent, which may lie behind the indexes or in the packed file. */
  private void last(boolean full) throws MalformedDataException {
    long inline = map.view().u16(map.at() + ErofsLayout.H_INLINE_SIZE);
    if ((map.advise() & ErofsLayout.ADVISE_FRAGMENT) != 0) {
      long low = map.view().u32(map.at() + ErofsLayout.H_FRAGMENT_OFFSET);
      map.addFragment(clusters, start, low | (full ? block << 32 : 0));
    } else if ((map.advise() & ErofsLayout.ADVISE_INLINE_PCLUSTER) != 0 && inline > 0) {
      if (map.superblock().offsetInBlock(indexEnd) + inline > map.superblock().blockSize()) {
        throw map.view()
            .malformed(
                map.at() + ErofsLayout.H_INLINE_SIZE,
                "%d bytes of inode %d in the block that their indexes end in"
                    .formatted(inline, map.inode().number()),
                "indexes that end at 0x%x".formatted(indexEnd));
      }
      map.view().checkRange(indexEnd, inline, "a compressed extent");
      clusters.add(start, form(), indexEnd, (int) inline, true);
    } else {
      stored(map.at());
    }
  }
}
