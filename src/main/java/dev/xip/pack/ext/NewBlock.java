package dev.xip.pack.ext;

import dev.xip.image.ext.ExtLayout;

/** The block of a new image: a page, so that files can be used in place. */
final class NewBlock {
  /** log2 of the block size. */
  static final int SHIFT = 12;

  /** The block size in bytes. */
  static final int SIZE = 1 << SHIFT;

  /** How many sectors of 512 bytes, the unit of i_blocks, a block has. */
  static final int SECTORS = SIZE >> ExtLayout.SECTOR_SHIFT;

  /** The most blocks or inodes that a group's one-block bitmap covers. */
  static final int BITMAP_BITS = SIZE * 8;

  /** log2 of how many block numbers an indirect block holds. */
  static final int POINTERS_SHIFT = SHIFT - ExtLayout.POINTER_SHIFT;

  /** How many block numbers an indirect block holds. */
  static final int POINTERS = 1 << POINTERS_SHIFT;

  /** The most bytes of a file, those that a tree of indirect blocks can name. */
  static final long MOST_FILE_BYTES =
      (ExtLayout.DIRECT_BLOCKS
              + (1L << POINTERS_SHIFT)
              + (1L << (2 * POINTERS_SHIFT))
              + (1L << (3 * POINTERS_SHIFT)))
          << SHIFT;

  /** The longest target of a symbolic link in bytes: a block, less a closing NUL. */
  static final int LONGEST_TARGET = SIZE - 1;

  private NewBlock() {}
}
