package dev.xip.pack.ext;

import dev.xip.image.BlockMap;
import dev.xip.image.Verdict;
import java.util.BitSet;

/**
 * Allocates blocks to the files of a new image: their slots to the pieces that have one, free
 * blocks in ascending order to all else.
 */
final class BlockAllocator {
  private final BitSet taken;
  private final SlotPlan slots;
  private int next;

  /**
   * Makes an allocator.
   *
   * @param taken the blocks in use, kept up to date; those of the slots are among them
   * @param slots which pieces of which files have slots
   */
  BlockAllocator(BitSet taken, SlotPlan slots) {
    this.taken = taken;
    this.slots = slots;
  }

  /** Allocates one block. */
  int allocate() {
    next = taken.nextClearBit(next);
    taken.set(next);
    return next;
  }

  /** Allocates blocks to all of a file but its holes. */
  BlockMap place(NewFile file) {
    BlockMap.Builder map = new BlockMap.Builder();
    int[] pieces = slots.of(file);
    long[] runs = file.runs();
    for (int i = 0; i < runs.length; i += 2) {
      long end = runs[i] + runs[i + 1];
      long count;
      for (long at = runs[i]; at < end; at += count) {
        int piece = (int) (at / SlotPlan.SLOT_BLOCKS);
        long pieceEnd = Math.min(end, (piece + 1L) * SlotPlan.SLOT_BLOCKS);
        long first;
        if (piece < pieces.length && pieces[piece] != 0) {
          count = pieceEnd - at;
          first = pieces[piece];
        } else {
          first = allocate();
          long free = taken.nextSetBit((int) first + 1);
          count = Math.min(pieceEnd - at, free < 0 ? Long.MAX_VALUE : free - first);
          taken.set((int) first, (int) (first + count));
        }
        map.add(at << NewBlock.SHIFT, first << NewBlock.SHIFT, count << NewBlock.SHIFT);
      }
    }
    return map.build(Verdict.IN_PLACE);
  }
}
