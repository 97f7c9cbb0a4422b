package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.file.ReadableFile;
import dev.xip.vfs.RegularFile;
import java.io.IOException;

/** An open regular file, with the position that read(2) and write(2) go on at. */
final class OpenRegular extends OpenFile {
  private static final int SEEK_DATA = 3;
  private static final int SEEK_HOLE = 4;

  private final RegularFile file;

  /** Guarded by this object's monitor, which is not held while a call waits. */
  private long position;

  OpenRegular(int flags, RegularFile file) {
    super(flags);
    this.file = file;
  }

  @Override
  synchronized long read(Task task, long va, long length) throws IOException {
    long done = file.read(position, length, task.memory(), va);
    position += done;
    return done;
  }

  @Override
  synchronized long write(Task task, long va, long length) throws IOException {
    long done = writeAt(task, va, length, position);
    position = isAppending() ? file.size() : position + Math.max(0, done);
    return done;
  }

  private boolean isAppending() {
    return (flags() & O_APPEND) != 0;
  }

  @Override
  long readAt(Task task, long va, long length, long from) throws IOException {
    return file.read(from, length, task.memory(), va);
  }

  @Override
  long writeAt(Task task, long va, long length, long to) throws IOException {
    return file.write(isAppending() ? RegularFile.END : to, length, task.memory(), va);
  }

  @Override
  synchronized long seek(long offset, int whence) throws IOException {
    long to =
        switch (whence) {
          case 0 -> offset;
          case 1 -> position + offset;
          case 2 -> file.size() + offset;
          case SEEK_DATA, SEEK_HOLE -> {
            boolean inside = offset >= 0 && offset < file.size();
            long found = inside ? file.seek(offset, whence == SEEK_DATA) : -1;
            yield found < 0 ? -Errno.ENXIO.number() : found;
          }
          default -> -Errno.EINVAL.number();
        };
    if (to < 0) {
      return to == -Errno.ENXIO.number() && whence >= SEEK_DATA ? to : -Errno.EINVAL.number();
    }
    position = to;
    return to;
  }

  RegularFile file() {
    return file;
  }

  synchronized long position() {
    return position;
  }

  synchronized void setPosition(long next) {
    position = next;
  }

  @Override
  ReadableFile mappable() throws IOException {
    return file.mappable();
  }
}
