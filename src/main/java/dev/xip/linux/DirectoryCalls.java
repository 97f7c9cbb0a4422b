package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.NewNode;
import dev.xip.vfs.Node;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.util.Arrays;

/** System calls that list directories and change what is in them. Linux counterpart: fs/namei.c. */
final class DirectoryCalls {
  private static final int AT_REMOVEDIR = 0x200;
  private static final int AT_SYMLINK_FOLLOW = 0x400;
  private static final int RENAME_NOREPLACE = 1;
  private static final int RENAME_EXCHANGE = 2;
  private static final int SET_BITS = 07777;

  private final Task task;
  private final PathCalls paths;

  DirectoryCalls(Task task, PathCalls paths) {
    this.task = task;
    this.paths = paths;
  }

  private Vfs files() {
    return paths.files();
  }

  /** chdir(2). */
  long change(long va) throws IOException {
    task.setDirectory(files().directory(task.directory(), paths.path(va)));
    return 0;
  }

  /** fchdir(2). */
  long changeToOpen(long fd) throws IOException {
    if (paths.node(fd) instanceof Directory directory) {
      task.setDirectory(directory);
      return 0;
    }
    return -Errno.ENOTDIR.number();
  }

  /** getcwd(2). */
  long working(long va, long size) throws IOException {
    byte[] path = files().path(task.directory()).bytes();
    int bytes = path.length + 1;
    if (Long.compareUnsigned(size, bytes) < 0) {
      return -Errno.ERANGE.number();
    }
    task.memory().write(va, Arrays.copyOf(path, bytes), bytes);
    return bytes;
  }

  /** getdents64(2). */
  long list(long fd, long va, long size) throws IOException {
    OpenFile file = paths.file(fd);
    if (file instanceof OpenDirectory directory) {
      return directory.list(task, files(), va, size & 0xffff_ffffL);
    }
    return -(file instanceof OpenPath ? Errno.EBADF : Errno.ENOTDIR).number();
  }

  /** mkdirat(2). */
  long makeDirectory(long fd, long va, int mode) throws IOException {
    FileName path = paths.path(va);
    int permissions = mode & 01777 & ~task.creationMask();
    files().create(paths.start(fd, path), path, NewNode.of(FileType.DIRECTORY, permissions));
    return 0;
  }

  /** mknodat(2). */
  long makeNode(long fd, long va, int mode, long device) throws IOException {
    FileType type = (mode & 0xf000) == 0 ? FileType.REGULAR : FileType.ofMode(mode);
    if (type == FileType.DIRECTORY) {
      return -Errno.EPERM.number();
    }
    if (type == FileType.UNKNOWN || type == FileType.SYMLINK) {
      return -Errno.EINVAL.number();
    }
    FileName path = paths.path(va);
    boolean isDevice = type == FileType.CHARACTER_DEVICE || type == FileType.BLOCK_DEVICE;
    int major = isDevice ? (int) (device >>> 8) & 0xfff : 0;
    int minor = isDevice ? (int) (device & 0xff | device >>> 12 & 0xf_ff00) : 0;
    int permissions = mode & SET_BITS & ~task.creationMask();
    files().create(paths.start(fd, path), path, new NewNode(type, permissions, major, minor, null));
    return 0;
  }

  /** symlinkat(2). */
  long makeLink(long targetVa, long fd, long va) throws IOException {
    FileName target = paths.path(targetVa);
    if (target.length() == 0) {
      return -Errno.ENOENT.number();
    }
    FileName path = paths.path(va);
    files().create(paths.start(fd, path), path, NewNode.link(target));
    return 0;
  }

  /** linkat(2). */
  long link(long fd, long va, long newFd, long newVa, int flags) throws IOException {
    if ((flags & ~(AT_SYMLINK_FOLLOW | PathCalls.AT_EMPTY_PATH)) != 0) {
      return -Errno.EINVAL.number();
    }
    int how =
        flags & PathCalls.AT_EMPTY_PATH
            | ((flags & AT_SYMLINK_FOLLOW) != 0 ? 0 : PathCalls.AT_SYMLINK_NOFOLLOW);
    Node node = paths.node(fd, va, how);
    FileName path = paths.path(newVa);
    if (node == null) {
      throw new FileException(Errno.EXDEV, "a pipe");
    }
    files().link(node, paths.start(newFd, path), path);
    return 0;
  }

  /** unlinkat(2). */
  long remove(long fd, long va, int flags) throws IOException {
    if ((flags & ~AT_REMOVEDIR) != 0) {
      return -Errno.EINVAL.number();
    }
    FileName path = paths.path(va);
    Directory from = paths.start(fd, path);
    if (flags != 0) {
      files().removeDirectory(from, path);
    } else {
      files().unlink(from, path);
    }
    return 0;
  }

  /** renameat2(2). */
  long rename(long fd, long va, long newFd, long newVa, int flags) throws IOException {
    if (flags < 0 || flags > RENAME_EXCHANGE) {
      return -Errno.EINVAL.number();
    }
    Directory.Renaming how =
        switch (flags) {
          case RENAME_NOREPLACE -> Directory.Renaming.KEEP;
          case RENAME_EXCHANGE -> Directory.Renaming.EXCHANGE;
          default -> Directory.Renaming.REPLACE;
        };
    FileName path = paths.path(va);
    // The walk along the old path comes first, then the refusal of a new one that is too long.
    FileName newPath = task.memory().fileName(newVa);
    files().rename(paths.start(fd, path), path, paths.start(newFd, newPath), newPath, how);
    return 0;
  }
}
