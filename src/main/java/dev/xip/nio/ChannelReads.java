package dev.xip.nio;

import dev.xip.image.FileContent;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** Reads that all channels have in common: straight from the image to the caller's buffer. */
final class ChannelReads {
  private ChannelReads() {}

  /**
   * Reads into a buffer.
   *
   * @return how many bytes, 0 if the buffer has no room, -1 at or past the end of the file
   * @throws IllegalArgumentException if the buffer is read-only
   */
  static int read(FileContent file, long position, ByteBuffer to) throws IOException {
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("the buffer is read-only");
    }
    if (!to.hasRemaining()) {
      return 0;
    }
    if (position >= file.size()) {
      return -1;
    }
    int count = (int) file.read(position, MemorySegment.ofBuffer(to));
    to.position(to.position() + count);
    return count;
  }
}
