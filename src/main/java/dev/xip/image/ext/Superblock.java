package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.FsInfo;

/**
 * A superblock that was checked as a whole: offsets computed from it stay inside the image. Linux
 * counterpart: fs/ext4/super.c:ext4_fill_super.
 *
 * @param blockShift log2 of the block size, 10..16
 * @param blocks how many blocks there are, all of them inside the image file
 * @param firstDataBlock the first block of group 0: 1 with blocks of 1 KiB, else 0
 * @param blocksPerGroup how many blocks a group has, the last group maybe fewer
 * @param clusterShift log2 of how many blocks are allocated together, 0 without bigalloc
 * @param inodes how many inodes there are, a multiple of those of a group
 * @param inodesPerGroup how many inodes a group has
 * @param inodeSize the size of an inode in bytes, a power of two, 128 up to the block size
 * @param descriptorSize the size of a group descriptor in bytes, a power of two, 32..1024
 * @param firstMetaTable the first block of group descriptors that lies in the groups it describes;
 *     their number if all lie behind the superblock
 * @param backups the two groups with copies of the superblock; of use with sparse_super2 alone
 * @param firstInode the first inode that is not reserved
 * @param features what the image needs of its reader
 * @param checksums the checksums of the other structures
 * @param info the fields that are shown to users
 */
public record Superblock(
    int blockShift,
    long blocks,
    long firstDataBlock,
    long blocksPerGroup,
    int clusterShift,
    long inodes,
    long inodesPerGroup,
    int inodeSize,
    int descriptorSize,
    long firstMetaTable,
    Backups backups,
    long firstInode,
    ExtFeatures features,
    Checksums checksums,
    FsInfo info) {

  /**
   * Two groups, which may be the same.
   *
   * @param one the number of the first, 0 if there is none
   * @param other the number of the second, 0 if there is none
   */
  public record Backups(long one, long other) {}

  /**
   * Reads and checks the superblock.
   *
   * @param view the image
   * @return the superblock
   * @throws MalformedDataException if it is damaged, the image is shorter than it says, or it is of
   *     a kind that is not read
   */
  public static Superblock read(ByteView view) throws MalformedDataException {
    view.checkRange(ExtLayout.SUPERBLOCK_OFFSET, ExtLayout.SUPERBLOCK_SIZE, "an ext2 superblock");
    return new SuperblockReader(view).read();
  }

  /** {@return the block size in bytes} */
  public int blockSize() {
    return 1 << blockShift;
  }

  /** {@return the number of groups, of which the last one may be short} */
  public long groups() {
    return Math.ceilDiv(blocks - firstDataBlock, blocksPerGroup);
  }

  /** {@return how many blocks the descriptors of all groups take} */
  public long descriptorBlocks() {
    return Math.ceilDiv(groups(), blockSize() / descriptorSize);
  }

  /** {@return the block behind the superblock, where group descriptors may begin} */
  public long descriptorTable() {
    return (ExtLayout.SUPERBLOCK_OFFSET >> blockShift) + 1;
  }

  /**
   * {@return the first block behind the superblock and the group descriptors that follow it, where
   * blocks of files may begin}
   */
  public long firstUsableBlock() {
    return descriptorTable() + Math.min(firstMetaTable, descriptorBlocks());
  }

  /** {@return whether directory entries hold the type of what they name} */
  boolean fileTypes() {
    return features.hasIncompat(ExtFeatures.INCOMPAT_FILETYPE);
  }

  /**
   * Joins the halves of a number of a block.
   *
   * @param low the low 32 bits
   * @param high the bits above, which count with the feature 64bit alone
   * @return the number
   */
  long wide(long low, long high) {
    return features.hasIncompat(ExtFeatures.INCOMPAT_64BIT) ? low | high << Integer.SIZE : low;
  }

  /**
   * Checks the number of a block.
   *
   * @param view the image
   * @param field the byte offset of the number
   * @param block the number
   * @param what what lies there, for the message
   * @return the block's byte offset
   * @throws MalformedDataException if the image has no such block, or it holds the superblock or
   *     the group descriptors that follow it
   */
  long offset(ByteView view, long field, long block, String what) throws MalformedDataException {
    if (block < firstUsableBlock() || block >= blocks) {
      throw view.malformed(
          field,
          "%s in blocks %d..%d".formatted(what, firstUsableBlock(), blocks - 1),
          "one in block %d".formatted(block));
    }
    return block << blockShift;
  }
}
