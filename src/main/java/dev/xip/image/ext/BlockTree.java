package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;

/**
 * Reads the structure in an inode's i_block that leads to the file's blocks. Linux counterpart:
 * fs/ext4/inode.c:ext4_map_blocks, which chooses by {@code EXT4_INODE_EXTENTS}.
 */
final class BlockTree {
  private BlockTree() {}

  /**
   * Maps an inode. Terminates on every image, whatever loops it holds.
   *
   * @param view the image
   * @param superblock its superblock
   * @param inode an inode whose i_block holds such a structure
   * @param verdict the verdict that the map gets
   * @return the map
   * @throws MalformedDataException if a block lies outside the image or among the group
   *     descriptors, or is named twice
   */
  static BlockMap read(ByteView view, Superblock superblock, Inode inode, Verdict verdict)
      throws MalformedDataException {
    return (inode.flags() & ExtLayout.EXTENTS_FL) == 0
        ? IndirectBlocks.read(view, superblock, inode, verdict)
        : ExtentTree.read(view, superblock, inode, verdict);
  }

  /**
   * Returns how long a file can be.
   *
   * @param flags i_flags
   * @param blockShift log2 of the block size
   * @return the most blocks that the structure in its i_block can lead to
   */
  static long mostBlocks(long flags, int blockShift) {
    long indirect = IndirectBlocks.mostBlocks(blockShift - ExtLayout.POINTER_SHIFT);
    return (flags & ExtLayout.EXTENTS_FL) == 0
        ? Math.min(ExtentLayout.MOST_FILE_BLOCKS, indirect)
        : ExtentLayout.MOST_FILE_BLOCKS;
  }
}
