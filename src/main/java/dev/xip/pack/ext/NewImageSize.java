package dev.xip.pack.ext;

import dev.xip.image.FileType;
import dev.xip.image.ext.ExtLayout;
import java.util.List;

/**
 * The size of an image that holds given files, in 4 KiB blocks: those of the files, and for each
 * group of blocks its bitmaps, inode table and copy of the descriptors. Large files need slots:
 * aligned stretches of 2 MiB that hold none of these.
 *
 * @param blocks the blocks of the whole image
 * @param inodes the inodes to ask for
 * @param fileBlocks the blocks of all files, with the blocks that name these
 * @param largeFiles how many files have runs that may be broken where slots begin and end
 * @param dirNlink whether a directory holds more directories than its link count can tell, for
 *     which the image needs the feature dir_nlink
 */
public record NewImageSize(
    long blocks, long inodes, long fileBlocks, long largeFiles, boolean dirNlink) {
  /** The size of a block in bytes. */
  public static final int BLOCK = NewBlock.SIZE;

  /** The size of an inode in bytes. */
  public static final int INODE = NewAttributes.INODE_SIZE;

  /** The most blocks of an image, whose numbers are kept in 31 bits. */
  private static final long MOST_BLOCKS = Integer.MAX_VALUE - 1L;

  /** Mke2fs makes no image with fewer blocks than some 60. */
  private static final int FEWEST_BLOCKS = 128;

  /** Mke2fs needs room for lost+found and the root, which the writer drops. */
  private static final int FEWEST_FREE = 16;

  private static final int BLOCKS_PER_GROUP = NewBlock.BITMAP_BITS;
  private static final int INODES_PER_BLOCK = BLOCK / INODE;
  private static final int INODES_PER_GROUP = NewBlock.BITMAP_BITS - INODES_PER_BLOCK;
  private static final int SLOTS_PER_GROUP = BLOCKS_PER_GROUP / SlotPlan.SLOT_BLOCKS;

  /** Mke2fs leaves out a last group with fewer blocks than its own tables and this many more. */
  private static final int LAST_GROUP_SPARE = 50;

  /**
   * Computes the size.
   *
   * @param files all files, each once
   * @param format the kind of image
   * @return the size
   */
  public static NewImageSize of(List<NewFile> files, NewFormat format) {
    long inodes = files.size() + ExtLayout.OLD_FIRST_INO;
    long fileBlocks = 0;
    long slots = 0;
    long largeFiles = 0;
    boolean dirNlink = false;
    for (NewFile file : files) {
      fileBlocks += file.blocks(format);
      long pieces = SlotPlan.wholePieces(file);
      slots += pieces;
      largeFiles += pieces > 0 ? 1 : 0;
      dirNlink |= file.inode().type() == FileType.DIRECTORY && file.needsDirNlink();
    }
    long groups = Math.ceilDiv(inodes, INODES_PER_GROUP);
    while (true) {
      long perGroup = groupOverhead(groups, inodes);
      long smallest = (groups - 1) * BLOCKS_PER_GROUP + perGroup + LAST_GROUP_SPARE;
      long blocks =
          Math.max(
              Math.max(FEWEST_BLOCKS, Math.max(fileBlocks, FEWEST_FREE) + groups * perGroup),
              Math.max(groups == 1 ? 0 : smallest, slots == 0 ? 0 : blocksWith(slots, perGroup)));
      if (blocks <= groups * BLOCKS_PER_GROUP) {
        return new NewImageSize(blocks, inodes, fileBlocks, largeFiles, dirNlink);
      }
      groups = Math.ceilDiv(blocks, BLOCKS_PER_GROUP);
    }
  }

  /**
   * Adds blocks.
   *
   * @param more how many blocks
   * @return the size with so many blocks more
   */
  public NewImageSize plus(long more) {
    return new NewImageSize(blocks + more, inodes, fileBlocks, largeFiles, dirNlink);
  }

  /**
   * Returns how many blocks extent trees may need in addition: each break of a run, at the end of a
   * stretch of free blocks, may make one of them a block larger.
   *
   * @param gaps how many stretches of free blocks lie between the metadata
   */
  long spareRows(long gaps) {
    return Math.min(inodes, 2 * (gaps + largeFiles));
  }

  /** {@return whether an image can be so large: below 8 TiB} */
  public boolean isPossible() {
    return Math.max(blocks, inodes) <= MOST_BLOCKS;
  }

  /**
   * The blocks of an image with so many slots behind the metadata at the beginning of each group.
   */
  private static long blocksWith(long slots, long perGroup) {
    long begun = Math.ceilDiv(perGroup, SlotPlan.SLOT_BLOCKS);
    long left = Math.max(1, SLOTS_PER_GROUP - begun);
    long fullGroups = (slots - 1) / left;
    return fullGroups * BLOCKS_PER_GROUP
        + (begun + slots - fullGroups * left) * SlotPlan.SLOT_BLOCKS;
  }

  /** Two bitmaps, the inode table, the super block and the descriptors of all groups. */
  private static long groupOverhead(long groups, long inodes) {
    long table = Math.ceilDiv(Math.ceilDiv(inodes, groups), INODES_PER_BLOCK) + 1;
    long descriptors = Math.ceilDiv(groups * ExtLayout.GROUP_DESCRIPTOR_SIZE, BLOCK);
    return 3 + table + descriptors;
  }
}
