package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import java.util.HashSet;
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

  private final UsedBlocks used;

  /** log2 of how many block numbers an indirect block holds. */
  private final int pointersShift;

  /** How many blocks the file's size covers; pointers past them are ignored. */
  private final long fileBlocks;

  private final BlockMap.Builder map = new BlockMap.Builder();

  /** The current row of pointers, copied to an array: a scan of that is many times faster. */
  private final int[] row;

  /** Allocated with the first one, as most files have none. */
  private Set<Long> indirectBlocks = Set.of();

  private IndirectBlocks(ByteView view, Superblock superblock, Inode inode) {
    this.view = view;
    this.superblock = superblock;
    this.inode = inode;
    this.used = new UsedBlocks(view, superblock, inode);
    this.pointersShift = superblock.blockShift() - ExtLayout.POINTER_SHIFT;
    this.fileBlocks = Math.ceilDiv(inode.size(), superblock.blockSize());
    boolean direct = fileBlocks <= ExtLayout.DIRECT_BLOCKS;
    this.row = new int[direct ? ExtLayout.DIRECT_BLOCKS : 1 << pointersShift];
  }

  /**
   * Returns how many blocks such a tree can lead to.
   *
   * @param pointersShift log2 of how many block numbers an indirect block holds
   * @return the blocks of all levels
   */
  static long mostBlocks(int pointersShift) {
    long most = ExtLayout.DIRECT_BLOCKS;
    for (int depth = 1; depth <= ExtLayout.MAX_DEPTH; depth++) {
      most += 1L << depth * pointersShift;
    }
    return most;
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
      firstBlock += 1L << depth * pointersShift;
    }
    used.checkNoneTwice();
    return map.build(verdict);
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
    long step = 1L << depth * pointersShift;
    long fileBlock = firstBlock;
    for (int i = 0; i < count && fileBlock < fileBlocks; i++, fileBlock += step) {
      long pointer = at + (long) i * ExtLayout.POINTER_SIZE;
      long blockAddr = view.u32(pointer);
      if (blockAddr == 0) {
        continue;
      }
      used.add(pointer, 0, blockAddr, 1);
      if (!enter(blockAddr)) {
        throw view.malformed(
            pointer,
            "an indirect block that inode %d has not used yet".formatted(inode.number()),
            "block %d again".formatted(blockAddr));
      }
      long pointers = blockAddr << superblock.blockShift();
      if (depth == 1) {
        blocks(pointers, 1 << pointersShift, fileBlock);
      } else {
        level(pointers, 1 << pointersShift, fileBlock, depth - 1);
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
        long block = Integer.toUnsignedLong(first);
        long pointer = at + (long) i * ExtLayout.POINTER_SIZE;
        used.add(pointer, ExtLayout.POINTER_SIZE, block, end - i);
        int shift = superblock.blockShift();
        map.add(firstBlock + i << shift, block << shift, (long) (end - i) << shift);
      } else {
        end = i + 1;
      }
    }
  }

  private boolean enter(long indirectBlock) {
    if (indirectBlocks.isEmpty()) {
      indirectBlocks = new HashSet<>();
    }
    return indirectBlocks.add(indirectBlock);
  }
}
