package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Turns the tree of direct and indirect blocks of one inode into a block map. Terminates on every
 * tree: an indirect block is entered once, and no more blocks are counted than the image has. Linux
 * counterpart: fs/ext2/inode.c:ext2_get_blocks.
 */
final class IndirectBlocks {
  private final ByteView view;
  private final Superblock superblock;
  private final Inode inode;

  /** How many blocks the file's size covers; pointers past them are ignored. */
  private final long fileBlocks;

  private final BlockMap.Builder map = new BlockMap.Builder();

  /** The current row of pointers, copied to an array: a scan of that is many times faster. */
  private final int[] row;

  /** In the order of the tree. Allocated with the first one, as most files have none. */
  private Set<Long> indirectBlocks = Set.of();

  private long taken;

  private IndirectBlocks(ByteView view, Superblock superblock, Inode inode) {
    this.view = view;
    this.superblock = superblock;
    this.inode = inode;
    this.fileBlocks = Math.ceilDiv(inode.size(), ExtLayout.BLOCK_SIZE);
    this.row =
        new int
            [fileBlocks > ExtLayout.DIRECT_BLOCKS ? ExtLayout.POINTERS : ExtLayout.DIRECT_BLOCKS];
  }

  /** The {@link BlockTree} of inodes whose flags name no other structure. */
  static BlockMap read(ByteView view, Superblock superblock, Inode inode, Verdict verdict)
      throws MalformedDataException {
    return new IndirectBlocks(view, superblock, inode).build(verdict);
  }

  private BlockMap build(Verdict verdict) throws MalformedDataException {
    long pointers = inode.offset() + ExtLayout.I_BLOCK;
    blocks(pointers, ExtLayout.DIRECT_BLOCKS, 0);
    long firstBlock = ExtLayout.DIRECT_BLOCKS;
    for (int depth = 1; depth <= ExtLayout.MAX_DEPTH; depth++) {
      long pointer = pointers + (ExtLayout.DIRECT_BLOCKS + depth - 1L) * ExtLayout.POINTER_SIZE;
      level(pointer, 1, firstBlock, depth);
      firstBlock += 1L << (depth * ExtLayout.POINTERS_SHIFT);
    }
    BlockMap built = map.build(verdict);
    checkNoBlockTwice(built);
    return built;
  }

  /**
   * Reads a row of pointers to indirect blocks, and enters them.
   *
   * @param at the byte offset of the first one
   * @param count how many there are
   * @param firstBlock the block of the file that the first one leads to
   * @param depth how many indirect blocks lie between a pointer and the file's blocks, at least 1
   */
  private void level(long at, int count, long firstBlock, int depth) throws MalformedDataException {
    long step = 1L << (depth * ExtLayout.POINTERS_SHIFT);
    long fileBlock = firstBlock;
    for (int i = 0; i < count && fileBlock < fileBlocks; i++, fileBlock += step) {
      long pointer = at + (long) i * ExtLayout.POINTER_SIZE;
      long blockAddr = view.u32(pointer);
      if (blockAddr == 0) {
        continue;
      }
      take(pointer, blockAddr, 1);
      if (!enter(blockAddr)) {
        throw view.malformed(
            pointer,
            "an indirect block that inode %d has not used yet".formatted(inode.number()),
            "block %d again".formatted(blockAddr));
      }
      long pointers = blockAddr << ExtLayout.BLOCK_SHIFT;
      if (depth == 1) {
        blocks(pointers, ExtLayout.POINTERS, fileBlock);
      } else {
        level(pointers, ExtLayout.POINTERS, fileBlock, depth - 1);
      }
    }
  }

  /**
   * Reads a row of pointers to blocks of the file, run by run.
   *
   * @param at the byte offset of the first one
   * @param most how many there are
   * @param firstBlock the block of the file that the first one leads to
   */
  private void blocks(long at, int most, long firstBlock) throws MalformedDataException {
    int count = Math.clamp(fileBlocks - firstBlock, 0, most);
    view.u32s(at, row, count);
    for (int i = 0, end; i < count; i = end) {
      int first = row[i];
      end = i + 1;
      while (end < count && row[end] == first + (end - i) && row[end] != 0) {
        end++;
      }
      if (first != 0) {
        take(at + (long) i * ExtLayout.POINTER_SIZE, Integer.toUnsignedLong(first), end - i);
        map.add(
            firstBlock + i << ExtLayout.BLOCK_SHIFT,
            Integer.toUnsignedLong(first) << ExtLayout.BLOCK_SHIFT,
            (long) (end - i) << ExtLayout.BLOCK_SHIFT);
      } else {
        end = i + 1;
      }
    }
  }

  private boolean enter(long indirectBlock) {
    if (indirectBlocks.isEmpty()) {
      indirectBlocks = new LinkedHashSet<>();
    }
    return indirectBlocks.add(indirectBlock);
  }

  /**
   * Checks the numbers of blocks in a row, and counts them.
   *
   * @param pointer the byte offset of the pointer to the first one
   */
  private void take(long pointer, long firstAddr, int count) throws MalformedDataException {
    long outside =
        firstAddr < superblock.firstUsableBlock() || firstAddr >= superblock.blocks()
            ? 0
            : superblock.blocks() - firstAddr;
    if (outside < count) {
      throw view.malformed(
          pointer + outside * ExtLayout.POINTER_SIZE,
          "a block number of %d..%d"
              .formatted(superblock.firstUsableBlock(), superblock.blocks() - 1),
          Long.toString(firstAddr + outside));
    }
    taken += count;
    if (taken > superblock.blocks()) {
      throw view.malformed(
          pointer,
          "at most the image's %d blocks in inode %d"
              .formatted(superblock.blocks(), inode.number()),
          "more");
    }
  }

  /** Sorts all runs by block number and checks that none overlaps the next. */
  private void checkNoBlockTwice(BlockMap map) throws MalformedDataException {
    if (map.extentCount() + indirectBlocks.size() < 2) {
      return;
    }
    // First block in the high half, count in the low. Both are below 2^32, and the top bit is
    // flipped so that signed order is the order of block numbers.
    long[] runs = new long[map.extentCount() + indirectBlocks.size()];
    int count = 0;
    for (; count < map.extentCount(); count++) {
      long first = map.extent(count).imageOffset() >>> ExtLayout.BLOCK_SHIFT;
      runs[count] = first << 32 | map.extent(count).length() >>> ExtLayout.BLOCK_SHIFT;
    }
    for (long block : indirectBlocks) {
      runs[count++] = block << 32 | 1;
    }
    for (int i = 0; i < runs.length; i++) {
      runs[i] ^= Long.MIN_VALUE;
    }
    Arrays.sort(runs);
    long end = 0;
    for (long flipped : runs) {
      long run = flipped ^ Long.MIN_VALUE;
      long first = run >>> 32;
      if (first < end) {
        throw view.malformed(
            inode.offset() + ExtLayout.I_BLOCK,
            "each block once in inode %d".formatted(inode.number()),
            "block %d twice".formatted(first));
      }
      end = first + (run & 0xffff_ffffL);
    }
  }
}
