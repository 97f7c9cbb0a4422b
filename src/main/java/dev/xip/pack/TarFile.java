package dev.xip.pack;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/**
 * A tar archive as bytes.
 *
 * @param channel the open file
 * @param size its size when it was opened
 */
record TarFile(FileChannel channel, long size) {
  /**
   * Reads bytes.
   *
   * @param at where
   * @param count how many
   * @throws IOException if they do not lie inside the file
   */
  byte[] read(long at, int count) throws IOException {
    if (at > size - count) {
      throw new IOException("expected %d bytes at 0x%x, found the end".formatted(count, at));
    }
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, at + bytes.position()) < 0) {
        throw new IOException("expected %d bytes at 0x%x, found the end".formatted(count, at));
      }
    }
    return bytes.array();
  }
}
