package dev.xip.nio;

import dev.xip.base.FileName;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The names in a directory with the numbers of their inodes, packed: a directory may have millions,
 * and paths take many times the memory of names. All are added, then each is taken out once. For
 * one thread at a time.
 */
final class ListedNames {
  private static final int SMALLEST = 1 << 10;
  private static final int LARGEST = 64 << 10;

  /** What is added to a name: its length and the number of its inode. */
  private static final int HEADER = Short.BYTES + Long.BYTES;

  private final Deque<ByteBuffer> blocks = new ArrayDeque<>();

  /** The block that is read, null before the first; {@link #text} has its bytes. */
  private ByteBuffer block;

  private FileName text;
  private FileName name;
  private long inode;

  /** Adds a name of less than 64 KiB. */
  void add(FileName added, long number) {
    int bytes = HEADER + added.length();
    ByteBuffer last = blocks.peekLast();
    if (last == null || last.remaining() < bytes) {
      int doubled = last == null ? SMALLEST : Math.min(LARGEST, 2 * last.capacity());
      last = ByteBuffer.allocate(Math.max(doubled, bytes));
      blocks.add(last);
    }
    last.putShort((short) added.length()).putLong(number);
    added.copyTo(last.array(), last.position());
    last.position(last.position() + added.length());
  }

  /** Takes out the next name, or returns false if all were. */
  boolean next() {
    if (block == null || !block.hasRemaining()) {
      block = blocks.poll();
      if (block == null) {
        return false;
      }
      block.flip();
      text = FileName.of(block.array());
    }
    int length = Short.toUnsignedInt(block.getShort());
    inode = block.getLong();
    int start = block.position();
    block.position(start + length);
    name = text.part(start, start + length);
    return true;
  }

  /** {@return the name that {@link #next} took out} */
  FileName name() {
    return name;
  }

  /** {@return the number of its inode} */
  long inode() {
    return inode;
  }
}
