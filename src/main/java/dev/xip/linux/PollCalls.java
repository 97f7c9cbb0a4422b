package dev.xip.linux;

import dev.xip.base.Errno;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** System calls that wait for several descriptors. Linux counterpart: fs/select.c. */
final class PollCalls {
  private static final int POLL_BYTES = 8;
  private static final int POLLNVAL = 0x20;
  private static final int ALWAYS = OpenFile.POLLERR | OpenFile.POLLHUP;
  private static final int READABLE = OpenFile.POLLIN | OpenFile.POLLHUP | OpenFile.POLLERR;
  private static final int WRITABLE = OpenFile.POLLOUT | OpenFile.POLLERR;

  /** Waits without an end. */
  static final long FOREVER = -1;

  private final Task task;

  PollCalls(Task task) {
    this.task = task;
  }

  private long deadline(long nanos) {
    return task.delivery().deadline(nanos < 0 ? Long.MAX_VALUE : System.nanoTime() + nanos);
  }

  private static boolean isOver(long deadline) {
    return deadline != Long.MAX_VALUE && deadline - System.nanoTime() <= 0;
  }

  /** poll(2) and ppoll(2): nanoseconds, or {@link #FOREVER}. */
  long poll(long va, long count, long nanos) throws IOException {
    if (count < 0 || count > task.descriptors().limit()) {
      return -Errno.EINVAL.number();
    }
    int bytes = (int) count * POLL_BYTES;
    byte[] array = task.memory().read(va, bytes);
    ByteBuffer files = ByteBuffer.wrap(array).order(ByteOrder.LITTLE_ENDIAN);
    long deadline = deadline(nanos);
    int found;
    synchronized (task.kernel()) {
      while ((found = check(files)) == 0 && !isOver(deadline)) {
        watch(files);
        task.kernel().await(task, deadline);
      }
    }
    task.memory().write(va, array, bytes);
    return found;
  }

  private void watch(ByteBuffer files) {
    for (int at = 0; at < files.capacity(); at += POLL_BYTES) {
      watch(files.getInt(at), files.getShort(at + 4));
    }
  }

  private void watch(int fd, int events) {
    OpenFile file = task.descriptors().file(fd);
    if (file != null) {
      file.watch(events);
    }
  }

  private int check(ByteBuffer files) {
    int found = 0;
    for (int at = 0; at < files.capacity(); at += POLL_BYTES) {
      int fd = files.getInt(at);
      int ready = 0;
      if (fd >= 0) {
        OpenFile file = task.descriptors().file(fd);
        ready = file == null ? POLLNVAL : file.ready() & (files.getShort(at + 4) | ALWAYS);
      }
      files.putShort(at + 6, (short) ready);
      found += ready == 0 ? 0 : 1;
    }
    return found;
  }

  /** select(2) and pselect6(2): nanoseconds, or {@link #FOREVER}. */
  long select(int count, long read, long write, long except, long nanos) throws IOException {
    if (count < 0 || count > Descriptors.LIMIT) {
      return -Errno.EINVAL.number();
    }
    int words = (count + 63) / 64;
    long[] wantRead = set(read, words);
    long[] wantWrite = set(write, words);
    long[] canRead = new long[words];
    long[] canWrite = new long[words];
    long deadline = deadline(nanos);
    int found;
    synchronized (task.kernel()) {
      while (true) {
        found = mark(count, wantRead, READABLE, canRead);
        int written = found < 0 ? -1 : mark(count, wantWrite, WRITABLE, canWrite);
        if (written < 0) {
          return -Errno.EBADF.number();
        }
        found += written;
        if (found > 0 || isOver(deadline)) {
          break;
        }
        for (int fd = 0; fd < count; fd++) {
          int events = has(wantRead, fd) ? OpenFile.POLLIN : 0;
          watch(fd, events | (has(wantWrite, fd) ? OpenFile.POLLOUT : 0));
        }
        task.kernel().await(task, deadline);
      }
    }
    put(read, canRead);
    put(write, canWrite);
    put(except, new long[words]);
    return found;
  }

  /** Marks the descriptors that are ready; -1 if one is not open. */
  private int mark(int count, long[] wanted, int events, long[] ready) {
    int found = 0;
    for (int fd = 0; fd < count; fd++) {
      if (has(wanted, fd)) {
        OpenFile file = task.descriptors().file(fd);
        if (file == null) {
          return -1;
        }
        if ((file.ready() & events) != 0) {
          ready[fd >> 6] |= 1L << fd;
          found++;
        }
      }
    }
    return found;
  }

  private static boolean has(long[] set, int fd) {
    return (set[fd >> 6] >>> fd & 1) != 0;
  }

  private long[] set(long va, int words) throws IOException {
    long[] set = new long[words];
    for (int i = 0; va != 0 && i < words; i++) {
      set[i] = task.memory().getLong(va + 8L * i);
    }
    return set;
  }

  private void put(long va, long[] set) throws IOException {
    for (int i = 0; va != 0 && i < set.length; i++) {
      task.memory().putLong(va + 8L * i, set[i]);
    }
  }
}
