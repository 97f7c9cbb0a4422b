package dev.xip.pack.ext;

import dev.xip.base.ByteView;
import dev.xip.image.BlockMap;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FileType;
import dev.xip.image.ext.BlockGroups;
import dev.xip.image.ext.ExtLayout;
import dev.xip.image.ext.Superblock;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.util.BitSet;
import java.util.List;

/**
 * Fills an image that mke2fs has just made with files, so that leaves of 2 MiB can map the large
 * ones. The metadata of the groups stays where mke2fs put it; the files that mke2fs made,
 * lost+found among them, are dropped. The caller copies the bytes of files, in runs that are as
 * long as the image allows.
 */
public final class ImageWriter implements AutoCloseable {
  private static final ByteBuffer ZEROS = ByteBuffer.allocate(NewBlock.SIZE);

  private final FileChannel image;
  private final NewFormat format;
  private final Arena arena;
  private final ByteView view;
  private final Superblock superblock;
  private final BlockGroups groups;
  private final BitSet metadata;

  /** The block of inodes that is being filled, and its number. */
  private final ByteBuffer inodeBlock = buffer();

  private long inodeBlockAt;

  private ImageWriter(String name, FileChannel image, NewFormat format, Arena arena)
      throws IOException {
    this.image = image;
    this.format = format;
    this.arena = arena;
    this.view =
        CorruptImageException.view(
            image.map(FileChannel.MapMode.READ_ONLY, 0, image.size(), arena), name);
    this.superblock = Superblock.read(view);
    if (superblock.blockShift() != NewBlock.SHIFT
        || superblock.features().incompat() != format.incompatible()) {
      throw view.malformed(
          ExtLayout.SUPERBLOCK_OFFSET,
          "blocks of %d bytes, and the features %s".formatted(NewBlock.SIZE, format.features()),
          "blocks of %d, and %s"
              .formatted(superblock.blockSize(), String.join(", ", superblock.info().features())));
    }
    this.groups = new BlockGroups(view, superblock);
    this.metadata = groups.metadata();
  }

  /** Copies the bytes of files. */
  @FunctionalInterface
  public interface Contents {
    /**
     * Copies the bytes of one file.
     *
     * @param file a regular file
     * @param places where they go; the rest is a hole
     * @param image the image
     * @throws IOException if they cannot be read or written
     */
    void copy(NewFile file, BlockMap places, FileChannel image) throws IOException;
  }

  /**
   * Opens the image that is to be filled.
   *
   * @param name the image's name, as errors show it
   * @param image an image without files, open for reading and writing, which only the caller can
   *     truncate
   * @param format its kind
   * @return the writer, to be closed before the channel
   * @throws CorruptImageException if it is no such image
   * @throws IOException if it cannot be read
   */
  public static ImageWriter open(String name, FileChannel image, NewFormat format)
      throws IOException {
    Arena arena = Arena.ofConfined();
    try {
      return new ImageWriter(name, image, format, arena);
    } catch (IOException | RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Compares the size of the image with what files need.
   *
   * @param need what the files need
   * @return how many blocks are missing, 0 if there is room for all
   */
  public long missingBlocks(NewImageSize need) {
    long wanted = need.fileBlocks() + (format == NewFormat.EXT4 ? need.spareRows(gaps()) : 0);
    return Math.max(0, wanted - (superblock.blocks() - metadata.cardinality()));
  }

  /** Counts the stretches of blocks between the metadata of the groups. */
  private long gaps() {
    long gaps = 0;
    for (int at = 0; (at = metadata.nextClearBit(at)) < superblock.blocks(); gaps++) {
      int end = metadata.nextSetBit(at);
      at = end < 0 ? (int) superblock.blocks() : end;
    }
    return gaps;
  }

  /**
   * Fills the image. Preconditions: no blocks are missing, and the image was made with as many
   * inodes as there are files and ten more.
   *
   * @param files all files, each once, the root first and each directory before what is in it
   * @param contents copies their bytes
   * @throws IOException if the image cannot be written, or what the copying threw
   */
  public void write(List<NewFile> files, Contents contents) throws IOException {
    clear();
    number(files);
    BitSet taken = (BitSet) metadata.clone();
    SlotPlan slots = SlotPlan.of(files, taken, superblock.blocks());
    writeFiles(files, new BlockAllocator(taken, slots), contents);
    writeGroups(files, taken);
  }

  /** Zeroes the blocks of the files that mke2fs made: a new file need not fill its last block. */
  private void clear() throws IOException {
    ByteBuffer lostAndFound = ByteBuffer.allocate(superblock.inodeSize());
    write(lostAndFound, groups.inodeOffset(superblock.firstInode()));
    for (long group = 0; group < superblock.groups(); group++) {
      BitSet used = BitSet.valueOf(read(groups.blockBitmap(group), 1));
      long first = groups.firstBlock(group);
      for (int i = 0; (i = used.nextSetBit(i)) >= 0 && i < groups.blocks(group); i++) {
        if (!metadata.get((int) first + i)) {
          writeBlock(ZEROS.duplicate(), first + i);
        }
      }
    }
  }

  private void number(List<NewFile> files) {
    int next = (int) superblock.firstInode();
    for (NewFile file : files) {
      file.number(file == files.getFirst() ? ExtLayout.ROOT_INODE : next++);
    }
  }

  private void writeFiles(List<NewFile> files, BlockAllocator blocks, Contents contents)
      throws IOException {
    for (NewFile file : files) {
      BlockMap places = blocks.place(file);
      switch (file.inode().type()) {
        case REGULAR -> contents.copy(file, places, image);
        case DIRECTORY -> writeDirectory(file, places);
        case SYMLINK -> {
          if (places.extentCount() > 0) {
            ByteBuffer target = buffer().put(file.target()).clear();
            writeBlock(target, places.imageOffset(0) >>> NewBlock.SHIFT);
          }
        }
        default -> {}
      }
      writeInode(file, places, blocks);
    }
    flushInodes();
  }

  private void writeDirectory(NewFile file, BlockMap places) throws IOException {
    DirectoryWriter blocks = new DirectoryWriter(file);
    for (int i = 0; i < places.extentCount(); i++) {
      long first = places.extent(i).imageOffset() >>> NewBlock.SHIFT;
      long count = places.extent(i).length() >>> NewBlock.SHIFT;
      for (long block = first; block < first + count; block++) {
        writeBlock(blocks.nextBlock(), block);
      }
    }
  }

  private void writeInode(NewFile file, BlockMap places, BlockAllocator blocks) throws IOException {
    long at = groups.inodeOffset(file.number());
    seekInodes(at >>> NewBlock.SHIFT);
    int offset = (int) (at & NewBlock.SIZE - 1);
    inodeBlock.put(offset, new byte[superblock.inodeSize()]);
    long[] used = new long[1];
    if (hasBlocks(file)) {
      format.write(
          places,
          row -> {
            int block = blocks.allocate();
            writeBlock(row, block);
            used[0]++;
            return block;
          },
          inodeBlock,
          offset);
      used[0] += places.alignedBytes(1) >>> NewBlock.SHIFT;
    }
    int attributesBlock = 0;
    if (file.attributes().needBlock()) {
      attributesBlock = blocks.allocate();
      ByteBuffer block = buffer();
      file.attributes().putInBlock(block);
      writeBlock(block, attributesBlock);
      used[0]++;
    }
    new InodeWriter(inodeBlock, offset).write(file, used[0], attributesBlock);
  }

  /** A short link's target is in its inode, and a device's number. */
  private static boolean hasBlocks(NewFile file) {
    return switch (file.inode().type()) {
      case REGULAR, DIRECTORY -> true;
      case SYMLINK -> file.runs().length > 0;
      default -> false;
    };
  }

  /** Precondition: inodes are written in ascending order, so that each block is written once. */
  private void seekInodes(long block) throws IOException {
    if (block != inodeBlockAt) {
      flushInodes();
      inodeBlock.put(0, read(block, 1).array());
      inodeBlockAt = block;
    }
  }

  private void flushInodes() throws IOException {
    if (inodeBlockAt != 0) {
      writeBlock(inodeBlock.clear(), inodeBlockAt);
    }
  }

  private void writeGroups(List<NewFile> files, BitSet taken) throws IOException {
    ByteBuffer table = read(1, (int) superblock.descriptorBlocks());
    int used = files.size() - 1 + (int) superblock.firstInode() - 1;
    int perGroup = (int) superblock.inodesPerGroup();
    int[] directories = directories(files);
    long freeBlocks = 0;
    for (int group = 0; group < superblock.groups(); group++) {
      int first = (int) groups.firstBlock(group);
      BitSet blocks = taken.get(first, first + groups.blocks(group));
      BitSet numbers = new BitSet();
      numbers.set(0, Math.clamp(used - (long) group * perGroup, 0, perGroup));
      int free = groups.blocks(group) - blocks.cardinality();
      freeBlocks += free;
      int at = group * superblock.descriptorSize();
      table.putShort(at + ExtLayout.BG_FREE_BLOCKS_COUNT, (short) free);
      table.putShort(
          at + ExtLayout.BG_FREE_INODES_COUNT, (short) (perGroup - numbers.cardinality()));
      table.putShort(at + ExtLayout.BG_USED_DIRS_COUNT, (short) directories[group]);
      writeBitmap(blocks, groups.blocks(group), groups.blockBitmap(group));
      writeBitmap(numbers, perGroup, groups.inodeBitmap(group));
    }
    for (long group = 0; group < superblock.groups(); group++) {
      if (groups.hasCopies(group)) {
        long first = groups.firstBlock(group);
        ByteBuffer copy = read(first, 1);
        int at = group == 0 ? (int) ExtLayout.SUPERBLOCK_OFFSET : 0;
        copy.putInt(at + ExtLayout.S_FREE_BLOCKS_COUNT, (int) freeBlocks);
        copy.putInt(at + ExtLayout.S_FREE_INODES_COUNT, (int) superblock.inodes() - used);
        writeBlock(copy, first);
        writeBlock(table.clear(), first + 1);
      }
    }
  }

  /** Counts the directories of each group of inodes. */
  private int[] directories(List<NewFile> files) {
    int[] directories = new int[(int) superblock.groups()];
    for (NewFile file : files) {
      if (file.inode().type() == FileType.DIRECTORY) {
        directories[(int) ((file.number() - 1) / superblock.inodesPerGroup())]++;
      }
    }
    return directories;
  }

  /** The unused bits at the end of the bitmap are set. */
  private void writeBitmap(BitSet bits, int count, long block) throws IOException {
    bits.set(count, NewBlock.BITMAP_BITS);
    writeBlock(buffer().put(bits.toByteArray()).clear(), block);
  }

  /**
   * Reads through the channel: to touch a mapped page of a hole may take room that is not there.
   */
  private ByteBuffer read(long block, int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count << NewBlock.SHIFT).order(ByteOrder.LITTLE_ENDIAN);
    long at = block << NewBlock.SHIFT;
    while (bytes.hasRemaining()) {
      int done = image.read(bytes, at + bytes.position());
      if (done < 0) {
        throw view.malformed(at, "%d blocks".formatted(count), "the file's end");
      }
    }
    return bytes.clear();
  }

  private static ByteBuffer buffer() {
    return ByteBuffer.allocate(NewBlock.SIZE).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void writeBlock(ByteBuffer bytes, long block) throws IOException {
    write(bytes, block << NewBlock.SHIFT);
  }

  private void write(ByteBuffer bytes, long offset) throws IOException {
    long at = offset;
    while (bytes.hasRemaining()) {
      at += image.write(bytes, at);
    }
  }

  /** Unmaps the image. */
  @Override
  public void close() {
    arena.close();
  }
}
