package dev.xip.pack.ext;

import dev.xip.image.FileType;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Decides which parts of a new image's files can be mapped by leaves of 2 MiB. A slot is an aligned
 * stretch of that size in the image, a piece one in a file. Each piece without a hole gets a slot,
 * in ascending order.
 */
final class SlotPlan {
  /** How many blocks a slot has. */
  static final int SLOT_BLOCKS = 512;

  private static final int[] NONE = {};

  private final BitSet taken;
  private final long blocks;
  private final Map<NewFile, int[]> slots = new HashMap<>();

  /** No slot before this one is free. */
  private int nextSlot;

  /** How many slots are free beyond those that whole pieces need. */
  private long spare;

  private SlotPlan(BitSet taken, long blocks) {
    this.taken = taken;
    this.blocks = blocks;
  }

  /**
   * Makes a plan.
   *
   * @param files the files, in the order in which they get blocks
   * @param taken the blocks in use, to which those of assigned slots are added
   * @param blocks how many blocks the image has, fewer than 2^31
   * @return the plan
   */
  static SlotPlan of(List<NewFile> files, BitSet taken, long blocks) {
    SlotPlan plan = new SlotPlan(taken, blocks);
    for (int slot = 0; plan.isInside(slot); slot++) {
      plan.spare += plan.isFree(slot) ? 1 : 0;
    }
    plan.spare -= files.stream().mapToLong(SlotPlan::wholePieces).sum();
    for (NewFile file : files) {
      if (wholePieces(file) > 0) {
        plan.give(file);
      }
    }
    return plan;
  }

  /** {@return how many whole pieces without a hole a file has} */
  static long wholePieces(NewFile file) {
    long[] runs = file.inode().type() == FileType.REGULAR ? file.runs() : new long[0];
    long sum = 0;
    for (int i = 0; i < runs.length; i += 2) {
      long first = Math.ceilDiv(runs[i], SLOT_BLOCKS);
      sum += Math.max(0, (runs[i] + runs[i + 1]) / SLOT_BLOCKS - first);
    }
    return sum;
  }

  /** Returns the first block of the slot of each piece of a file, 0 for a piece without one. */
  int[] of(NewFile file) {
    return slots.getOrDefault(file, NONE);
  }

  /**
   * Assigns slots to the whole pieces, and to the beginnings of pieces as long as there are more
   * slots than whole pieces: a file then goes on where the piece before ends, and the rest of the
   * slot is free for other blocks.
   */
  private void give(NewFile file) {
    long[] runs = file.runs();
    int last = runs.length - 2;
    int[] given = new int[(int) Math.ceilDiv(runs[last] + runs[last + 1], SLOT_BLOCKS)];
    for (int i = 0; i < runs.length; i += 2) {
      long end = runs[i] + runs[i + 1];
      for (int piece = (int) Math.ceilDiv(runs[i], SLOT_BLOCKS); ; piece++) {
        long count = Math.min(SLOT_BLOCKS, end - (long) piece * SLOT_BLOCKS);
        boolean whole = count == SLOT_BLOCKS;
        boolean more = i < last && runs[i + 2] < (piece + 1L) * SLOT_BLOCKS;
        if (count <= 0) {
          break;
        } else if (whole || spare > 0 && !more) {
          spare -= whole ? 0 : 1;
          given[piece] = slot((int) count);
        }
      }
    }
    slots.put(file, given);
  }

  private int slot(int count) {
    while (isInside(nextSlot) && !isFree(nextSlot)) {
      nextSlot++;
    }
    if (!isInside(nextSlot)) {
      return 0;
    }
    int first = nextSlot * SLOT_BLOCKS;
    taken.set(first, first + count);
    return first;
  }

  private boolean isInside(int slot) {
    return (slot + 1L) * SLOT_BLOCKS <= blocks;
  }

  private boolean isFree(int slot) {
    int first = slot * SLOT_BLOCKS;
    int used = taken.nextSetBit(first);
    return used < 0 || used >= first + SLOT_BLOCKS;
  }
}
