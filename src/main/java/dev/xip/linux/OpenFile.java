package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.file.InPlaceFile;
import dev.xip.image.Inode;
import java.io.IOException;

/**
 * An open file description, which descriptors of several tasks may name. Linux counterpart: {@code
 * struct file}.
 */
abstract class OpenFile {
  static final int O_ACCMODE = 3;
  static final int O_WRONLY = 1;
  static final int O_NONBLOCK = 0x800;
  static final int POLLIN = 1;
  static final int POLLOUT = 4;
  static final int POLLERR = 8;
  static final int POLLHUP = 0x10;

  /** The access mode and the flags that fcntl changes. */
  private volatile int flags;

  /** How many descriptors name it. Guarded by the kernel's monitor. */
  private int holders;

  OpenFile(int flags) {
    this.flags = flags;
  }

  int flags() {
    return flags;
  }

  boolean isBlocking() {
    return (flags & O_NONBLOCK) == 0;
  }

  void setFlags(int changed) {
    flags = flags & O_ACCMODE | changed;
  }

  /** A descriptor more. Precondition: the kernel's monitor is held, as in {@link #put}. */
  void get() {
    holders++;
  }

  /** A descriptor less; the last one closes the file. */
  void put() {
    if (--holders == 0) {
      close();
    }
  }

  /** The last descriptor is gone. Precondition: the kernel's monitor is held. */
  void close() {}

  /**
   * read(2): waits for bytes and copies those that are there.
   *
   * @param va where they go in the task's memory
   * @param length the most that are wanted, above 0
   * @return how many, 0 at the end of the file, or an error number
   */
  long read(Task task, long va, long length) throws IOException {
    return -Errno.EBADF.number();
  }

  /** write(2): how many bytes of the task's memory were written, or an error number. */
  long write(Task task, long va, long length) throws IOException {
    return -Errno.EBADF.number();
  }

  /** pread64(2). */
  long readAt(Task task, long va, long length, long position) throws IOException {
    return -Errno.ESPIPE.number();
  }

  /** lseek(2). */
  long seek(long offset, int whence) {
    return -Errno.ESPIPE.number();
  }

  /** What can be done without waiting, POLL*. Precondition: the kernel's monitor is held. */
  int ready() {
    return POLLIN | POLLOUT;
  }

  /** What mmap maps; null if it cannot. */
  InPlaceFile mappable() {
    return null;
  }

  /** The inode of the image; null if there is none. */
  Inode inode() {
    return null;
  }
}
