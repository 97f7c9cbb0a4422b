package dev.xip.linux;

import dev.xip.base.Errno;

/** A file opened with O_PATH: it names a place and cannot be read or written. */
final class OpenPath extends OpenFile {
  OpenPath(int flags) {
    super(flags);
  }

  @Override
  boolean isReadable() {
    return false;
  }

  @Override
  boolean isWritable() {
    return false;
  }

  @Override
  long seek(long offset, int whence) {
    return -Errno.EBADF.number();
  }
}
