package dev.xip.linux;

import dev.xip.base.Errno;
import java.io.IOException;

/** System calls that read and write what a descriptor names. Linux counterpart: fs/read_write.c. */
final class TransferCalls {
  /** MAX_RW_COUNT (include/linux/fs.h). */
  private static final long MOST_BYTES = 0x7fff_f000;

  private static final int MOST_PARTS = 1024;

  private final Task task;

  TransferCalls(Task task) {
    this.task = task;
  }

  private OpenFile file(long fd) {
    synchronized (task.kernel()) {
      return task.descriptors().file(fd);
    }
  }

  /** read(2). */
  long read(long fd, long va, long count) throws IOException {
    OpenFile file = file(fd);
    if (file == null || !file.isReadable()) {
      return -Errno.EBADF.number();
    }
    if (!isOfUser(va, count)) {
      return -Errno.EFAULT.number();
    }
    return count == 0 ? 0 : file.read(task, va, Math.min(count, MOST_BYTES));
  }

  /** pread64(2). */
  long readAt(long fd, long va, long count, long position) throws IOException {
    OpenFile file = file(fd);
    if (position < 0) {
      return -Errno.EINVAL.number();
    }
    if (file != null && file.isStream() && !(file instanceof OpenPath)) {
      return -Errno.ESPIPE.number();
    }
    if (file == null || !file.isReadable()) {
      return -Errno.EBADF.number();
    }
    if (!isOfUser(va, count)) {
      return -Errno.EFAULT.number();
    }
    return count == 0 ? 0 : file.readAt(task, va, Math.min(count, MOST_BYTES), position);
  }

  /** write(2). */
  long write(long fd, long va, long count) throws IOException {
    OpenFile file = file(fd);
    if (file == null || !file.isWritable()) {
      return -Errno.EBADF.number();
    }
    if (!isOfUser(va, count)) {
      return -Errno.EFAULT.number();
    }
    return count == 0 ? 0 : file.write(task, va, Math.min(count, MOST_BYTES));
  }

  /** pwrite64(2). */
  long writeAt(long fd, long va, long count, long position) throws IOException {
    OpenFile file = file(fd);
    if (position < 0) {
      return -Errno.EINVAL.number();
    }
    if (file != null && file.isStream() && !(file instanceof OpenPath)) {
      return -Errno.ESPIPE.number();
    }
    if (file == null || !file.isWritable()) {
      return -Errno.EBADF.number();
    }
    if (!isOfUser(va, count)) {
      return -Errno.EFAULT.number();
    }
    return count == 0 ? 0 : file.writeAt(task, va, Math.min(count, MOST_BYTES), position);
  }

  /** Whether no byte can be the kernel's. Linux counterpart: {@code access_ok}. */
  private static boolean isOfUser(long va, long count) {
    return va >= 0 && count >= 0 && va + count >= 0;
  }

  /** readv(2): a read for each part until one is not filled. */
  long readv(long fd, long vector, long count) throws IOException {
    return each(vector, count, (va, length) -> read(fd, va, length));
  }

  /** writev(2): a write for each part, so other writers of a pipe may come between them. */
  long writev(long fd, long vector, long count) throws IOException {
    return each(vector, count, (va, length) -> write(fd, va, length));
  }

  /** preadv(2). */
  long readvAt(long fd, long vector, long count, long position) throws IOException {
    long[] at = {position};
    return each(vector, count, (va, length) -> moved(at, readAt(fd, va, length, at[0])));
  }

  /** pwritev(2). */
  long writevAt(long fd, long vector, long count, long position) throws IOException {
    long[] at = {position};
    return each(vector, count, (va, length) -> moved(at, writeAt(fd, va, length, at[0])));
  }

  private static long moved(long[] at, long length) {
    at[0] += Math.max(0, length);
    return length;
  }

  private interface Part {
    long transfer(long va, long length) throws IOException;
  }

  private long each(long vector, long count, Part part) throws IOException {
    if (count < 0 || count > MOST_PARTS) {
      return -Errno.EINVAL.number();
    }
    long done = 0;
    for (long i = 0; i < count; i++) {
      long length = task.memory().getLong(vector + 16 * i + 8);
      long moved = 0;
      if (length > 0) {
        try {
          moved = part.transfer(task.memory().getLong(vector + 16 * i), length);
        } catch (InterruptedCallException e) {
          moved = 0;
          if (done == 0) {
            throw e;
          }
        }
      }
      if (moved < 0) {
        return done > 0 ? done : moved;
      }
      done += moved;
      if (moved < length) {
        break;
      }
    }
    return done;
  }
}
