package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vfs.FileException;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/** System calls that read and write what a descriptor names. Linux counterpart: fs/read_write.c. */
final class TransferCalls {
  /** MAX_RW_COUNT (include/linux/fs.h). */
  private static final long MOST_BYTES = 0x7fff_f000;

  private static final int MOST_PARTS = 1024;

  /** struct iovec. */
  private static final int PART_BYTES = 16;

  private final Task task;
  private final PathCalls paths;

  TransferCalls(Task task) {
    this.task = task;
    this.paths = new PathCalls(task);
  }

  /** read(2). */
  long read(long fd, long va, long count) throws IOException {
    OpenFile file = paths.file(fd);
    if (!file.isReadable()) {
      return -Errno.EBADF.number();
    }
    if (!isOfUser(va, count)) {
      return -Errno.EFAULT.number();
    }
    return count == 0 ? 0 : file.read(task, va, Math.min(count, MOST_BYTES));
  }

  /** pread64(2). */
  long readAt(long fd, long va, long count, long position) throws IOException {
    if (position < 0) {
      return -Errno.EINVAL.number();
    }
    OpenFile file = paths.file(fd);
    if (file.isStream() && !(file instanceof OpenPath)) {
      return -Errno.ESPIPE.number();
    }
    if (!file.isReadable()) {
      return -Errno.EBADF.number();
    }
    if (!isOfUser(va, count)) {
      return -Errno.EFAULT.number();
    }
    return count == 0 ? 0 : file.readAt(task, va, Math.min(count, MOST_BYTES), position);
  }

  /** write(2). */
  long write(long fd, long va, long count) throws IOException {
    OpenFile file = paths.file(fd);
    if (!file.isWritable()) {
      return -Errno.EBADF.number();
    }
    if (!isOfUser(va, count)) {
      return -Errno.EFAULT.number();
    }
    return count == 0 ? 0 : file.write(task, va, Math.min(count, MOST_BYTES));
  }

  /** pwrite64(2). */
  long writeAt(long fd, long va, long count, long position) throws IOException {
    if (position < 0) {
      return -Errno.EINVAL.number();
    }
    OpenFile file = paths.file(fd);
    if (file.isStream() && !(file instanceof OpenPath)) {
      return -Errno.ESPIPE.number();
    }
    if (!file.isWritable()) {
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
    // The descriptor is looked at although there may be no bytes.
    long refused = part.transfer(0, 0);
    if (refused < 0) {
      return refused;
    }
    LongBuffer parts =
        ByteBuffer.wrap(task.memory().read(vector, (int) count * PART_BYTES))
            .order(ByteOrder.LITTLE_ENDIAN)
            .asLongBuffer();
    for (int i = 1; i < parts.capacity(); i += 2) {
      if (parts.get(i) < 0) {
        return -Errno.EINVAL.number();
      }
    }
    return each(parts, part);
  }

  private static long each(LongBuffer parts, Part part) throws IOException {
    long done = 0;
    while (parts.hasRemaining()) {
      long va = parts.get();
      long length = parts.get();
      long moved;
      try {
        moved = length == 0 ? 0 : part.transfer(va, length);
      } catch (InterruptedCallException | MemoryFaultException | FileException e) {
        if (done == 0) {
          throw e;
        }
        return done;
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
