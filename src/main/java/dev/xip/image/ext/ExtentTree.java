package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;

/**
 * Turns the extent tree of one inode into a block map. Extents that were allocated but never
 * written are holes. Terminates on every tree: each level is one less than the one above, and no
 * more blocks are counted than the image has. Linux counterpart:
 * fs/ext4/extents.c:__ext4_ext_check.
 */
final class ExtentTree {
  private final ByteView view;
  private final Superblock superblock;
  private final Inode inode;
  private final UsedBlocks used;
  private final BlockMap.Builder map = new BlockMap.Builder();

  /** How many blocks the file's size covers; extents may go on past them. */
  private final long fileBlocks;

  /** The block of the file behind the last extent. */
  private long end;

  private ExtentTree(ByteView view, Superblock superblock, Inode inode) {
    this.view = view;
    this.superblock = superblock;
    this.inode = inode;
    this.used = new UsedBlocks(view, superblock, inode);
    this.fileBlocks = Math.ceilDiv(inode.size(), superblock.blockSize());
  }

  /** The {@link BlockTree} of inodes with the flag {@link ExtLayout#EXTENTS_FL}. */
  static BlockMap read(ByteView view, Superblock superblock, Inode inode, Verdict verdict)
      throws MalformedDataException {
    ExtentTree tree = new ExtentTree(view, superblock, inode);
    long root = inode.offset() + ExtLayout.I_BLOCK;
    int depth = view.u16(root + ExtentLayout.EH_DEPTH);
    if (depth > ExtentLayout.MOST_DEPTH) {
      throw view.malformed(
          root + ExtentLayout.EH_DEPTH,
          "an extent tree of at most %d levels below the root".formatted(ExtentLayout.MOST_DEPTH),
          "one of " + depth);
    }
    tree.checkHeader(root, ExtLayout.I_BLOCK_SIZE, depth);
    tree.entries(root, depth);
    tree.used.checkNoneTwice();
    return tree.map.build(verdict);
  }

  /**
   * Reads a block with a node.
   *
   * @param at its byte offset
   * @param depth how many levels are below it
   * @param first the first block of the file that it leads to
   */
  private void node(long at, int depth, long first) throws MalformedDataException {
    int max = checkHeader(at, superblock.blockSize(), depth);
    if (superblock.checksums().inBlocks()) {
      int seed = superblock.checksums().inodeSeed(view, inode.number(), inode.offset());
      long tail = at + (1L + max) * ExtentLayout.ENTRY_SIZE;
      superblock.checksums().checkBlock(view, "a block of extents", seed, at, tail);
    }
    long found = view.u32(at + ExtentLayout.ENTRY_SIZE + ExtentLayout.E_BLOCK);
    if (view.u16(at + ExtentLayout.EH_ENTRIES) > 0 && found != first) {
      throw view.malformed(
          at + ExtentLayout.ENTRY_SIZE + ExtentLayout.E_BLOCK,
          "block %d of inode %d, as the level above says".formatted(first, inode.number()),
          "block " + found);
    }
    entries(at, depth);
  }

  /** Checks the header of a node, and returns how many entries it has room for. */
  private int checkHeader(long at, int size, int depth) throws MalformedDataException {
    int magic = view.u16(at + ExtentLayout.EH_MAGIC);
    if (magic != ExtentLayout.MAGIC) {
      throw view.malformed(
          at + ExtentLayout.EH_MAGIC, "the magic 0xf30a of extents", "0x%04x".formatted(magic));
    }
    int found = view.u16(at + ExtentLayout.EH_DEPTH);
    if (found != depth) {
      throw view.malformed(
          at + ExtentLayout.EH_DEPTH,
          "a node with %d levels below it".formatted(depth),
          "one with " + found);
    }
    int room = size / ExtentLayout.ENTRY_SIZE - 1;
    int max = view.u16(at + ExtentLayout.EH_MAX);
    if (max == 0 || max > room) {
      throw view.malformed(
          at + ExtentLayout.EH_MAX,
          "room for 1..%d entries".formatted(room),
          "for %d".formatted(max));
    }
    int entries = view.u16(at + ExtentLayout.EH_ENTRIES);
    int least = depth == 0 ? 0 : 1;
    if (entries < least || entries > max) {
      throw view.malformed(
          at + ExtentLayout.EH_ENTRIES,
          "%d..%d entries".formatted(least, max),
          Integer.toString(entries));
    }
    return max;
  }

  private void entries(long at, int depth) throws MalformedDataException {
    int count = view.u16(at + ExtentLayout.EH_ENTRIES);
    long entry = at + ExtentLayout.ENTRY_SIZE;
    for (int i = 0; i < count; i++, entry += ExtentLayout.ENTRY_SIZE) {
      long first = view.u32(entry + ExtentLayout.E_BLOCK);
      if (first < end) {
        throw view.malformed(
            entry + ExtentLayout.E_BLOCK,
            "block %d of inode %d or one behind it".formatted(end, inode.number()),
            "block " + first);
      }
      if (depth == 0) {
        extent(entry, first);
      } else {
        index(entry, depth, first);
        end = Math.max(end, first + 1);
      }
    }
  }

  private void extent(long entry, long first) throws MalformedDataException {
    int length = view.u16(entry + ExtentLayout.EE_LEN);
    boolean written = length <= ExtentLayout.MOST_WRITTEN;
    int count = written ? length : length - ExtentLayout.MOST_WRITTEN;
    if (count == 0 || first + count > ExtentLayout.MOST_FILE_BLOCKS) {
      throw view.malformed(
          entry + ExtentLayout.EE_LEN,
          "an extent of 1..%d blocks"
              .formatted(
                  Math.min(ExtentLayout.MOST_WRITTEN, ExtentLayout.MOST_FILE_BLOCKS - first)),
          "one of " + count);
    }
    long block =
        view.u32(entry + ExtentLayout.EE_START_LO)
            | (long) view.u16(entry + ExtentLayout.EE_START_HI) << Integer.SIZE;
    used.add(entry + ExtentLayout.EE_START_LO, 0, block, count);
    end = first + count;
    long inFile = Math.min(count, fileBlocks - first);
    if (written && inFile > 0) {
      int shift = superblock.blockShift();
      map.add(first << shift, block << shift, inFile << shift);
    }
  }

  private void index(long entry, int depth, long first) throws MalformedDataException {
    long block =
        view.u32(entry + ExtentLayout.EI_LEAF_LO)
            | (long) view.u16(entry + ExtentLayout.EI_LEAF_HI) << Integer.SIZE;
    used.add(entry + ExtentLayout.EI_LEAF_LO, 0, block, 1);
    node(block << superblock.blockShift(), depth - 1, first);
  }
}
