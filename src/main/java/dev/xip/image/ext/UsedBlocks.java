package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.Inode;
import java.util.Arrays;

/**
 * The blocks that the tree of one inode names. Each lies in the image, and there are no more than
 * the image has, so that a reader of any tree ends. Not thread safe.
 */
final class UsedBlocks {
  /** Bits of a run that hold its length less 1; those above hold its first block. */
  private static final int LENGTH_BITS = 16;

  private final ByteView view;
  private final Superblock superblock;
  private final Inode inode;

  /** In the order in which they were named. */
  private long[] runs = new long[2];

  private int count;
  private long sum;

  UsedBlocks(ByteView view, Superblock superblock, Inode inode) {
    this.view = view;
    this.superblock = superblock;
    this.inode = inode;
  }

  /**
   * Adds a run of blocks.
   *
   * @param field the byte offset of the number of the first one
   * @param step how far the number of the next one lies behind it, 0 if only the first is stored
   * @param first the number of the first one
   * @param length how many there are, 1..65536
   * @throws MalformedDataException if one lies outside the image or among the group descriptors, or
   *     they are more than the image has
   */
  void add(long field, int step, long first, int length) throws MalformedDataException {
    long least = superblock.firstUsableBlock();
    long inside = first < least ? 0 : Math.max(0, superblock.blocks() - first);
    if (inside < length) {
      throw view.malformed(
          field + inside * step,
          "a block number of %d..%d".formatted(least, superblock.blocks() - 1),
          Long.toString(first + inside));
    }
    sum += length;
    if (sum > superblock.blocks()) {
      throw view.malformed(
          field,
          "at most the image's %d blocks in inode %d"
              .formatted(superblock.blocks(), inode.number()),
          "more");
    }
    if (count == runs.length) {
      runs = Arrays.copyOf(runs, 2 * count);
    }
    runs[count++] = first << LENGTH_BITS | length - 1;
  }

  /** As it is in most files. The first sort of a JVM takes longer than opening an image. */
  private boolean isSorted() {
    for (int i = 1; i < count; i++) {
      if (runs[i] < runs[i - 1]) {
        return false;
      }
    }
    return true;
  }

  /**
   * Checks that no run overlaps another, unless the image shares equal blocks. Sorts the runs.
   *
   * @throws MalformedDataException if one does
   */
  void checkNoneTwice() throws MalformedDataException {
    if (count < 2 || superblock.features().hasRoCompat(ExtFeatures.RO_COMPAT_SHARED_BLOCKS)) {
      return;
    }
    if (!isSorted()) {
      Arrays.sort(runs, 0, count);
    }
    long end = 0;
    for (int i = 0; i < count; i++) {
      long first = runs[i] >>> LENGTH_BITS;
      if (first < end) {
        throw view.malformed(
            inode.offset() + ExtLayout.I_BLOCK,
            "each block once in inode %d".formatted(inode.number()),
            "block %d twice".formatted(first));
      }
      end = first + (runs[i] & (1 << LENGTH_BITS) - 1) + 1;
    }
  }
}
