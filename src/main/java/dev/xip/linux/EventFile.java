package dev.xip.linux;

import dev.xip.base.Errno;
import java.io.IOException;

/** A counter that is read and written, eventfd(2). Linux counterpart: fs/eventfd.c. */
final class EventFile extends OpenFile {
  private static final long MOST = -2;

  private final Kernel kernel;

  /** Whether a read takes 1 and not all. */
  private final boolean semaphore;

  /** Unsigned. Guarded by the kernel's monitor. */
  private long count;

  EventFile(Kernel kernel, long count, boolean semaphore, int flags) {
    super(O_RDWR | flags);
    this.kernel = kernel;
    this.count = count;
    this.semaphore = semaphore;
  }

  @Override
  long read(Task task, long va, long length) throws IOException {
    if (length < Long.BYTES) {
      return -Errno.EINVAL.number();
    }
    long taken;
    synchronized (kernel) {
      while (count == 0) {
        if (!isBlocking()) {
          return -Errno.EAGAIN.number();
        }
        kernel.await(task);
      }
      taken = semaphore ? 1 : count;
      count -= taken;
      kernel.notifyAll();
    }
    task.memory().putLong(va, taken);
    return Long.BYTES;
  }

  @Override
  long write(Task task, long va, long length) throws IOException {
    long more = length < Long.BYTES ? -1 : task.memory().getLong(va);
    if (more == -1) {
      return -Errno.EINVAL.number();
    }
    synchronized (kernel) {
      while (Long.compareUnsigned(more, MOST - count) > 0) {
        if (!isBlocking()) {
          return -Errno.EAGAIN.number();
        }
        kernel.await(task);
      }
      count += more;
      kernel.notifyAll();
    }
    return Long.BYTES;
  }

  @Override
  int ready() {
    return (count != 0 ? POLLIN : 0) | (count != MOST ? POLLOUT : 0);
  }
}
