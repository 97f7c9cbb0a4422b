package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.vm.MemoryFaultException;
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
  private static final int F_GETFD = 1;
  private static final int F_GETFL = 3;
  private static final int O_WRONLY = 1;

  /** A named pipe that its owner may use. */
  private static final int FIFO = 010600;

  private static final int STAT_BYTES = 144;
  private static final int STAT_LINKS = 16;
  private static final int STAT_MODE = 24;
  private static final int STAT_BLOCK_SIZE = 56;

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

  private static boolean isOpen(long fd) {
    return fd >= 0 && fd <= 2;
  }

  /** fcntl(2): how a descriptor was opened. */
  static long control(long fd, int command) {
    if (!isOpen(fd)) {
      return -Errno.EBADF.number();
    }
    return switch (command) {
      case F_GETFD -> 0;
      case F_GETFL -> fd == 0 ? 0 : O_WRONLY;
      default -> -Errno.EINVAL.number();
    };
  }

  /** fstat(2): each is a pipe. */
  static long stat(UserMemory memory, long fd, long va) throws MemoryFaultException {
    if (!isOpen(fd)) {
      return -Errno.EBADF.number();
    }
    memory.write(va, new byte[STAT_BYTES], STAT_BYTES);
    memory.putLong(va + STAT_LINKS, 1);
    memory.putLong(va + STAT_MODE, FIFO);
    memory.putLong(va + STAT_BLOCK_SIZE, Pages.SIZE);
    return 0;
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
