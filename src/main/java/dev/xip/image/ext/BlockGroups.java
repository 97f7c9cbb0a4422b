package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.util.BitSet;

/**
 * The groups that the blocks of an image are divided into, and the blocks that describe them:
 * copies of the superblock and of the group descriptors, bitmaps and tables of inodes. Linux
 * counterpart: fs/ext2/balloc.c.
 */
public final class BlockGroups {
  private final ByteView view;
  private final Superblock superblock;
  private final boolean sparseCopies;

  /**
   * Makes a reader of the group descriptors.
   *
   * @param view the image
   * @param superblock its superblock
   */
  public BlockGroups(ByteView view, Superblock superblock) {
    this.view = view;
    this.superblock = superblock;
    this.sparseCopies = superblock.info().features().contains("sparse_super");
  }

  /**
   * Returns where a group begins.
   *
   * @param group its number, from 0
   * @return its first block
   */
  public long firstBlock(long group) {
    return group * superblock.blocksPerGroup();
  }

  /**
   * Returns the size of a group.
   *
   * @param group its number, from 0
   * @return how many blocks it has; the last group may have fewer than the others
   */
  public int blocks(long group) {
    return (int) Math.min(superblock.blocksPerGroup(), superblock.blocks() - firstBlock(group));
  }

  /** The byte offset of a group's descriptor; the table begins in the block after block 0. */
  private long descriptor(long group) {
    return ExtLayout.BLOCK_SIZE + group * superblock.descriptorSize();
  }

  /** {@return how many blocks the descriptors of all groups take} */
  public long descriptorBlocks() {
    return superblock.firstUsableBlock() - 1;
  }

  /**
   * Tells whether a group begins with a copy of the superblock and the descriptors: groups 0, 1 and
   * the powers of 3, 5 and 7, or all. Linux counterpart: {@code ext2_bg_has_super}.
   *
   * @param group its number, from 0
   * @return whether it does
   */
  public boolean hasCopies(long group) {
    return !sparseCopies
        || group <= 1
        || isPower(group, 3)
        || isPower(group, 5)
        || isPower(group, 7);
  }

  private static boolean isPower(long value, long base) {
    long left = value;
    while (left % base == 0) {
      left /= base;
    }
    return left == 1;
  }

  /**
   * Finds the block bitmap of a group.
   *
   * @param group its number, from 0
   * @return the number of the block
   * @throws MalformedDataException if the image has no such block
   */
  public long blockBitmap(long group) throws MalformedDataException {
    return bitmap(descriptor(group) + ExtLayout.BG_BLOCK_BITMAP);
  }

  /**
   * Finds the inode bitmap of a group.
   *
   * @param group its number, from 0
   * @return the number of the block
   * @throws MalformedDataException if the image has no such block
   */
  public long inodeBitmap(long group) throws MalformedDataException {
    return bitmap(descriptor(group) + ExtLayout.BG_INODE_BITMAP);
  }

  private long bitmap(long field) throws MalformedDataException {
    long block = view.u32(field);
    if (block < superblock.firstUsableBlock() || block >= superblock.blocks()) {
      throw view.malformed(
          field,
          "a bitmap in blocks %d..%d"
              .formatted(superblock.firstUsableBlock(), superblock.blocks() - 1),
          "one in block %d".formatted(block));
    }
    return block;
  }

  /**
   * Finds an inode.
   *
   * @param number its number
   * @return its byte offset in the image; the whole inode lies inside
   * @throws MalformedDataException if there is none of that number, it is reserved, or its group's
   *     descriptor is damaged
   */
  public long inode(long number) throws MalformedDataException {
    if (number < 1 || number > superblock.inodes()) {
      throw view.malformed(
          ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_INODES_COUNT,
          "an inode number of 1..%d".formatted(superblock.inodes()),
          "inode number " + number);
    }
    if (number != ExtLayout.ROOT_INODE && number < superblock.firstInode()) {
      throw view.malformed(
          ExtLayout.SUPERBLOCK_OFFSET + ExtLayout.S_FIRST_INO,
          "the root inode or one from %d on".formatted(superblock.firstInode()),
          "reserved inode number " + number);
    }
    long group = (number - 1) / superblock.inodesPerGroup();
    long index = (number - 1) % superblock.inodesPerGroup();
    return (inodeTable(group) << ExtLayout.BLOCK_SHIFT) + index * superblock.inodeSize();
  }

  /** {@return how many blocks the inodes of a group take} */
  private long inodeTableBlocks() {
    return superblock.inodesPerGroup() * superblock.inodeSize() >> ExtLayout.BLOCK_SHIFT;
  }

  /** {@return the block in which the inodes of a group begin; all of them lie inside the image} */
  private long inodeTable(long group) throws MalformedDataException {
    long field = descriptor(group) + ExtLayout.BG_INODE_TABLE;
    long table = view.u32(field);
    long length = inodeTableBlocks();
    if (table < superblock.firstUsableBlock() || table > superblock.blocks() - length) {
      throw view.malformed(
          field,
          "an inode table of %d blocks in blocks %d..%d"
              .formatted(length, superblock.firstUsableBlock(), superblock.blocks() - 1),
          "one that starts in block %d".formatted(table));
    }
    return table;
  }

  /**
   * Finds the blocks of superblocks, descriptors, bitmaps and inode tables, which belong to no
   * file.
   *
   * @return their numbers
   * @throws MalformedDataException if a descriptor is damaged
   */
  public BitSet metadata() throws MalformedDataException {
    BitSet blocks = new BitSet((int) superblock.blocks());
    for (long group = 0; group < superblock.groups(); group++) {
      if (hasCopies(group)) {
        set(blocks, firstBlock(group), 1 + descriptorBlocks());
      }
      set(blocks, blockBitmap(group), 1);
      set(blocks, inodeBitmap(group), 1);
      set(blocks, inodeTable(group), inodeTableBlocks());
    }
    return blocks;
  }

  private static void set(BitSet blocks, long first, long count) {
    blocks.set((int) first, (int) (first + count));
  }
}
