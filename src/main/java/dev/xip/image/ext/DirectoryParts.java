package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.Crc32c;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;

/**
 * Where the entries of a directory lie: in whole blocks, or in two pieces of its inode. Checks the
 * checksum of each block once. Linux counterpart: fs/ext4/namei.c:__ext4_read_dirblock.
 */
final class DirectoryParts {
  private final ByteView view;
  private final Superblock superblock;
  private final Inode directory;
  private final BlockMap map;

  /** Null for a directory of whole blocks. */
  private final InlineData inline;

  private final int count;
  private final int seed;

  /**
   * One bit for each block whose checksum was found right. Not volatile: two threads may both
   * check.
   */
  private final long[] checked;

  /**
   * Opens a directory.
   *
   * @param view the image
   * @param superblock its superblock
   * @param directory the directory's inode
   * @param map where its blocks lie
   * @param inline where its entries lie if they are in the inode, else null
   * @throws MalformedDataException if it has a hole
   */
  DirectoryParts(
      ByteView view, Superblock superblock, Inode directory, BlockMap map, InlineData inline)
      throws MalformedDataException {
    this.view = view;
    this.superblock = superblock;
    this.directory = directory;
    this.map = map;
    this.inline = inline;
    this.count = inline != null ? inline.pieces() : blocks();
    this.seed =
        checksums()
            ? superblock.checksums().inodeSeed(view, directory.number(), directory.offset())
            : 0;
    this.checked = new long[checksums() ? (count >>> 6) + 1 : 0];
  }

  private int blocks() throws MalformedDataException {
    long blocks = Math.ceilDiv(directory.size(), superblock.blockSize());
    if (blocks > HashTreeLayout.BLOCK_MASK) {
      throw view.malformed(
          directory.offset() + ExtLayout.I_SIZE,
          "a directory of at most 2^28 blocks",
          "one of 0x%x bytes".formatted(directory.size()));
    }
    long end = 0;
    for (int i = 0; i < map.extentCount() && map.extent(i).fileOffset() == end; i++) {
      end = map.extent(i).fileEnd();
    }
    if (end < directory.size()) {
      throw view.malformed(
          directory.offset() + ExtLayout.I_BLOCK,
          "a block for byte 0x%x of directory inode %d".formatted(end, directory.number()),
          "a hole");
    }
    return (int) blocks;
  }

  /** {@return how many parts there are, at least 0} */
  int count() {
    return count;
  }

  /** {@return whether the directory is hashed} */
  boolean isHashed() {
    return inline == null
        && count > 0
        && (directory.flags() & ExtLayout.INDEX_FL) != 0
        && superblock.features().hasCompat(ExtFeatures.COMPAT_DIR_INDEX);
  }

  /** {@return whether blocks have checksums} */
  boolean checksums() {
    return inline == null && superblock.checksums().inBlocks();
  }

  /** {@return the size of a block in bytes} */
  int blockSize() {
    return superblock.blockSize();
  }

  /**
   * Returns where a part begins.
   *
   * @param part its number, from 0
   * @return its byte offset in the image
   */
  long start(int part) {
    return inline != null
        ? inline.piece(part)
        : map.imageOffset((long) part << superblock.blockShift());
  }

  /**
   * Returns where the entries of a part begin, once its checksum was checked.
   *
   * @param part its number, from 0
   * @return their byte offset in the image
   * @throws MalformedDataException if the checksum is wrong or missing
   */
  long entries(int part) throws MalformedDataException {
    long start = start(part);
    if (checked.length > 0 && (checked[part >>> 6] & 1L << part) == 0) {
      checkLeaf(start);
      checked[part >>> 6] |= 1L << part;
    }
    return start;
  }

  /** Notes that an index block was checked by another sum than those with entries have. */
  void setChecked(int part) {
    if (checked.length > 0) {
      checked[part >>> 6] |= 1L << part;
    }
  }

  /** {@return how long a part is, in bytes} */
  int length(int part) {
    return inline != null ? inline.length(part) : superblock.blockSize();
  }

  private void checkLeaf(long block) throws MalformedDataException {
    long tail = block + superblock.blockSize() - ExtLayout.D_TAIL_SIZE;
    boolean found =
        view.u32(tail) == 0
            && view.u16(tail + ExtLayout.D_REC_LEN) == ExtLayout.D_TAIL_SIZE
            && view.u8(tail + ExtLayout.D_NAME_LEN) == 0
            && view.u8(tail + ExtLayout.D_FILE_TYPE) == ExtLayout.D_TAIL_TYPE;
    if (!found) {
      throw view.malformed(
          tail,
          "the tail of a directory block, with its checksum",
          "an entry for inode %d of type 0x%x"
              .formatted(view.u32(tail), view.u8(tail + ExtLayout.D_FILE_TYPE)));
    }
    long field = tail + ExtLayout.D_TAIL_CHECKSUM;
    check(block, field, Crc32c.of(seed, view, block, tail));
  }

  /**
   * Checks the checksum of an index block: of all up to its last entry in use, then of the tail.
   *
   * @param block the byte offset of the block
   * @param used how many bytes of it are covered
   * @param tail the byte offset of the tail
   * @throws MalformedDataException if it is wrong
   */
  void checkNode(long block, int used, long tail) throws MalformedDataException {
    if (checksums()) {
      long field = tail + HashTreeLayout.TAIL_CHECKSUM;
      int computed = Crc32c.of(seed, view, block, block + used);
      computed = Crc32c.ofNumber(Crc32c.of(computed, view, tail, field), 0, Integer.BYTES);
      check(block, field, computed);
    }
  }

  private void check(long block, long field, int computed) throws MalformedDataException {
    if (computed != view.s32(field)) {
      throw view.malformed(
          field,
          "the checksum 0x%08x of block 0x%x of directory inode %d"
              .formatted(computed, block >>> superblock.blockShift(), directory.number()),
          "0x%08x".formatted(view.s32(field)));
    }
  }

  /**
   * Reads rec_len. In blocks of 64 KiB two values stand for the whole block, and its two lowest
   * bits are higher ones. Linux counterpart: fs/ext4/ext4.h:ext4_rec_len_from_disk.
   *
   * @param at the byte offset of an entry
   * @return how far it is to the next entry, in bytes
   * @throws MalformedDataException if the image ends before
   */
  int entryLength(long at) throws MalformedDataException {
    int stored = view.u16(at + ExtLayout.D_REC_LEN);
    if (superblock.blockSize() <= ExtLayout.D_MOST_REC_LEN) {
      return stored;
    }
    if (stored == 0 || stored == ExtLayout.D_MOST_REC_LEN) {
      return superblock.blockSize();
    }
    return stored & ~3 | (stored & 3) << Short.SIZE;
  }
}
