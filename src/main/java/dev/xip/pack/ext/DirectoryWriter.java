package dev.xip.pack.ext;

import dev.xip.image.FileType;
import dev.xip.image.ext.ExtLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Iterator;

/**
 * Encodes the blocks of a new directory: the entries {@code .} and {@code ..} and then the names in
 * the order in which they were added. The counterpart of the reader's DirectoryBlocks.
 */
final class DirectoryWriter {
  private static final byte[] SELF = {'.'};
  private static final byte[] PARENT = {'.', '.'};

  /** The bytes that {@code .} and {@code ..} take together. */
  private static final int DOTS = length(SELF.length) + length(PARENT.length);

  private final ByteBuffer block =
      ByteBuffer.allocate(NewBlock.SIZE).order(ByteOrder.LITTLE_ENDIAN);
  private final Iterator<NewFile.Entry> entries;

  /** The entry that did not fit into the last block. */
  private NewFile.Entry next;

  private int end;
  private int last;

  /**
   * Begins a directory.
   *
   * @param directory the directory
   */
  DirectoryWriter(NewFile directory) {
    this.entries = directory.entries().iterator();
    put(directory, SELF);
    put(directory.parent(), PARENT);
    advance();
  }

  /** Counts the blocks of a directory. */
  static long blocks(NewFile directory) {
    long blocks = 1;
    int end = DOTS;
    for (NewFile.Entry each : directory.entries()) {
      int length = length(each.name().length());
      if (end + length > NewBlock.SIZE) {
        blocks++;
        end = 0;
      }
      end += length;
    }
    return blocks;
  }

  /** Returns the next block, valid until the next call. */
  ByteBuffer nextBlock() {
    while (next != null && end + length(next.name().length()) <= NewBlock.SIZE) {
      put(next.file(), next.name().bytes());
      advance();
    }
    block.putShort(last + ExtLayout.D_REC_LEN, (short) (NewBlock.SIZE - last));
    block.put(end, new byte[NewBlock.SIZE - end]);
    end = 0;
    return block.clear();
  }

  private void advance() {
    next = entries.hasNext() ? entries.next() : null;
  }

  private void put(NewFile file, byte[] name) {
    int length = length(name.length);
    block.put(end, new byte[length]);
    block.putInt(end + ExtLayout.D_INODE, file.number());
    block.putShort(end + ExtLayout.D_REC_LEN, (short) length);
    block.put(end + ExtLayout.D_NAME_LEN, (byte) name.length);
    block.put(end + ExtLayout.D_FILE_TYPE, (byte) typeNumber(file.inode().type()));
    block.put(end + ExtLayout.D_NAME, name);
    last = end;
    end += length;
  }

  private static int length(int nameLength) {
    return ExtLayout.D_NAME + nameLength + ExtLayout.D_ALIGNMENT - 1 & -ExtLayout.D_ALIGNMENT;
  }

  /** Linux counterpart: include/linux/fs_types.h. */
  private static int typeNumber(FileType type) {
    return switch (type) {
      case UNKNOWN -> 0;
      case REGULAR -> 1;
      case DIRECTORY -> 2;
      case CHARACTER_DEVICE -> 3;
      case BLOCK_DEVICE -> 4;
      case FIFO -> 5;
      case SOCKET -> 6;
      case SYMLINK -> 7;
    };
  }
}
