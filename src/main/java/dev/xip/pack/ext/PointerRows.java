package dev.xip.pack.ext;

import dev.xip.image.BlockMap;
import dev.xip.image.ext.ExtLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Encodes the block numbers of a new file: fifteen in its inode, and rows of 1024 in indirect
 * blocks. The counterpart of the reader's IndirectBlocks.
 */
final class PointerRows {
  private final BlockMap map;
  private final NewFormat.RowWriter rows;

  private PointerRows(BlockMap map, NewFormat.RowWriter rows) {
    this.map = map;
    this.rows = rows;
  }

  /**
   * Counts the rows outside of the inode.
   *
   * @param runs the data runs, each as first block and number of blocks
   * @return how many indirect blocks lead to them
   */
  static long count(long[] runs) {
    long count = 0;
    long[] last = {-1, -1, -1};
    for (int i = 0; i < runs.length; i += 2) {
      long from = runs[i] - ExtLayout.DIRECT_BLOCKS;
      long to = runs[i] + runs[i + 1] - 1 - ExtLayout.DIRECT_BLOCKS;
      // The first row of each depth is named by the inode, the others by rows one deeper.
      for (int depth = 0; depth < ExtLayout.MAX_DEPTH && to >= 0; depth++) {
        from = Math.max(from, 0) >> NewBlock.POINTERS_SHIFT;
        to >>= NewBlock.POINTERS_SHIFT;
        count += to - Math.max(from, last[depth] + 1) + 1;
        last[depth] = to;
        from--;
        to--;
      }
    }
    return count;
  }

  /**
   * Writes the rows of a file.
   *
   * @param map where its blocks lie
   * @param rows writes the rows that are not all zero
   * @param inode receives the fifteen numbers of the inode
   * @param at where they go
   */
  static void write(BlockMap map, NewFormat.RowWriter rows, ByteBuffer inode, int at)
      throws IOException {
    PointerRows tree = new PointerRows(map, rows);
    for (int i = 0; i < ExtLayout.DIRECT_BLOCKS; i++) {
      inode.putInt(at + i * ExtLayout.POINTER_SIZE, tree.block(i, 0));
    }
    long first = ExtLayout.DIRECT_BLOCKS;
    for (int depth = 1; depth <= ExtLayout.MAX_DEPTH; depth++) {
      int root = at + (ExtLayout.DIRECT_BLOCKS + depth - 1) * ExtLayout.POINTER_SIZE;
      inode.putInt(root, tree.block(first, depth));
      first += 1L << depth * NewBlock.POINTERS_SHIFT;
    }
  }

  /**
   * Returns the number of a block of the file, or of the row of a depth that begins with it; 0 for
   * a hole.
   */
  private int block(long first, int depth) throws IOException {
    long at = first << NewBlock.SHIFT;
    if (depth == 0) {
      return (int) (Math.max(0, map.imageOffset(at)) >>> NewBlock.SHIFT);
    }
    long step = 1L << (depth - 1) * NewBlock.POINTERS_SHIFT;
    long bytes = step << NewBlock.POINTERS_SHIFT + NewBlock.SHIFT;
    if (map.imageOffset(at) < 0 && map.runLength(at) >= bytes) {
      return 0;
    }
    ByteBuffer row = ByteBuffer.allocate(NewBlock.SIZE).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < NewBlock.POINTERS; i++) {
      row.putInt(i * ExtLayout.POINTER_SIZE, block(first + i * step, depth - 1));
    }
    return rows.write(row);
  }
}
