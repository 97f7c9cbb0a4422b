package dev.xip.linux;

import dev.xip.base.Errno;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The streams that a program has as descriptors 0 to 2.
 *
 * @param input what it reads
 * @param output what it writes to standard output
 * @param errors what it writes to standard error
 */
public record StandardStreams(InputStream input, OutputStream output, OutputStream errors) {
  private static final int MOST_BYTES = 1 << 20;

  /** read(2): the bytes that are there, waiting for the first. */
  long read(UserMemory memory, long fd, long va, long count) throws IOException {
    if (fd != 0) {
      return -Errno.EBADF.number();
    }
    byte[] bytes = new byte[(int) Math.min(count, MOST_BYTES)];
    int length = input.read(bytes);
    if (length > 0) {
      memory.write(va, bytes, length);
    }
    return Math.max(length, 0);
  }

  /** write(2). */
  long write(UserMemory memory, long fd, long va, long count) throws IOException {
    OutputStream to = fd == 1 ? output : fd == 2 ? errors : null;
    if (to == null) {
      return -Errno.EBADF.number();
    }
    byte[] bytes = memory.read(va, (int) Math.min(count, MOST_BYTES));
    to.write(bytes);
    to.flush();
    return bytes.length;
  }

  /** writev(2): one write for each element. */
  long writev(UserMemory memory, long fd, long vector, long count) throws IOException {
    long done = 0;
    for (long i = 0; i < count; i++) {
      long length = memory.getLong(vector + 16 * i + 8);
      if (length > 0) {
        long written = write(memory, fd, memory.getLong(vector + 16 * i), length);
        if (written < 0) {
          return done > 0 ? done : written;
        }
        done += written;
      }
    }
    return done;
  }
}
