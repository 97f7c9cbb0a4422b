package dev.xip.image.ext;

import dev.xip.base.ByteView;
import dev.xip.base.MalformedDataException;
import dev.xip.image.CorruptImageException;
import dev.xip.image.MemoryFaults;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongConsumer;

/**
 * Writes an image that mke2fs has just made anew, with the blocks of large files where leaves of 2
 * MiB can map them. Nothing but places changes: block numbers in inodes and indirect blocks, and
 * which blocks of which group are in use. The bytes of files are copied by the kernel, in runs that
 * are as long as before and after allow.
 */
public final class AlignedImage implements AutoCloseable {
  /** The alignment in bytes: what one page-table entry of the level above pages maps. */
  public static final long ALIGNMENT = (long) SlotPlan.SLOT_BLOCKS << ExtLayout.BLOCK_SHIFT;

  /** Features that say nothing of where blocks lie, but for directories and inodes. */
  private static final Set<String> UNDERSTOOD =
      Set.of(
          "ext_attr",
          "dir_index",
          "filetype",
          "sparse_super",
          "large_file",
          "dir_nlink",
          "extra_isize");

  private final FileChannel from;
  private final Arena arena;
  private final ByteView view;
  private final Superblock superblock;

  private AlignedImage(String name, FileChannel from, Arena arena) throws IOException {
    this.from = from;
    this.arena = arena;
    this.view =
        new ByteView(
            from.map(FileChannel.MapMode.READ_ONLY, 0, from.size(), arena),
            name,
            CorruptImageException::new);
    this.superblock = Superblock.read(view);
  }

  /**
   * Opens the image that is to be written anew.
   *
   * @param name the image's name, as errors show it
   * @param from the image, which nobody changes meanwhile
   * @return what writes the new one, to be closed before the channel
   * @throws CorruptImageException if it is no ext2 image that is read
   * @throws IOException if it cannot be read
   */
  public static AlignedImage of(String name, FileChannel from) throws IOException {
    Arena arena = Arena.ofConfined();
    try {
      return new AlignedImage(name, from, arena);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Says what keeps this image from being written anew.
   *
   * @return the features that it has and that are not understood here, and its size if it is 8 TiB
   *     or more or not in groups of 128 MiB; empty for what mke2fs makes of ext2 unless its
   *     configuration says otherwise
   */
  public List<String> obstacles() {
    List<String> obstacles = new ArrayList<>(superblock.info().features());
    obstacles.removeAll(UNDERSTOOD);
    if (Math.max(superblock.blocks(), superblock.inodes()) >= Integer.MAX_VALUE) {
      obstacles.add("%d blocks, %d inodes".formatted(superblock.blocks(), superblock.inodes()));
    }
    if (superblock.blocksPerGroup() != ExtLayout.BITMAP_BITS) {
      obstacles.add("groups of %d blocks".formatted(superblock.blocksPerGroup()));
    }
    return obstacles;
  }

  /**
   * Writes the new image. Preconditions: there are no {@link #obstacles}.
   *
   * @param to an empty file open for writing; what is free or zero becomes a hole
   * @param progress is told how many bytes of files are copied
   * @throws CorruptImageException if the image is damaged, or has blocks of unknown use
   * @throws IOException if the new one cannot be written
   */
  public void write(FileChannel to, LongConsumer progress) throws IOException {
    MemoryFaults.guarded(
        view.file(),
        view.memory(),
        () -> {
          SlotPlan plan = SlotPlan.of(view, superblock, arena);
          to.write(ByteBuffer.allocate(1), view.size() - 1); // its length, whatever follows
          copyFiles(plan, to, progress);
          writeGroups(plan, to);
          return null;
        });
  }

  private void copyFiles(SlotPlan plan, FileChannel to, LongConsumer progress) throws IOException {
    int blocks = (int) superblock.blocks();
    long copied = 0;
    int block = 0;
    while (block < blocks) {
      int place = plan.place(block);
      int count = 1;
      if (place != 0 && plan.isIndirect(block)) {
        writeIndirect(plan, block, to);
      } else if (place != 0) {
        while (block + count < blocks
            && plan.place(block + count) == place + count
            && !plan.isIndirect(block + count)) {
          count++;
        }
        copy(block, place, count, to);
        copied += (long) count << ExtLayout.BLOCK_SHIFT;
        progress.accept(copied);
      }
      block += count;
    }
  }

  private void copy(long block, long place, long count, FileChannel to) throws IOException {
    long at = block << ExtLayout.BLOCK_SHIFT;
    long end = block + count << ExtLayout.BLOCK_SHIFT;
    to.position(place << ExtLayout.BLOCK_SHIFT);
    while (at < end) {
      long done = from.transferTo(at, end - at, to);
      if (done <= 0) {
        throw view.malformed(at, "bytes of files up to 0x%x".formatted(end), "the file's end");
      }
      at += done;
    }
  }

  private void writeIndirect(SlotPlan plan, int block, FileChannel to) throws IOException {
    ByteBuffer pointers = read(block);
    for (int i = 0; i < ExtLayout.POINTERS; i++) {
      repoint(plan, block, pointers, i * ExtLayout.POINTER_SIZE);
    }
    write(pointers, plan.place(block), to);
  }

  /** Puts the new number of a block in place of the old one; 0 stays 0. */
  private void repoint(SlotPlan plan, long block, ByteBuffer bytes, int at)
      throws MalformedDataException {
    long old = Integer.toUnsignedLong(bytes.getInt(at));
    int place = old < superblock.blocks() ? plan.place(old) : 0;
    if (old != 0 && place == 0) {
      throw view.malformed(
          (block << ExtLayout.BLOCK_SHIFT) + at, "the number of a file's block", "" + old);
    }
    bytes.putInt(at, place);
  }

  private void writeGroups(SlotPlan plan, FileChannel to) throws IOException {
    BlockGroups groups = plan.groups();
    ByteBuffer descriptors = descriptors(plan);
    for (long group = 0; group < superblock.groups(); group++) {
      if (groups.hasCopies(group)) {
        long first = groups.firstBlock(group);
        write(read(first), first, to);
        for (int i = 0; i < groups.descriptorBlocks(); i++) {
          write(
              descriptors.slice(i * ExtLayout.BLOCK_SIZE, ExtLayout.BLOCK_SIZE), first + 1 + i, to);
        }
      }
      write(bitmap(plan, group), groups.blockBitmap(group), to);
      write(read(groups.inodeBitmap(group)), groups.inodeBitmap(group), to);
      writeInodes(plan, group, to);
    }
  }

  /** The table of group descriptors with the new counts of free blocks. */
  private ByteBuffer descriptors(SlotPlan plan) throws MalformedDataException {
    int length = (int) plan.groups().descriptorBlocks() * ExtLayout.BLOCK_SIZE;
    ByteBuffer table = littleEndian(view.bytes(ExtLayout.BLOCK_SIZE, length));
    for (int group = 0; group < superblock.groups(); group++) {
      int free = plan.groups().blocks(group) - plan.taken(group).cardinality();
      int at = group * ExtLayout.GROUP_DESCRIPTOR_SIZE + ExtLayout.BG_FREE_BLOCKS_COUNT;
      table.putShort(at, (short) free);
    }
    return table;
  }

  /** The bits past the last block of a group stay as they were. */
  private ByteBuffer bitmap(SlotPlan plan, long group) throws MalformedDataException {
    long old = plan.groups().blockBitmap(group) << ExtLayout.BLOCK_SHIFT;
    BitSet bits = BitSet.valueOf(view.bytes(old, ExtLayout.BLOCK_SIZE));
    bits.clear(0, plan.groups().blocks(group));
    bits.or(plan.taken(group));
    return ByteBuffer.allocate(ExtLayout.BLOCK_SIZE).put(bits.toByteArray()).rewind();
  }

  private void writeInodes(SlotPlan plan, long group, FileChannel to) throws IOException {
    InodeTable inodes = plan.inodes();
    int number = (int) (group * superblock.inodesPerGroup()) + 1;
    long first = inodes.firstBlock(group);
    for (long block = first; block < first + inodes.blocksPerGroup(); block++) {
      ByteBuffer bytes = read(block);
      for (int at = 0; at < ExtLayout.BLOCK_SIZE; at += superblock.inodeSize(), number++) {
        if (inodes.isInUse(number)) {
          for (int i = 0; plan.hasTree(number) && i < ExtLayout.TREE_ROOTS; i++) {
            repoint(plan, block, bytes, at + ExtLayout.I_BLOCK + i * ExtLayout.POINTER_SIZE);
          }
          repoint(plan, block, bytes, at + ExtLayout.I_FILE_ACL);
        }
      }
      write(bytes, block, to);
    }
  }

  private ByteBuffer read(long block) throws MalformedDataException {
    return littleEndian(view.bytes(block << ExtLayout.BLOCK_SHIFT, ExtLayout.BLOCK_SIZE));
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void write(ByteBuffer bytes, long block, FileChannel to) throws IOException {
    if (bytes.mismatch(ByteBuffer.allocate(ExtLayout.BLOCK_SIZE)) < 0) {
      return;
    }
    long at = block << ExtLayout.BLOCK_SHIFT;
    while (bytes.hasRemaining()) {
      at += to.write(bytes, at);
    }
  }

  /** Unmaps the image. */
  @Override
  public void close() {
    arena.close();
  }
}
