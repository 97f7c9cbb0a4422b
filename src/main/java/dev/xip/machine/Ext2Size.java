package dev.xip.machine;

import dev.xip.image.ext.AlignedImage;

/**
 * How large an ext2 image must be to hold given contents, in 4 KiB blocks: data, indirect blocks,
 * directories, and per group of blocks its bitmaps, inode table and copy of the descriptors. Large
 * files need slots: stretches of 2 MiB, at multiples of it, that none of the latter lies in.
 *
 * @param blocks the blocks of the whole image
 * @param inodes the inodes to ask for
 */
record Ext2Size(long blocks, long inodes) {
  /** The block size in bytes. */
  static final int BLOCK = 4096;

  /** Inodes 1 to 10 are reserved, 11 is lost+found. */
  private static final int FIRST_INODES = 11;

  private static final int INODE_SIZE = 256;
  private static final int BLOCKS_PER_GROUP = BLOCK * 8;
  private static final int INODES_PER_GROUP = BLOCK * 8 - BLOCK / INODE_SIZE;
  private static final int DESCRIPTOR_SIZE = 32;

  /** The blocks of a slot. */
  private static final int SLOT = (int) (AlignedImage.ALIGNMENT / BLOCK);

  private static final int SLOTS_PER_GROUP = BLOCKS_PER_GROUP / SLOT;

  /** Lost+found is made with 16 KiB. */
  private static final int LOST_AND_FOUND_BLOCKS = 4;

  /** An image is not made smaller than this; mke2fs refuses below some 60 blocks. */
  private static final int FEWEST_BLOCKS = 128;

  /** Kept free, beside one block in 256: for extended attributes. */
  private static final int RESERVE_BLOCKS = 32;

  /** A last group with fewer blocks than its own tables and this many more is left out. */
  private static final int LAST_GROUP_SPARE = 50;

  /**
   * Computes the size.
   *
   * @param contents what the image must hold
   * @param holesKept true to believe the host that a file occupies less than its size
   * @return the size
   */
  static Ext2Size of(Contents contents, boolean holesKept) {
    long inodes = contents.inodes + FIRST_INODES;
    long data =
        contents.fixedBlocks
            + (holesKept ? contents.allocatedBlocks : contents.fullBlocks)
            + LOST_AND_FOUND_BLOCKS;
    data += data / 256 + RESERVE_BLOCKS;
    long slots = contents.slots(holesKept);
    long groups = Math.max(1, (inodes + INODES_PER_GROUP - 1) / INODES_PER_GROUP);
    while (true) {
      long perGroup = groupOverhead(groups, inodes);
      long blocks = Math.max(FEWEST_BLOCKS, data + groups * perGroup);
      long smallest = (groups - 1) * BLOCKS_PER_GROUP + perGroup + LAST_GROUP_SPARE;
      blocks = Math.max(blocks, groups == 1 ? 0 : smallest);
      blocks = Math.max(blocks, slots == 0 ? 0 : blocksWith(slots, perGroup));
      if (blocks <= groups * BLOCKS_PER_GROUP) {
        return new Ext2Size(blocks, inodes);
      }
      groups = (blocks + BLOCKS_PER_GROUP - 1) / BLOCKS_PER_GROUP;
    }
  }

  /** The blocks of an image with so many slots that the beginnings of groups do not reach into. */
  private static long blocksWith(long slots, long perGroup) {
    long begun = Math.ceilDiv(perGroup, SLOT);
    long left = SLOTS_PER_GROUP - begun;
    long fullGroups = (slots - 1) / left;
    return fullGroups * BLOCKS_PER_GROUP + (begun + slots - fullGroups * left) * SLOT;
  }

  /** Two bitmaps, the inode table, the super block and the descriptors of all groups. */
  private static long groupOverhead(long groups, long inodes) {
    long inodesPerGroup = (inodes + groups - 1) / groups;
    long table = inodesPerGroup * INODE_SIZE / BLOCK + 2;
    long descriptors = (groups * DESCRIPTOR_SIZE + BLOCK - 1) / BLOCK;
    return 3 + table + descriptors;
  }

  /** The blocks and inodes that a tree needs, added up file by file. */
  static final class Contents {
    private static final int POINTERS = BLOCK / 4;
    private static final int DIRECT = 12;

    /** The longest target that is kept inside the inode, its end mark not counted. */
    private static final int FAST_SYMLINK = 59;

    /** The entries {@code .} and {@code ..}. */
    private static final int DOT_ENTRIES = 24;

    /** The most that can stay unused at the end of a directory block. */
    private static final int WIDEST_ENTRY = 264;

    private long inodes;
    private long fixedBlocks;
    private long fullBlocks;
    private long allocatedBlocks;
    private long fullSlots;
    private long allocatedSlots;

    /**
     * Says how many slots large files can make use of.
     *
     * @param holesKept as for the size
     * @return at least as many as they have pieces of that size without a hole
     */
    long slots(boolean holesKept) {
      return holesKept ? allocatedSlots : fullSlots;
    }

    /** Adds a directory. */
    void addDirectory(long entryBytes) {
      inodes++;
      int usable = BLOCK - WIDEST_ENTRY;
      long blocks = (DOT_ENTRIES + entryBytes + usable - 1) / usable;
      fixedBlocks += blocks + indirectBlocks(blocks);
    }

    /** Adds a symbolic link with a target of some length. */
    void addSymlink(long length) {
      inodes++;
      fixedBlocks += length > FAST_SYMLINK ? 1 : 0;
    }

    /** Adds a device node or a pipe. */
    void addNode() {
      inodes++;
    }

    /**
     * Adds a regular file.
     *
     * @param size its length in bytes
     * @param allocated the bytes that the host keeps for it
     */
    void addFile(long size, long allocated) {
      inodes++;
      long blocks = (size + BLOCK - 1) / BLOCK;
      long full = blocks + indirectBlocks(blocks);
      fullBlocks += full;
      long present = Math.min(blocks, (allocated + BLOCK - 1) / BLOCK);
      // Where the blocks of a file with holes lie is not known, so each may need a chain of its
      // own.
      long sparse = present + Math.min(indirectBlocks(blocks), 3 * present);
      allocatedBlocks += present == blocks ? full : sparse;
      fullSlots += blocks / SLOT;
      allocatedSlots += present / SLOT;
    }

    /** Counts the indirect blocks of a file without holes. */
    private static long indirectBlocks(long blocks) {
      long beyond = blocks - DIRECT;
      if (beyond <= 0) {
        return 0;
      }
      long count = 1;
      beyond -= POINTERS;
      if (beyond > 0) {
        count += 1 + ceilDiv(Math.min(beyond, (long) POINTERS * POINTERS), POINTERS);
        beyond -= (long) POINTERS * POINTERS;
      }
      if (beyond > 0) {
        count += 1 + ceilDiv(beyond, (long) POINTERS * POINTERS) + ceilDiv(beyond, POINTERS);
      }
      return count;
    }

    private static long ceilDiv(long value, long by) {
      return (value + by - 1) / by;
    }
  }
}
