package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Node;
import dev.xip.vfs.Vfs;
import java.io.IOException;

/** The paths that system calls are given, and the nodes of descriptors. */
final class PathCalls {
  /** The descriptor that stands for the working directory. */
  static final long AT_FDCWD = -100;

  static final int AT_SYMLINK_NOFOLLOW = 0x100;
  static final int AT_EMPTY_PATH = 0x1000;

  /** Both of them. */
  static final int FLAGS = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;

  private final Task task;

  PathCalls(Task task) {
    this.task = task;
  }

  Vfs files() {
    return task.kernel().files();
  }

  /** A path in the program's memory. */
  FileName path(long va) throws IOException {
    FileName path = task.memory().fileName(va);
    if (path.length() == UserMemory.LONGEST_PATH) {
      throw new FileException(Errno.ENAMETOOLONG, "a path");
    }
    return path;
  }

  /** What a path starts from. */
  Directory start(long fd, FileName path) throws IOException {
    if (path.length() > 0 && path.at(0) == '/') {
      return files().root();
    }
    if ((int) fd == AT_FDCWD) {
      return task.directory();
    }
    if (node(fd) instanceof Directory directory) {
      return directory;
    }
    throw new FileException(Errno.ENOTDIR, "descriptor " + (int) fd);
  }

  /** The file of a descriptor. */
  OpenFile file(long fd) throws FileException {
    synchronized (task.kernel()) {
      OpenFile file = task.descriptors().file(fd);
      if (file == null) {
        throw new FileException(Errno.EBADF, "descriptor " + (int) fd);
      }
      return file;
    }
  }

  /** The node of a descriptor; null for a pipe or stream. */
  Node node(long fd) throws FileException {
    return file(fd).node();
  }

  /**
   * The node that a call at a directory names: an empty path is the descriptor's, if flags say so.
   *
   * @throws FileException EINVAL for other flags than {@link #FLAGS}
   */
  Node node(long fd, long va, int flags) throws IOException {
    if ((flags & ~FLAGS) != 0) {
      throw new FileException(Errno.EINVAL, "flags 0x%x".formatted(flags));
    }
    return node(fd, path(va), flags);
  }

  /** The same for a path that was read. */
  Node node(long fd, FileName path, int flags) throws IOException {
    if (path.length() == 0 && (flags & AT_EMPTY_PATH) != 0) {
      return (int) fd == AT_FDCWD ? task.directory() : node(fd);
    }
    return files().resolve(start(fd, path), path, (flags & AT_SYMLINK_NOFOLLOW) == 0);
  }

  /** The node of a path from the working directory. */
  Node node(long va, boolean follow) throws IOException {
    return node(AT_FDCWD, va, follow ? 0 : AT_SYMLINK_NOFOLLOW);
  }
}
