package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vm.MapException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** System calls about directories, and what relative paths start from. */
final class DirectoryCalls {
  /** The descriptor that stands for the working directory. */
  static final long AT_FDCWD = -100;

  /** struct linux_dirent64 before the name. */
  private static final int ENTRY_BYTES = 19;

  private static final int MOST_BYTES = 1 << 16;

  private final Task task;
  private final ImageFiles files;

  DirectoryCalls(Task task) {
    this.task = task;
    this.files = task.kernel().files();
  }

  /** The absolute path of a path in the program's memory; an empty one stays empty. */
  String path(long fd, long va) throws IOException {
    String path = task.memory().path(va);
    return path.isEmpty() || path.startsWith(ImageFiles.ROOT)
        ? path
        : ImageFiles.absolute(directory((int) fd), path);
  }

  private String directory(int fd) throws MapException {
    return fd == AT_FDCWD ? task.directory() : open(fd).path();
  }

  private ImageFile open(long fd) throws MapException {
    OpenFile file;
    synchronized (task.kernel()) {
      file = task.descriptors().file(fd);
    }
    if (file instanceof ImageFile found && found.inode().type() == FileType.DIRECTORY) {
      return found;
    }
    throw new MapException(
        file == null ? Errno.EBADF : Errno.ENOTDIR, "descriptor " + fd, "a directory", "none");
  }

  /** chdir(2). */
  long change(String path) throws IOException {
    if (files.resolve(path, true).type() != FileType.DIRECTORY) {
      return -Errno.ENOTDIR.number();
    }
    task.setDirectory(files.canonical(path));
    return 0;
  }

  /** fchdir(2). */
  long change(long fd) throws IOException {
    return change(open(fd).path());
  }

  /** getcwd(2). */
  long working(long va, long size) throws IOException {
    int bytes = FileName.of(task.directory()).length() + 1;
    if (size < bytes) {
      return -Errno.ERANGE.number();
    }
    task.memory().putString(va, task.directory(), bytes);
    return bytes;
  }

  /** getdents64(2): the position is the number of entries told before. */
  long list(long fd, long va, long size) throws IOException {
    ImageFile directory = open(fd);
    ByteBuffer entries =
        ByteBuffer.allocate((int) Math.max(0, Math.min(size, MOST_BYTES)))
            .order(ByteOrder.LITTLE_ENDIAN);
    long first = directory.position();
    long[] next = {0};
    boolean[] full = {false};
    files.list(
        directory.inode(),
        (name, inode, type) -> {
          if (next[0] >= first && !put(entries, name, inode, type, next[0] + 1)) {
            full[0] = true;
            return false;
          }
          next[0]++;
          return true;
        });
    if (entries.position() == 0 && full[0]) {
      return -Errno.EINVAL.number();
    }
    task.memory().write(va, entries.array(), entries.position());
    directory.seek(next[0], 0);
    return entries.position();
  }

  private static boolean put(
      ByteBuffer entries, FileName name, long inode, FileType type, long next) {
    int bytes = ENTRY_BYTES + name.length() + 1 + 7 & -8;
    if (entries.remaining() < bytes) {
      return false;
    }
    int start = entries.position();
    entries.putLong(inode).putLong(next).putShort((short) bytes).put(number(type));
    entries.put(name.bytes());
    while (entries.position() < start + bytes) {
      entries.put((byte) 0);
    }
    return true;
  }

  /** DT_*. */
  private static byte number(FileType type) {
    return switch (type) {
      case FIFO -> 1;
      case CHARACTER_DEVICE -> 2;
      case DIRECTORY -> 4;
      case BLOCK_DEVICE -> 6;
      case REGULAR -> 8;
      case SYMLINK -> 10;
      case SOCKET -> 12;
      case UNKNOWN -> 0;
    };
  }
}
