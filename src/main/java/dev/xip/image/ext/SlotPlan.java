package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.BlockMap;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.Verdict;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * A new place for every block that belongs to a file, so that large files can be mapped by leaves
 * of 2 MiB. A slot is a stretch of that size at a multiple of it. The pieces of the same size that
 * a large file consists of get a slot each, in ascending order; a piece with a hole in it does not.
 * All other blocks fill what is left in ascending order, file by file, those with bytes first and
 * the indirect blocks behind them. What describes the groups stays where it is.
 */
final class SlotPlan {
  /** How many blocks a slot has. */
  static final int SLOT_BLOCKS = 512;

  private static final long SLOT_BYTES = (long) SLOT_BLOCKS << ExtLayout.BLOCK_SHIFT;

  private final ByteView view;
  private final Superblock superblock;
  private final InodeTable inodes;
  private final BlockGroups groups;

  /** The new number of each block of a file by its old one, 0 for other blocks: u32. */
  private final MemorySegment places;

  /** What stays where it is. */
  private final BitSet described;

  /** The new numbers given away, and those of what stays. */
  private final BitSet taken;

  private final BitSet indirect = new BitSet();
  private final BitSet trees = new BitSet();

  /** The files with at least one whole piece, in order of their inodes. */
  private final List<Large> large = new ArrayList<>();

  /** No slot before this one is free. */
  private int nextSlot;

  /** Where the next block that needs no slot is looked for. */
  private int nextBlock;

  private record Large(Inode inode, BlockMap map, List<Piece> pieces) {
    long wholePieces() {
      return pieces.stream().filter(Piece::isWhole).count();
    }
  }

  /**
   * A piece of a file of the size of a slot.
   *
   * @param at its offset in the file in bytes
   * @param blocks how many blocks follow there without a hole
   * @param more whether it has further blocks behind a hole
   */
  private record Piece(long at, int blocks, boolean more) {
    boolean isWhole() {
      return blocks == SLOT_BLOCKS;
    }

    /** Whether all its blocks are at its beginning: that of the end of a file, for one. */
    boolean isBeginning() {
      return blocks > 0 && !isWhole() && !more;
    }
  }

  private SlotPlan(ByteView view, Superblock superblock, Arena arena)
      throws MalformedDataException {
    this.view = view;
    this.superblock = superblock;
    this.inodes = new InodeTable(view, superblock);
    this.groups = new BlockGroups(view, superblock, inodes);
    this.places = arena.allocate(superblock.blocks() * Integer.BYTES, Integer.BYTES);
    this.described = groups.described();
    this.taken = (BitSet) described.clone();
  }

  /**
   * Plans.
   *
   * @param view the image, of fewer than 2^31 - 1 blocks and inodes
   * @param superblock its superblock
   * @param arena keeps the plan, four bytes for each block
   * @return the plan
   * @throws MalformedDataException if the image is damaged, or has blocks in use of which it is not
   *     known what they are
   */
  static SlotPlan of(ByteView view, Superblock superblock, Arena arena)
      throws MalformedDataException {
    SlotPlan plan = new SlotPlan(view, superblock, arena);
    BitSet used = (BitSet) plan.described.clone();
    plan.findLarge();
    plan.giveSlots();
    plan.fillTheRest();
    for (int block = 0; block < superblock.blocks(); block++) {
      if (plan.place(block) != 0) {
        used.set(block);
      }
    }
    plan.groups.checkBitmaps(used);
    return plan;
  }

  /** Returns the new number of a block, 0 if it belongs to no file. */
  int place(long block) {
    return places.getAtIndex(ValueLayout.JAVA_INT, block);
  }

  /** Tells whether a block of a file, by its old number, holds block numbers. */
  boolean isIndirect(int block) {
    return indirect.get(block);
  }

  /** Tells whether the i_block of an inode holds block numbers. */
  boolean hasTree(int inode) {
    return trees.get(inode);
  }

  /** Tells which blocks of a group are in use by their new numbers, from the group's first on. */
  BitSet taken(long group) {
    int first = (int) groups.firstBlock(group);
    return taken.get(first, first + groups.blocks(group));
  }

  InodeTable inodes() {
    return inodes;
  }

  BlockGroups groups() {
    return groups;
  }

  private void findLarge() throws MalformedDataException {
    for (int number = 1; number <= superblock.inodes(); number++) {
      if (inodes.isInUse(number)) {
        Inode inode = inodes.read(number);
        trees.set(number, inodes.hasTree(inode));
        if (inode.type() == FileType.REGULAR && inode.size() > SLOT_BYTES - ExtLayout.BLOCK_SIZE) {
          BlockMap map = BlockTree.read(view, superblock, inode, Verdict.IN_PLACE);
          Large file = new Large(inode, map, pieces(map));
          if (file.wholePieces() > 0) {
            large.add(file);
          }
        }
      }
    }
  }

  /** The pieces with at least one block. */
  private static List<Piece> pieces(BlockMap map) {
    List<Piece> pieces = new ArrayList<>();
    int extent = 0;
    while (extent < map.extentCount()) {
      long start = map.extent(extent).fileOffset() & -SLOT_BYTES;
      // An extent may have begun in the piece before.
      start = pieces.isEmpty() ? start : Math.max(start, pieces.getLast().at + SLOT_BYTES);
      long end = start + SLOT_BYTES;
      long at = start;
      while (at < end && map.imageOffset(at) >= 0) {
        at = Math.min(end, at + map.runLength(at));
      }
      extent = map.indexAtOrAfter(at);
      boolean more =
          extent < map.extentCount() && map.extent(extent).fileOffset() < end && at < end;
      pieces.add(new Piece(start, (int) (at - start >>> ExtLayout.BLOCK_SHIFT), more));
      extent = map.indexAtOrAfter(end);
    }
    return pieces;
  }

  /**
   * Gives slots to the whole pieces, and to the beginnings of pieces as long as there are more
   * slots than whole pieces: a file then goes on where the piece before ends, and the rest of the
   * slot is filled as all else is.
   */
  private void giveSlots() throws MalformedDataException {
    long spare = -large.stream().mapToLong(Large::wholePieces).sum();
    for (int slot = 0; isInside(slot); slot++) {
      spare += isFree(slot) ? 1 : 0;
    }
    for (Large file : large) {
      for (Piece piece : file.pieces) {
        if (piece.isWhole() || piece.isBeginning() && spare > 0) {
          spare -= piece.isWhole() ? 0 : 1;
          giveSlot(file, piece);
        }
      }
    }
  }

  private void giveSlot(Large file, Piece piece) throws MalformedDataException {
    while (isInside(nextSlot) && !isFree(nextSlot)) {
      nextSlot++;
    }
    if (isInside(nextSlot)) {
      int first = nextSlot * SLOT_BLOCKS;
      for (int i = 0; i < piece.blocks; i++) {
        long from = file.map.imageOffset(piece.at + ((long) i << ExtLayout.BLOCK_SHIFT));
        move(from >>> ExtLayout.BLOCK_SHIFT, first + i, file.inode);
      }
    }
  }

  private boolean isInside(int slot) {
    return (slot + 1L) * SLOT_BLOCKS <= superblock.blocks();
  }

  private boolean isFree(int slot) {
    int first = slot * SLOT_BLOCKS;
    int used = taken.nextSetBit(first);
    return used < 0 || used >= first + SLOT_BLOCKS;
  }

  private void fillTheRest() throws MalformedDataException {
    int seen = 0;
    for (int number = 1; number <= superblock.inodes(); number++) {
      if (inodes.isInUse(number)) {
        Inode inode = inodes.read(number);
        boolean slots = seen < large.size() && large.get(seen).inode.number() == number;
        seen += slots ? 1 : 0;
        if (trees.get(number)) {
          fill(inode, slots);
        }
        fillAttributes(inode);
      }
    }
  }

  /**
   * Gives places to the blocks of a file that have none yet.
   *
   * @param slots whether some blocks of the file may have slots; otherwise a block that has a place
   *     is another file's as well
   */
  private void fill(Inode inode, boolean slots) throws MalformedDataException {
    List<Integer> ownIndirect = new ArrayList<>();
    BlockMap map =
        BlockTree.read(
            view, superblock, inode, Verdict.IN_PLACE, block -> ownIndirect.add((int) block));
    for (int i = 0; i < map.extentCount(); i++) {
      long first = map.extent(i).imageOffset() >>> ExtLayout.BLOCK_SHIFT;
      long count = map.extent(i).length() >>> ExtLayout.BLOCK_SHIFT;
      for (long block = first; block < first + count; block++) {
        if (!slots || place(block) == 0) {
          move(block, nextFreeBlock(), inode);
        }
      }
    }
    for (int block : ownIndirect) {
      indirect.set(block);
      move(block, nextFreeBlock(), inode);
    }
  }

  /** A block of extended attributes may be that of several inodes. */
  private void fillAttributes(Inode inode) throws MalformedDataException {
    long field = inode.offset() + ExtLayout.I_FILE_ACL;
    long block = view.u32(field);
    if (block >= superblock.blocks()) {
      throw view.malformed(
          field, "a block number below %d".formatted(superblock.blocks()), Long.toString(block));
    }
    if (block != 0 && place(block) == 0) {
      move(block, nextFreeBlock(), inode);
    }
  }

  private int nextFreeBlock() {
    nextBlock = taken.nextClearBit(nextBlock);
    return nextBlock;
  }

  private void move(long from, int to, Inode inode) throws MalformedDataException {
    if (place(from) != 0 || described.get((int) from)) {
      throw view.malformed(
          inode.offset() + ExtLayout.I_BLOCK,
          "blocks of inode %d alone".formatted(inode.number()),
          "block %d, which is something else's as well".formatted(from));
    }
    places.setAtIndex(ValueLayout.JAVA_INT, from, to);
    taken.set(to);
  }
}
