package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.file.InPlaceFile;
import dev.xip.image.Inode;
import java.io.IOException;

/** An open file or directory of the image, with the position that read(2) goes on at. */
final class ImageFile extends OpenFile {
  private final String path;
  private final Inode inode;

  /** Null for a directory. */
  private final InPlaceFile bytes;

  /** Guarded by this object's monitor. */
  private long position;

  ImageFile(int flags, String path, Inode inode, InPlaceFile bytes) {
    super(flags);
    this.path = path;
    this.inode = inode;
    this.bytes = bytes;
  }

  @Override
  synchronized long read(Task task, long va, long count) throws IOException {
    long length = readAt(task, va, count, position);
    position += Math.max(length, 0);
    return length;
  }

  @Override
  long readAt(Task task, long va, long count, long from) throws IOException {
    if (bytes == null) {
      return -Errno.EISDIR.number();
    }
    return from < 0 ? -Errno.EINVAL.number() : bytes.read(from, count, task.memory(), va);
  }

  @Override
  synchronized long seek(long offset, int whence) {
    long to =
        switch (whence) {
          case 0 -> offset;
          case 1 -> position + offset;
          case 2 -> inode.size() + offset;
          default -> -1;
        };
    if (to < 0) {
      return -Errno.EINVAL.number();
    }
    position = to;
    return to;
  }

  /** The absolute path by which it was opened. */
  String path() {
    return path;
  }

  /** Where read(2) goes on, or for a directory how many entries were told. */
  synchronized long position() {
    return position;
  }

  @Override
  InPlaceFile mappable() {
    return bytes;
  }

  @Override
  Inode inode() {
    return inode;
  }
}
