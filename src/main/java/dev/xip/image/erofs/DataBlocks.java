package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import dev.xip.image.erofs.Clusters.Form;
import dev.xip.image.erofs.InodeTable.Body;

/**
 * Finds the bytes of files that are not compressed. Linux counterpart:
 * fs/erofs/data.c:erofs_map_blocks.
 */
final class DataBlocks {
  private final ByteView image;
  private final Superblock superblock;

  DataBlocks(ByteView image, Superblock superblock) {
    this.image = image;
    this.superblock = superblock;
  }

  /**
   * Maps an inode.
   *
   * @param inode a regular file, directory or link
   * @param body the rest of the inode
   * @return its block map; a directory or link is {@link Verdict#NOT_REGULAR}, with its extents. A
   *     file is {@link Verdict#COMPRESSED}, without extents, if it must be decoded
   * @throws MalformedDataException if the map is damaged
   */
  BlockMap map(Inode inode, Body body) throws MalformedDataException {
    boolean regular = inode.type() == FileType.REGULAR;
    if (inode.size() == 0) {
      return BlockMap.empty(regular ? Verdict.IN_PLACE : Verdict.NOT_REGULAR);
    }
    if (mustBeDecoded(inode, body)) {
      return BlockMap.empty(regular ? Verdict.COMPRESSED : Verdict.NOT_REGULAR);
    }
    BlockMap.Builder map = new BlockMap.Builder();
    boolean packed = false;
    if (body.layout() == ErofsLayout.CHUNK_BASED) {
      chunks(inode, body, map);
    } else {
      packed = body.layout() == ErofsLayout.FLAT_INLINE;
      long bytes = tailStart(inode) + (packed ? 0 : superblock.blockSize());
      if (bytes > 0 && (packed || body.block() >= 0)) {
        map.add(0, flatBlocks(inode, body, bytes), bytes);
      }
      if (packed) {
        map.add(tailStart(inode), tail(inode, body), inode.size() - tailStart(inode));
      }
    }
    Verdict verdict =
        packed ? Verdict.TAIL_PACKED : Verdict.ofBlocks(image.memory(), superblock.blockSize());
    return map.build(regular ? verdict : Verdict.NOT_REGULAR);
  }

  /** {@return whether the bytes are not all in the image as they are read} */
  boolean mustBeDecoded(Inode inode, Body body) {
    boolean tailElsewhere = body.layout() == ErofsLayout.FLAT_INLINE && body.view() != image;
    return body.isCompressed() || tailElsewhere && inode.size() > 0;
  }

  /** {@return where the bytes behind the inode begin in the file: the last block, even if whole} */
  private long tailStart(Inode inode) {
    return inode.size() - 1 & -superblock.blockSize();
  }

  /**
   * Finds the last bytes of a file, which lie behind its inode.
   *
   * @return their offset in the view of the inode
   */
  private long tail(Inode inode, Body body) throws MalformedDataException {
    long length = inode.size() - tailStart(inode);
    if (superblock.offsetInBlock(body.end()) + length > superblock.blockSize()) {
      throw body.view()
          .malformed(
              body.end(),
              "%d bytes of inode %d in one block".formatted(length, inode.number()),
              "a block that ends %d bytes on"
                  .formatted(superblock.blockSize() - superblock.offsetInBlock(body.end())));
    }
    body.view().checkRange(body.end(), length, "the last bytes of an inode");
    return body.end();
  }

  /** Finds the first bytes of a flat file, which are whole blocks. */
  private long flatBlocks(Inode inode, Body body, long bytes) throws MalformedDataException {
    return blocks(body.block() & ErofsLayout.NULL_BLOCK_48, bytes, inode, inode.offset());
  }

  /**
   * Describes a flat file whose last bytes do not lie in the image itself, but beside its inode.
   *
   * @param inode a file that is not empty
   * @param body the rest of its inode
   * @return its extents
   * @throws MalformedDataException if they are damaged
   */
  Clusters withTail(Inode inode, Body body) throws MalformedDataException {
    Clusters.Builder clusters = new Clusters.Builder();
    if (tailStart(inode) > 0) {
      clusters.add(0, Form.PLAIN, flatBlocks(inode, body, tailStart(inode)), 0, false);
    }
    clusters.add(tailStart(inode), Form.PLAIN, tail(inode, body), 0, true);
    return clusters.build(inode.size());
  }

  /**
   * Adds the chunks of a file. The array of their numbers lies in the image, so it is not longer
   * than that, whatever the size of the file.
   */
  private void chunks(Inode inode, Body body, BlockMap.Builder map) throws MalformedDataException {
    int format = body.chunkFormat();
    if ((format & ~ErofsLayout.CHUNK_ALL) != 0) {
      throw image.malformed(
          inode.offset() + ErofsLayout.I_U,
          "a format of chunks of the bits 0x%x".formatted(ErofsLayout.CHUNK_ALL),
          "0x%04x".formatted(format));
    }
    int shift = superblock.blockShift() + (format & ErofsLayout.CHUNK_BLKBITS_MASK);
    boolean indexes = (format & ErofsLayout.CHUNK_INDEXES) != 0;
    int unit = indexes ? ErofsLayout.CHUNK_INDEX_SIZE : ErofsLayout.CHUNK_POINTER_SIZE;
    long none =
        indexes && (format & ErofsLayout.CHUNK_48BIT) != 0
            ? ErofsLayout.NULL_BLOCK_48
            : ErofsLayout.NULL_BLOCK_32;
    long first = body.end() + unit - 1 & -unit;
    long count = (inode.size() - 1 >>> shift) + 1;
    if (count > image.size() / unit) {
      throw image.malformed(
          inode.offset() + ErofsLayout.I_SIZE,
          "at most the %d chunks that the image has room for".formatted(image.size() / unit),
          "%d chunks".formatted(count));
    }
    body.view().checkRange(first, count * unit, "the chunks of an inode");
    long end = tailStart(inode) + superblock.blockSize();
    for (long i = 0; i < count; i++) {
      long at = first + i * unit;
      long block = indexes ? index(body.view(), at) : body.view().u32(at);
      if ((block & none) != none) {
        long bytes = Math.min(1L << shift, end - (i << shift));
        map.add(i << shift, blocks(block & none, bytes, inode, at), bytes);
        if (map.extentCount() > ErofsLayout.MAX_EXTENTS) {
          throw image.malformed(
              at,
              "at most %d extents of inode %d".formatted(ErofsLayout.MAX_EXTENTS, inode.number()),
              "more");
        }
      }
    }
  }

  private static long index(ByteView view, long at) throws MalformedDataException {
    return (long) view.u16(at + ErofsLayout.C_STARTBLK_HI) << 32
        | view.u32(at + ErofsLayout.C_STARTBLK_LO);
  }

  /**
   * Checks that blocks lie in the image.
   *
   * @param block the first one
   * @param bytes how long they are
   * @param pointer where their number stands, for the message
   * @return the byte offset of the first one
   */
  private long blocks(long block, long bytes, Inode inode, long pointer)
      throws MalformedDataException {
    long all = image.size() >>> superblock.blockShift();
    long count = bytes >>> superblock.blockShift();
    if (count > all || block > all - count) {
      throw image.malformed(
          pointer,
          "%d blocks of inode %d in the image's %d".formatted(count, inode.number(), all),
          "blocks from number %d on".formatted(block));
    }
    return block << superblock.blockShift();
  }
}
