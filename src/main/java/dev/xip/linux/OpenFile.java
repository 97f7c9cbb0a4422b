package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.file.ReadableFile;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.Node;
import java.io.IOException;

/**
 * An open file description, which descriptors of several tasks may name. Linux counterpart: {@code
 * struct file}.
 */
abstract class OpenFile {
  static final int O_ACCMODE = 3;
  static final int O_WRONLY = 1;
  static final int O_RDWR = 2;
  static final int O_APPEND = 0x400;
  static final int O_NONBLOCK = 0x800;
  static final int POLLIN = 1;
  static final int POLLOUT = 4;
  static final int POLLERR = 8;
  static final int POLLHUP = 0x10;

  /** O_APPEND, O_NONBLOCK, O_ASYNC, O_DIRECT, O_NOATIME: what fcntl changes. */
  private static final int CHANGEABLE = 0x4_6c00;

  /** The access mode and the flags that fcntl shows. */
  private volatile int flags;

  private Node node;

  private Directory start;
  private FileName path;
  private long number = 1;

  /** How many descriptors name it. Guarded by the kernel's monitor. */
  private int holders;

  OpenFile(int flags) {
    this.flags = flags;
  }

  int flags() {
    return flags;
  }

  /** The inode number of a pipe or socket, which no node has. */
  long number() {
    return number;
  }

  /** The same file with an inode number. */
  OpenFile numbered(long inode) {
    number = inode;
    return this;
  }

  boolean isBlocking() {
    return (flags & O_NONBLOCK) == 0;
  }

  void setFlags(int changed) {
    flags = flags & ~CHANGEABLE | changed & CHANGEABLE;
  }

  boolean isReadable() {
    int mode = flags & O_ACCMODE;
    return mode == 0 || mode == O_RDWR;
  }

  boolean isWritable() {
    int mode = flags & O_ACCMODE;
    return mode == O_WRONLY || mode == O_RDWR;
  }

  /** Says which node was opened, which the caller holds; the close drops it. */
  OpenFile of(Node opened) {
    node = opened;
    return this;
  }

  /** Says by which path it was opened. */
  OpenFile at(Directory from, FileName name) {
    start = from;
    path = name;
    return this;
  }

  /** What {@link #openedAs} starts from. */
  Directory openedFrom() {
    return start;
  }

  /** The path by which a node was opened. */
  FileName openedAs() {
    return path;
  }

  /** What was opened by a path, or a stream of the host; null for pipes. */
  Node node() {
    return node;
  }

  /** Whether a descriptor names it. Precondition: the kernel's monitor is held. */
  boolean isHeld() {
    return holders > 0;
  }

  /** A descriptor more. Precondition: the kernel's monitor is held, as in {@link #put}. */
  void get() {
    holders++;
  }

  /** A descriptor less; the last one closes the file. Returns whether it was the last. */
  boolean put() {
    if (--holders > 0) {
      return false;
    }
    close();
    if (node != null) {
      node.drop();
    }
    return true;
  }

  /** Whether it has no positions, as a pipe. */
  boolean isStream() {
    return node == null || node.type() == FileType.FIFO;
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

  /** The same for bytes that a call has taken from a file. */
  long write(Task task, byte[] bytes) throws IOException {
    return -Errno.EINVAL.number();
  }

  /** pread64(2). */
  long readAt(Task task, long va, long length, long position) throws IOException {
    return -Errno.ESPIPE.number();
  }

  /** pwrite64(2). */
  long writeAt(Task task, long va, long length, long position) throws IOException {
    return -Errno.ESPIPE.number();
  }

  /** lseek(2). */
  long seek(long offset, int whence) throws IOException {
    return -Errno.ESPIPE.number();
  }

  /**
   * What a write of some bytes gives whatever they are, so before they are looked at.
   *
   * @return an error number, or 0 if it is to be tried
   */
  long refusal(Task task, long length) {
    return 0;
  }

  /** What can be done without waiting, POLL*. Precondition: the kernel's monitor is held. */
  int ready() {
    return POLLIN | POLLOUT;
  }

  /** Has the kernel's monitor notified when some of POLLIN and POLLOUT hold, once. */
  void watch(int events) {}

  /** ioctl(2), but for the requests that all files know. */
  long control(Task task, int request, long argument) throws IOException {
    return -Errno.ENOTTY.number();
  }

  /** What mmap maps; null if it cannot. */
  ReadableFile mappable() throws IOException {
    return null;
  }
}
