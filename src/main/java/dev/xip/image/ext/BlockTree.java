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
@FunctionalInterface
interface BlockTree {
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
  BlockMap read(ByteView view, Superblock superblock, Inode inode, Verdict verdict)
      throws MalformedDataException;

  /**
   * Chooses by the flags of an inode.
   *
   * @param flags i_flags
   * @return the reader of its i_block, or null if this package has none: for an extent tree ({@link
   *     ExtLayout#EXTENTS_FL}), inline data and encrypted files
   */
  static BlockTree of(long flags) {
    long other = ExtLayout.EXTENTS_FL | ExtLayout.INLINE_DATA_FL | ExtLayout.ENCRYPT_FL;
    return (flags & other) == 0 ? IndirectBlocks::read : null;
  }
}
