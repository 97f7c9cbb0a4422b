package dev.xip.pack.ext;

import dev.xip.image.BlockMap;
import dev.xip.image.ext.ExtFeatures;
import dev.xip.image.ext.ExtLayout;
import java.io.IOException;
import java.nio.ByteBuffer;

/** The kinds of image that an {@link ImageWriter} fills; they differ in how inodes name blocks. */
public enum NewFormat {
  /** Ext2: block numbers in the inode and in indirect blocks. */
  EXT2("", ExtFeatures.INCOMPAT_FILETYPE),
  /** Ext4 without a journal: trees of extents. */
  EXT4(
      ",extent,extra_isize,dir_nlink,huge_file",
      ExtFeatures.INCOMPAT_FILETYPE | ExtFeatures.INCOMPAT_EXTENTS);

  private final String moreFeatures;
  private final int incompatible;

  NewFormat(String moreFeatures, int incompatible) {
    this.moreFeatures = moreFeatures;
    this.incompatible = incompatible;
  }

  /** Finds a place for a block of a file's tree, and writes it there. */
  @FunctionalInterface
  interface RowWriter {
    /** Returns the block in which the row is. */
    int write(ByteBuffer row) throws IOException;
  }

  /**
   * {@return all features of such an image, as mke2fs takes them: it adds no others, whatever the
   * host's configuration says}
   */
  public String features() {
    return "none,ext_attr,dir_index,filetype,sparse_super,large_file" + moreFeatures;
  }

  /** Returns the bits of the features without which such an image cannot be read. */
  int incompatible() {
    return incompatible;
  }

  /**
   * Counts the blocks outside of the inode that name the blocks of a file.
   *
   * @param runs the data runs, each as first block and number of blocks
   * @return how many there are, or may be if a run is broken only where a slot begins or ends
   */
  long rows(long[] runs) {
    return this == EXT2 ? PointerRows.count(runs) : ExtentRows.most(runs);
  }

  /**
   * Writes the names of a file's blocks.
   *
   * @param map where they lie
   * @param rows writes those that are outside of the inode
   * @param inode receives those in the inode
   * @param at where the inode begins
   */
  void write(BlockMap map, RowWriter rows, ByteBuffer inode, int at) throws IOException {
    if (this == EXT4) {
      inode.putInt(at + ExtLayout.I_FLAGS, (int) ExtLayout.EXTENTS_FL);
      ExtentRows.write(map, rows, inode, at + ExtLayout.I_BLOCK);
    } else if (map.extentCount() > 0) {
      PointerRows.write(map, rows, inode, at + ExtLayout.I_BLOCK);
    }
  }
}
