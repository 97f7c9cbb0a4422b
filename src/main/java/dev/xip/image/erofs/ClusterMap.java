package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import dev.xip.image.erofs.Clusters.Form;
import dev.xip.image.erofs.InodeTable.Body;
import java.nio.file.FileSystemException;
import java.util.List;

/**
 * The map of a compressed file: a header behind the inode and its attributes, then an index for
 * each logical cluster, or a record for each extent. Linux counterpart:
 * fs/erofs/zmap.c:z_erofs_map_blocks_iter, which looks for one extent where this reads all of them.
 *
 * @param image the image
 * @param view what the inode lies in
 * @param superblock the image's superblock
 * @param inode the file
 * @param at the byte offset of the header in the view
 * @param advise the bits that say what follows
 * @param shift the size of a logical cluster as a power of two
 */
record ClusterMap(
    ByteView image,
    ByteView view,
    Superblock superblock,
    Inode inode,
    long at,
    int advise,
    int shift) {
  private static final List<String> ALGORITHMS = List.of("LZ4", "LZMA", "DEFLATE", "Zstandard");
  private static final List<Verdict> VERDICTS =
      List.of(
          Verdict.COMPRESSED_LZ4,
          Verdict.COMPRESSED_LZMA,
          Verdict.COMPRESSED_DEFLATE,
          Verdict.COMPRESSED_ZSTANDARD);

  /**
   * Reads the map of a file.
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
    ByteView view = body.view();
    long at = header(body);
    int bits = view.u8(at + ErofsLayout.H_CLUSTERBITS);
    ClusterMap map =
        new ClusterMap(
            image,
            view,
            superblock,
            inode,
            at,
            view.u16(at + ErofsLayout.H_ADVISE),
            superblock.blockShift() + (bits & ErofsLayout.CLUSTERBITS_MASK));
    Clusters.Builder clusters = new Clusters.Builder();
    if (hasRecords(body, map.advise)) {
      new ClusterRecords(map, clusters).read();
    } else if ((bits & ErofsLayout.WHOLE_FRAGMENT) != 0) {
      map.addFragment(clusters, 0, view.u64(at) ^ Long.MIN_VALUE);
    } else {
      map.checkAlgorithms();
      new ClusterIndexes(map, clusters).read(body.layout() == ErofsLayout.COMPRESSED_FULL);
    }
    Clusters built = clusters.build(inode.size());
    map.checkLengths(built);
    return built;
  }

  private static long header(Body body) throws MalformedDataException {
    long at = body.end() + 7 & -8;
    body.view().checkRange(at, ErofsLayout.MAP_HEADER_SIZE, "the map of a compressed file");
    return at;
  }

  private static boolean hasRecords(Body body, int advise) {
    return body.layout() == ErofsLayout.COMPRESSED_FULL
        && (advise & ErofsLayout.ADVISE_EXTENTS) != 0;
  }

  /**
   * Tells how a file is compressed, without a look at its extents.
   *
   * @param body the rest of its inode
   * @return the algorithm, one that is not decoded if there are two; {@link Verdict#COMPRESSED} if
   *     the header does not name it
   * @throws MalformedDataException if there is no header
   */
  static Verdict verdict(Body body) throws MalformedDataException {
    long at = header(body);
    int algorithms = body.view().u8(at + ErofsLayout.H_ALGORITHMS);
    int second = algorithms >> 4;
    int told = (algorithms & 0xf) == 0 ? second : algorithms & 0xf;
    boolean elsewhere =
        isWholeFragment(body) || hasRecords(body, body.view().u16(at + ErofsLayout.H_ADVISE));
    return elsewhere || told >= VERDICTS.size() ? Verdict.COMPRESSED : VERDICTS.get(told);
  }

  /** {@return whether all bytes of a compressed file lie in the packed file} */
  static boolean isWholeFragment(Body body) throws MalformedDataException {
    long at = header(body);
    int bits = body.view().u8(at + ErofsLayout.H_CLUSTERBITS);
    return !hasRecords(body, body.view().u16(at + ErofsLayout.H_ADVISE))
        && (bits & ErofsLayout.WHOLE_FRAGMENT) != 0;
  }

  private void checkAlgorithms() throws FileSystemException {
    int algorithms = view.u8(at + ErofsLayout.H_ALGORITHMS);
    requireLz4(algorithms & 0xf, at + ErofsLayout.H_ALGORITHMS);
    requireLz4(algorithms >> 4, at + ErofsLayout.H_ALGORITHMS);
  }

  /**
   * Demands that an algorithm is one that is decoded.
   *
   * @param algorithm its number
   * @param field where the number stands, for the message
   * @throws FileSystemException if it is another one
   */
  void requireLz4(int algorithm, long field) throws FileSystemException {
    if (algorithm >= ALGORITHMS.size()) {
      throw view.malformed(
          field, "one of the compressions 0..3", "the compression %d".formatted(algorithm));
    }
    if (algorithm != 0) {
      throw new FileSystemException(
          image.file(),
          null,
          "inode %d cannot be read: it is compressed with %s, and only LZ4 is decoded"
              .formatted(inode.number(), ALGORITHMS.get(algorithm)));
    }
  }

  /**
   * Counts the clusters of the file.
   *
   * @param indexSize the fewest bytes that an index takes
   * @return how many there are
   * @throws MalformedDataException if there is no room for their indexes
   */
  long clusterCount(int indexSize) throws MalformedDataException {
    long count = (inode.size() - 1 >>> shift) + 1;
    if (count > view.size() / indexSize) {
      throw view.malformed(
          at,
          "at most the %d indexes that there is room for".formatted(view.size() / indexSize),
          "%d clusters of inode %d".formatted(count, inode.number()));
    }
    return count;
  }

  /**
   * Demands that there is room for one extent more.
   *
   * @param clusters the extents so far
   * @param field where the next one stands, for the message
   * @throws MalformedDataException if there are too many to keep in memory
   */
  void checkCount(Clusters.Builder clusters, long field) throws MalformedDataException {
    if (clusters.count() >= ErofsLayout.MAX_EXTENTS) {
      throw view.malformed(
          field,
          "at most %d extents of inode %d".formatted(ErofsLayout.MAX_EXTENTS, inode.number()),
          "more");
    }
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
            at,
            "at most %d bytes of inode %d from its byte 0x%x on, %s in %d"
                .formatted(most, inode.number(), clusters.start(i), clusters.form(i), stored),
            Long.toString(length));
      }
    }
  }

  /**
   * Adds an extent that is a piece of the packed file.
   *
   * @param clusters where it is added
   * @param from where it starts in the file
   * @param place where it starts in the packed file
   * @throws MalformedDataException if no file is so long
   */
  void addFragment(Clusters.Builder clusters, long from, long place) throws MalformedDataException {
    if (place < 0 || place > ErofsLayout.MAX_FILE_SIZE) {
      throw view.malformed(at, "an offset in the packed file", "0x%x".formatted(place));
    }
    clusters.add(from, Form.FRAGMENT, place, 0, false);
  }
}
