package dev.xip.pack.ext;

import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.image.ext.ExtLayout;
import dev.xip.image.ext.ExtentLayout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Encodes the extent tree of a new file: four entries in its inode, and nodes of 340 in blocks. The
 * counterpart of the reader's ExtentTree.
 */
final class ExtentRows {
  private static final int IN_INODE = ExtLayout.I_BLOCK_SIZE / ExtentLayout.ENTRY_SIZE - 1;
  private static final int IN_BLOCK = NewBlock.SIZE / ExtentLayout.ENTRY_SIZE - 1;

  /**
   * An entry of a node.
   *
   * @param first the first block of the file that it leads to
   * @param place the block where the extent begins, or that holds the node below
   * @param blocks the length of an extent
   */
  private record Entry(long first, long place, int blocks) {}

  private ExtentRows() {}

  /**
   * Counts the blocks of nodes if data runs are broken where slots begin and end only.
   *
   * @param runs the data runs, each as first block and number of blocks
   * @return the most blocks that the tree needs
   */
  static long most(long[] runs) {
    long extents = 0;
    for (int i = 0; i < runs.length; i += 2) {
      long last = runs[i] + runs[i + 1] - 1;
      extents += last / SlotPlan.SLOT_BLOCKS - runs[i] / SlotPlan.SLOT_BLOCKS + 1;
    }
    long rows = 0;
    for (long entries = extents; entries > IN_INODE; ) {
      entries = Math.ceilDiv(entries, IN_BLOCK);
      rows += entries;
    }
    return rows;
  }

  /**
   * Writes the tree of a file.
   *
   * @param map where its blocks lie
   * @param rows writes the nodes below the root
   * @param inode receives the root
   * @param at where it goes
   */
  static void write(BlockMap map, NewFormat.RowWriter rows, ByteBuffer inode, int at)
      throws IOException {
    List<Entry> entries = extents(map);
    int depth = 0;
    for (; entries.size() > IN_INODE; depth++) {
      List<Entry> above = new ArrayList<>();
      for (int i = 0; i < entries.size(); i += IN_BLOCK) {
        List<Entry> node = entries.subList(i, Math.min(entries.size(), i + IN_BLOCK));
        ByteBuffer block = ByteBuffer.allocate(NewBlock.SIZE).order(ByteOrder.LITTLE_ENDIAN);
        put(node, depth, IN_BLOCK, block, 0);
        above.add(new Entry(node.getFirst().first, rows.write(block), 0));
      }
      entries = above;
    }
    put(entries, depth, IN_INODE, inode, at);
  }

  private static List<Entry> extents(BlockMap map) {
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < map.extentCount(); i++) {
      Extent extent = map.extent(i);
      long first = extent.fileOffset() >>> NewBlock.SHIFT;
      long place = extent.imageOffset() >>> NewBlock.SHIFT;
      long count = extent.length() >>> NewBlock.SHIFT;
      for (long done = 0; done < count; done += ExtentLayout.MOST_WRITTEN) {
        int blocks = (int) Math.min(ExtentLayout.MOST_WRITTEN, count - done);
        entries.add(new Entry(first + done, place + done, blocks));
      }
    }
    return entries;
  }

  /** The numbers of blocks have 31 bits, so their high halves are 0. */
  private static void put(List<Entry> entries, int depth, int room, ByteBuffer to, int at) {
    to.putShort(at + ExtentLayout.EH_MAGIC, (short) ExtentLayout.MAGIC);
    to.putShort(at + ExtentLayout.EH_ENTRIES, (short) entries.size());
    to.putShort(at + ExtentLayout.EH_MAX, (short) room);
    to.putShort(at + ExtentLayout.EH_DEPTH, (short) depth);
    int entry = at;
    for (Entry each : entries) {
      entry += ExtentLayout.ENTRY_SIZE;
      to.putInt(entry + ExtentLayout.E_BLOCK, (int) each.first);
      if (depth == 0) {
        to.putShort(entry + ExtentLayout.EE_LEN, (short) each.blocks);
        to.putInt(entry + ExtentLayout.EE_START_LO, (int) each.place);
      } else {
        to.putInt(entry + ExtentLayout.EI_LEAF_LO, (int) each.place);
      }
    }
  }
}
