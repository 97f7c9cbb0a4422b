package dev.xip.demo;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import dev.xip.image.BlockMap;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;

/**
 * The source of the bytes that the demo compares with, always read by read(2), never through our
 * own mapping.
 */
interface DemoSource {
  /** The bytes of one read. */
  int BUFFER_BYTES = 1 << 20;

  /** Updates a digest with the expected bytes of a file. */
  void digest(FileName path, Inode inode, MessageDigest sha) throws IOException;

  /** The files of the folder that was packed. */
  static DemoSource folder(Path folder) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    return (path, inode, sha) -> {
      try (FileChannel channel =
          FileChannel.open(folder.resolve(HostPaths.of(path)), StandardOpenOption.READ)) {
        while (channel.read(buffer.clear()) >= 0) {
          sha.update(buffer.flip());
        }
      }
    };
  }

  /** The extents of the image file; holes are zeros. */
  static DemoSource image(FsImage image, FileChannel channel) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
    return (path, inode, sha) -> {
      BlockMap map = image.blockMap(inode);
      for (long at = 0; at < inode.size(); ) {
        long run = Math.min(map.runLength(at), inode.size() - at);
        long from = map.imageOffset(at);
        buffer.clear().limit((int) Math.min(run, BUFFER_BYTES));
        if (from < 0) {
          while (buffer.hasRemaining()) {
            buffer.put((byte) 0);
          }
        } else {
          readFully(channel, buffer, from);
        }
        at += buffer.position();
        sha.update(buffer.flip());
      }
    };
  }

  private static void readFully(FileChannel channel, ByteBuffer buffer, long from)
      throws IOException {
    long start = from - buffer.position();
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, start + buffer.position()) < 0) {
        throw new EOFException("image ends before byte 0x%x".formatted(from + buffer.limit()));
      }
    }
  }
}
