package dev.xip.nio;

import dev.xip.image.FileContent;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channel;

/** Reads that all channels have in common: straight from the image to the caller's buffer. */
final class ChannelReads {
  private ChannelReads() {}

  /**
   * Reads into a buffer.
   *
   * @return how many bytes, 0 if the buffer has no room, -1 at or past the end of the file
   * @throws IllegalArgumentException if the buffer is read-only
   * @throws AsynchronousCloseException if the channel was closed meanwhile
   */
  static int read(Channel channel, FileContent file, long position, ByteBuffer to)
      throws IOException {
    if (to.isReadOnly()) {
      throw new IllegalArgumentException("the buffer is read-only");
    }
    if (!to.hasRemaining()) {
      return 0;
    }
    if (position >= file.size()) {
      return -1;
    }
    int count;
    try {
      count = (int) file.read(position, MemorySegment.ofBuffer(to));
    } catch (IllegalStateException unmapped) {
      requireOpen(channel);
      throw unmapped;
    }
    // A loss of pages is forgotten with the mapping, so bytes are believed only if it is there.
    requireOpen(channel);
    to.position(to.position() + count);
    return count;
  }

  /** The image is unmapped at any time after its channels were closed. */
  private static void requireOpen(Channel channel) throws AsynchronousCloseException {
    if (!channel.isOpen()) {
      throw new AsynchronousCloseException();
    }
  }
}
