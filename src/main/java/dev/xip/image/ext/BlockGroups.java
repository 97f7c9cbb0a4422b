package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import java.util.BitSet;

/**
 * The groups that the blocks of an image are divided into, and the blocks that describe them:
 * copies of the superblock and of the group descriptors, bitmaps and tables of inodes. Linux
 * counterpart: fs/ext2/balloc.c.
 */
final class BlockGroups {
  private final ByteView view;
  private final Superblock superblock;
  private final InodeTable inodes;
  private final boolean sparseCopies;

  BlockGroups(ByteView view, Superblock superblock, InodeTable inodes) {
    this.view = view;
    this.superblock = superblock;
    this.inodes = inodes;
    this.sparseCopies = superblock.info().features().contains("sparse_super");
  }

  /** Returns the first block of a group. */
  long firstBlock(long group) {
    return group * superblock.blocksPerGroup();
  }

  /** Returns how many blocks a group has; the last one may have fewer than the others. */
  int blocks(long group) {
    return (int) Math.min(superblock.blocksPerGroup(), superblock.blocks() - firstBlock(group));
  }

  /** Returns the byte offset of a group's descriptor in the table behind the superblock. */
  static long descriptor(long group) {
    return ExtLayout.BLOCK_SIZE + group * ExtLayout.GROUP_DESCRIPTOR_SIZE;
  }

  /** Returns how many blocks the descriptors of all groups take. */
  long descriptorBlocks() {
    return superblock.firstUsableBlock() - 1;
  }

  /**
   * Tells whether a group begins with a copy of the superblock and the descriptors: groups 0, 1 and
   * the powers of 3, 5 and 7, or all. Linux counterpart: {@code ext2_bg_has_super}.
   */
  boolean hasCopies(long group) {
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

  /** Returns the block that says which blocks of a group are in use. */
  long blockBitmap(long group) throws MalformedDataException {
    return bitmap(descriptor(group) + ExtLayout.BG_BLOCK_BITMAP);
  }

  /** Returns the block that says which inodes of a group are in use. */
  long inodeBitmap(long group) throws MalformedDataException {
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

  /** Returns the blocks that belong to no file: all that describes the groups. */
  BitSet described() throws MalformedDataException {
    BitSet blocks = new BitSet((int) superblock.blocks());
    for (long group = 0; group < superblock.groups(); group++) {
      if (hasCopies(group)) {
        set(blocks, firstBlock(group), 1 + descriptorBlocks());
      }
      set(blocks, blockBitmap(group), 1);
      set(blocks, inodeBitmap(group), 1);
      set(blocks, inodes.firstBlock(group), inodes.blocksPerGroup());
    }
    return blocks;
  }

  private static void set(BitSet blocks, long first, long count) {
    blocks.set((int) first, (int) (first + count));
  }

  /**
   * Demands that the bitmaps of all groups say what is known of the blocks.
   *
   * @param used the blocks in use
   * @throws MalformedDataException if a bitmap disagrees
   */
  void checkBitmaps(BitSet used) throws MalformedDataException {
    for (long group = 0; group < superblock.groups(); group++) {
      long at = blockBitmap(group) << ExtLayout.BLOCK_SHIFT;
      long first = firstBlock(group);
      BitSet found = BitSet.valueOf(view.bytes(at, ExtLayout.BLOCK_SIZE));
      found.clear(blocks(group), ExtLayout.BITMAP_BITS);
      BitSet expected = used.get((int) first, (int) first + blocks(group));
      if (!found.equals(expected)) {
        found.xor(expected);
        int bit = found.nextSetBit(0);
        throw view.malformed(
            at + bit / Byte.SIZE,
            "block %d to be %s".formatted(first + bit, expected.get(bit) ? "in use" : "free"),
            "the opposite in the bitmap of group " + group);
      }
    }
  }
}
