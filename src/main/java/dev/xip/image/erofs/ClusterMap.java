package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.Inode;
import dev.xip.image.erofs.Clusters.Form;
import dev.xip.image.erofs.InodeTable.Body;
import java.nio.file.FileSystemException;
import java.util.List;

/**
 * Reads the map of a compressed file: the header behind the inode and its attributes, then an index
 * for each logical cluster, or a record for each extent. Linux counterpart:
 * fs/erofs/zmap.c:z_erofs_map_blocks_iter, which looks for one extent where this reads all of them.
 */
final class ClusterMap {
  private static final int UNKNOWN = -1;
  private static final List<String> ALGORITHMS = List.of("LZ4", "LZMA", "DEFLATE", "Zstandard");

  private final ByteView image;
  private final ByteView view;
  private final Superblock superblock;
  private final Inode inode;
  private final long header;
  private final int advise;

  /** The size of a logical cluster as a power of two. */
  private final int shift;

  private final Clusters.Builder clusters = new Clusters.Builder();

  // The extent whose end is not known yet.
  private long start = -1;
  private int type;
  private long block;

  /** How many blocks the extent is stored in: none for a fragment. */
  private long blocks;

  /** The byte offset behind the last index or pack of indexes. */
  private long indexEnd;

  private ClusterMap(ByteView image, Superblock superblock, Inode inode, Body body)
      throws MalformedDataException {
    this.image = image;
    this.view = body.view();
    this.superblock = superblock;
    this.inode = inode;
    this.header = body.end() + 7 & -8;
    view.checkRange(header, ErofsLayout.MAP_HEADER_SIZE, "the map of a compressed file");
    this.advise = view.u16(header + ErofsLayout.H_ADVISE);
    this.shift =
        superblock.blockShift()
            + (view.u8(header + ErofsLayout.H_CLUSTERBITS) & ErofsLayout.CLUSTERBITS_MASK);
  }

  /**
   * Reads the map.
   *
   * @param image the image
   * @param superblock its superblock
   * @param inode a compressed file that is not empty
   * @param body the rest of its inode
   * @return its extents, each of which is stored in the image or lies in the packed file
   * @throws MalformedDataException if the map is damaged
   * @throws FileSystemException if it names an algorithm that is not read
   */
  static Clusters read(ByteView image, Superblock superblock, Inode inode, Body body)
      throws FileSystemException {
    ClusterMap map = new ClusterMap(image, superblock, inode, body);
    int bits = map.view.u8(map.header + ErofsLayout.H_CLUSTERBITS);
    boolean full = body.layout() == ErofsLayout.COMPRESSED_FULL;
    if (full && (map.advise & ErofsLayout.ADVISE_EXTENTS) != 0) {
      map.extents();
    } else if ((bits & ErofsLayout.WHOLE_FRAGMENT) != 0) {
      map.fragment(0, map.view.u64(map.header) ^ Long.MIN_VALUE);
    } else {
      map.checkAlgorithms();
      if (full) {
        map.fullIndexes();
      } else {
        map.compactIndexes();
      }
      map.last(full);
    }
    Clusters clusters = map.clusters.build(inode.size());
    map.checkLengths(clusters);
    return clusters;
  }

  private void checkAlgorithms() throws FileSystemException {
    int algorithms = view.u8(header + ErofsLayout.H_ALGORITHMS);
    requireLz4(algorithms & 0xf, header + ErofsLayout.H_ALGORITHMS);
    requireLz4(algorithms >> 4, header + ErofsLayout.H_ALGORITHMS);
  }

  private void requireLz4(int algorithm, long at) throws FileSystemException {
    if (algorithm >= ALGORITHMS.size()) {
      throw view.malformed(
          at, "one of the compressions 0..3", "the compression %d".formatted(algorithm));
    }
    if (algorithm != 0) {
      throw new FileSystemException(
          image.file(),
          null,
          "inode %d cannot be read: it is compressed with %s, and only LZ4 is decoded"
              .formatted(inode.number(), ALGORITHMS.get(algorithm)));
    }
  }

  private void fullIndexes() throws MalformedDataException {
    if (shift > ErofsLayout.MAX_FULL_SHIFT) {
      throw clusterSize(ErofsLayout.MAX_FULL_SHIFT);
    }
    long first = header + ErofsLayout.MAP_HEADER_SIZE + ErofsLayout.FULL_INDEX_GAP;
    long count = clusterCount(ErofsLayout.FULL_INDEX_SIZE);
    indexEnd = first + count * ErofsLayout.FULL_INDEX_SIZE;
    view.checkRange(first, indexEnd - first, "the indexes of a compressed file");
    for (long i = 0; i < count; i++) {
      long at = first + i * ErofsLayout.FULL_INDEX_SIZE;
      int clusterType = view.u16(at) & ErofsLayout.CLUSTER_TYPE_MASK;
      if (clusterType == ErofsLayout.CLUSTER_NONHEAD) {
        int distance = view.u16(at + ErofsLayout.L_BLKADDR);
        noHead(at, distance);
      } else {
        head(
            at,
            clusterType,
            i,
            view.u16(at + ErofsLayout.L_CLUSTEROFS),
            view.u32(at + ErofsLayout.L_BLKADDR));
      }
    }
  }

  /**
   * Reads indexes in packs of 8 bytes for two clusters or 32 bytes for sixteen. A pack ends with
   * the number of the block that the blocks of its extents follow one by one.
   */
  private void compactIndexes() throws MalformedDataException {
    if (shift > ErofsLayout.MAX_COMPACT_SHIFT) {
      throw clusterSize(ErofsLayout.MAX_COMPACT_SHIFT);
    }
    int big = advise & ErofsLayout.ADVISE_BIG_PCLUSTER;
    if (big != 0 && big != ErofsLayout.ADVISE_BIG_PCLUSTER) {
      throw view.malformed(
          header + ErofsLayout.H_ADVISE,
          "large clusters for both algorithms or none",
          "the bits 0x%04x".formatted(advise));
    }
    long count = clusterCount(Short.BYTES);
    long first = header + ErofsLayout.MAP_HEADER_SIZE;
    long smallFirst = 32 - first % 32 >> 2 & 7;
    long large = 0;
    if ((advise & ErofsLayout.ADVISE_COMPACTED_2B) != 0) {
      long all = Math.ceilDiv(inode.size(), superblock.blockSize());
      large = Math.max(0, all - smallFirst) & -16;
      if (large > 0 && shift > 12) {
        throw clusterSize(12);
      }
    }
    long at = first;
    for (long i = 0; i < count; ) {
      boolean isLarge = i >= smallFirst && i < smallFirst + large;
      int inPack = isLarge ? 16 : 2;
      int bytes = isLarge ? 32 : 8;
      view.checkRange(at, bytes, "the indexes of a compressed file");
      pack(at, bytes, inPack, i, Math.min(count - i, inPack), big != 0);
      i += inPack;
      at += bytes;
    }
    indexEnd = at;
  }

  private void pack(long at, int bytes, int inPack, long firstCluster, long used, boolean big)
      throws MalformedDataException {
    int lowBits = Math.max(shift, 12);
    int bits = (bytes - Integer.BYTES) * 8 / inPack;
    long next = view.u32(at + bytes - Integer.BYTES) + (big ? 0 : 1);
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
    return (int) (view.u32(pack + bit / 8) >>> bit % 8);
  }

  private static boolean isNoHead(int index, int lowBits) {
    return (index >> lowBits & ErofsLayout.CLUSTER_TYPE_MASK) == ErofsLayout.CLUSTER_NONHEAD;
  }

  private MalformedDataException clusterSize(int most) {
    return view.malformed(
        header + ErofsLayout.H_CLUSTERBITS,
        "clusters of at most 2^%d bytes".formatted(most),
        "2^" + shift);
  }

  /** Counts the clusters of the file. */
  private long clusterCount(int indexSize) throws MalformedDataException {
    long count = (inode.size() - 1 >>> shift) + 1;
    if (count > view.size() / indexSize) {
      throw view.malformed(
          header,
          "at most the %d indexes that there is room for".formatted(view.size() / indexSize),
          "%d clusters of inode %d".formatted(count, inode.number()));
    }
    return count;
  }

  /** An extent starts, and with it ends the one before. */
  private void head(long at, int headType, long cluster, int offset, long firstBlock)
      throws MalformedDataException {
    long from = (cluster << shift) + offset;
    if (offset >= 1 << shift || cluster == 0 && offset > 0 || from > inode.size()) {
      throw view.malformed(
          at,
          "an extent that starts in cluster %d of inode %d, and in the first one at its start"
              .formatted(cluster, inode.number()),
          "one at its byte 0x%x".formatted(offset));
    }
    if (from == inode.size()) {
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
    return (advise & bit) != 0;
  }

  /** A cluster in which no extent starts; the first one of an extent counts its blocks. */
  private void noHead(long at, int distance) throws MalformedDataException {
    boolean count = (distance & ErofsLayout.DISTANCE_IS_COUNT) != 0;
    if (start < 0 || count && (advise & ErofsLayout.ADVISE_BIG_PCLUSTER) == 0) {
      throw view.malformed(
          at,
          start < 0 ? "the start of an extent in the first cluster" : "a distance below 0x800",
          "a cluster of the type 2 with 0x%04x".formatted(distance));
    }
    if (blocks == UNKNOWN) {
      if (!count) {
        throw view.malformed(
            at, "the number of blocks of an extent", "the distance 0x%04x".formatted(distance));
      }
      blocks = distance & ~ErofsLayout.DISTANCE_IS_COUNT;
    }
  }

  /** Adds the extent that was started and lies in blocks of its own. */
  private void stored(long at) throws MalformedDataException {
    // An extent that is not longer than its first cluster has one block.
    long bytes = (blocks == UNKNOWN ? 1 : blocks) << superblock.blockShift();
    if (bytes == 0
        || bytes > ErofsLayout.MAX_ENCODED
        || block > image.size() >>> superblock.blockShift()) {
      throw view.malformed(
          at,
          "1..%d bytes of an extent in the image".formatted(ErofsLayout.MAX_ENCODED),
          "%d from block %d on".formatted(bytes, block));
    }
    image.checkRange(block << superblock.blockShift(), bytes, "a compressed extent");
    clusters.add(start, form(), block << superblock.blockShift(), (int) bytes, false);
  }

  private Form form() {
    if (type != ErofsLayout.CLUSTER_PLAIN) {
      return Form.LZ4;
    }
    return (advise & ErofsLayout.ADVISE_INTERLACED) != 0 ? Form.INTERLACED : Form.PLAIN;
  }

  private void checkLengths(Clusters clusters) throws MalformedDataException {
    for (int i = 0; i < clusters.count(); i++) {
      int stored = clusters.stored(i);
      long most =
          switch (clusters.form(i)) {
            case HOLE, FRAGMENT -> Long.MAX_VALUE;
            case PLAIN -> stored;
            case INTERLACED -> Math.min(stored, superblock.blockSize());
            case LZ4 -> ErofsLayout.MAX_DECODED;
          };
      long length = clusters.end(i) - clusters.start(i);
      if (length > most) {
        throw view.malformed(
            header,
            "at most %d bytes of inode %d from its byte 0x%x on, %s in %d"
                .formatted(most, inode.number(), clusters.start(i), clusters.form(i), stored),
            Long.toString(length));
      }
    }
  }

  /** Adds the last extent, which may lie behind the indexes or in the packed file. */
  private void last(boolean full) throws MalformedDataException {
    long inline = view.u16(header + ErofsLayout.H_INLINE_SIZE);
    if ((advise & ErofsLayout.ADVISE_FRAGMENT) != 0) {
      long low = view.u32(header + ErofsLayout.H_FRAGMENT_OFFSET);
      fragment(start, low | (full ? block << 32 : 0));
    } else if ((advise & ErofsLayout.ADVISE_INLINE_PCLUSTER) != 0 && inline > 0) {
      if (superblock.offsetInBlock(indexEnd) + inline > superblock.blockSize()) {
        throw view.malformed(
            header + ErofsLayout.H_INLINE_SIZE,
            "%d bytes of inode %d in the block that their indexes end in"
                .formatted(inline, inode.number()),
            "indexes that end at 0x%x".formatted(indexEnd));
      }
      view.checkRange(indexEnd, inline, "a compressed extent");
      clusters.add(start, form(), indexEnd, (int) inline, true);
    } else {
      stored(header);
    }
  }

  private void fragment(long from, long place) throws MalformedDataException {
    if (place < 0 || place > ErofsLayout.MAX_FILE_SIZE) {
      throw view.malformed(header, "an offset in the packed file", "0x%x".formatted(place));
    }
    clusters.add(from, Form.FRAGMENT, place, 0, false);
  }

  /** Reads records of 4 or 8 bytes, one for each cluster, or of 16 or 32, one for each extent. */
  private void extents() throws FileSystemException {
    int size = 4 << (advise >> ErofsLayout.ADVISE_RECORD_SHIFT & ErofsLayout.ADVISE_RECORD_MASK);
    long first = header + ErofsLayout.MAP_HEADER_SIZE + size - 1 & -size;
    if (size <= ErofsLayout.EXTENT_PSTART_HI) {
      clusterRecords(first, size);
      return;
    }
    long count =
        view.u32(header + ErofsLayout.H_EXTENTS_LO)
            | (long) view.u16(header + ErofsLayout.H_EXTENTS_HI) << 32;
    view.checkRange(first, Math.min(count, view.size()) * size, "the extents of a file");
    if (count == 0 || lstart(first, size) > 0) {
      clusters.add(0, Form.HOLE, 0, 0, false);
    }
    long before = -1;
    for (long i = 0; i < count; i++) {
      long at = first + i * size;
      long from = lstart(at, size);
      if (from <= before || from > inode.size()) {
        throw view.malformed(
            at + ErofsLayout.EXTENT_LSTART_LO,
            "an extent behind byte 0x%x of inode %d, of 0x%x bytes"
                .formatted(before, inode.number(), inode.size()),
            "one at 0x%x".formatted(from));
      }
      if (from < inode.size()) {
        long place =
            view.u32(at + ErofsLayout.EXTENT_PSTART_LO)
                | view.u32(at + ErofsLayout.EXTENT_PSTART_HI) << 32;
        record(at, from, place, size, i + 1 == count);
      }
      before = from;
    }
  }

  private long lstart(long at, int size) throws MalformedDataException {
    long high =
        size > ErofsLayout.EXTENT_LSTART_HI ? view.u32(at + ErofsLayout.EXTENT_LSTART_HI) : 0;
    return high << 32 | view.u32(at + ErofsLayout.EXTENT_LSTART_LO);
  }

  /** Records of 4 bytes have the place of the first extent before them; the others follow on it. */
  private void clusterRecords(long first, int size) throws FileSystemException {
    boolean follow = size <= ErofsLayout.EXTENT_PSTART_LO;
    long count = clusterCount(size);
    long at = first;
    long place = 0;
    if (follow) {
      place = view.u64(at);
      at += Long.BYTES;
    }
    view.checkRange(at, count * size, "the extents of a file");
    for (long i = 0; i < count; i++, at += size) {
      if (!follow) {
        place = view.u32(at + ErofsLayout.EXTENT_PSTART_LO);
      }
      record(at, i << shift, place, size, i + 1 == count);
      place += view.u32(at) & ErofsLayout.PLEN_MASK;
    }
  }

  private void record(long at, long from, long place, int size, boolean isLast)
      throws FileSystemException {
    long length = view.u32(at + ErofsLayout.EXTENT_PLEN);
    int stored = (int) length & ErofsLayout.PLEN_MASK;
    if (isLast && (advise & ErofsLayout.ADVISE_FRAGMENT) != 0) {
      fragment(from, length | (size > ErofsLayout.EXTENT_PSTART_LO ? place << 32 : 0));
    } else if (stored == 0) {
      clusters.add(from, Form.HOLE, 0, 0, false);
    } else {
      if (stored > ErofsLayout.MAX_ENCODED) {
        throw view.malformed(
            at, "an extent of at most %d bytes".formatted(ErofsLayout.MAX_ENCODED), "" + stored);
      }
      image.checkRange(place, stored, "a compressed extent");
      clusters.add(from, form(at, length, place, stored), place, stored, false);
    }
  }

  private Form form(long at, long length, long place, int stored) throws FileSystemException {
    int format = (int) (length >>> ErofsLayout.PLEN_FORMAT_SHIFT);
    if (format > 0) {
      requireLz4(format - 1, at);
      return Form.LZ4;
    }
    boolean interlaced = (advise & ErofsLayout.ADVISE_INTERLACED) != 0;
    return interlaced && superblock.offsetInBlock(place | stored) == 0
        ? Form.INTERLACED
        : Form.PLAIN;
  }
}
