package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Link;
import dev.xip.vfs.Node;
import dev.xip.vfs.OpenFlags;
import dev.xip.vfs.RegularFile;
import dev.xip.vfs.Special;
import java.io.IOException;

/** System calls that open files and change their size. Linux counterpart: fs/open.c. */
final class FileCalls {
  private static final int O_CLOEXEC = 0x8_0000;
  private static final int O_LARGEFILE = 0x8000;
  private static final int O_TMPFILE = OpenFlags.NAMELESS | OpenFlags.DIRECTORY;

  /** What fcntl does not show of the flags of open. */
  private static final int FORGOTTEN = 0x3c0 | O_CLOEXEC;

  /** What O_PATH heeds. */
  private static final int PATH_FLAGS =
      OpenFlags.PATH | OpenFlags.DIRECTORY | OpenFlags.NO_FOLLOW | O_CLOEXEC;

  private static final int X_OK = 1;
  private static final int W_OK = 2;
  private static final int ACCESS_MODES = 7;
  private static final int KEEP_SIZE = 1;
  private static final int PUNCH_HOLE = 2;

  private static final int AT_EACCESS = 0x200;
  private static final int SEEK_HOLE = 4;

  private final Task task;
  private final PathCalls paths;

  FileCalls(Task task, PathCalls paths) {
    this.task = task;
    this.paths = paths;
  }

  /** openat(2). */
  long open(long fd, long va, int given, int mode) throws IOException {
    int flags = (given & OpenFlags.PATH) != 0 ? given & PATH_FLAGS : given;
    boolean create = (flags & OpenFlags.CREATE) != 0;
    boolean nameless = (flags & OpenFlags.NAMELESS) != 0;
    if (create && (flags & OpenFlags.DIRECTORY) != 0
        || nameless && ((flags & O_TMPFILE) != O_TMPFILE || (flags & OpenFlags.ACCESS) == 0)) {
      return -Errno.EINVAL.number();
    }
    FileName path = paths.path(va);
    Directory start = paths.start(fd, path);
    Node node = paths.files().open(start, path, flags, mode & ~task.creationMask() & 07777);
    OpenFile file = null;
    try {
      int large = (flags & OpenFlags.PATH) == 0 ? O_LARGEFILE : 0;
      file = open(node, flags, flags & ~FORGOTTEN | large);
    } finally {
      if (file == null || node instanceof OpenedNode) {
        node.drop();
      }
    }
    if (!(node instanceof OpenedNode)) {
      file.of(node).at(start, path);
    }
    synchronized (task.kernel()) {
      int added = task.descriptors().add(file, 0, (flags & O_CLOEXEC) != 0);
      if (added < 0) {
        file.get();
        file.put();
        return -Errno.EMFILE.number();
      }
      return added;
    }
  }

  private OpenFile open(Node node, int flags, int kept) throws IOException {
    if ((flags & OpenFlags.PATH) != 0) {
      return new OpenPath(kept);
    }
    return switch (node) {
      case RegularFile file -> new OpenRegular(kept, file);
      case Directory directory -> new OpenDirectory(kept, directory);
      case OpenedNode opened -> opened.file();
      case HostNode host -> host.open(kept);
      case Special special when Terminal.isControlling(special) -> openTerminal(kept);
      case Special fifo when fifo.type() == FileType.FIFO -> NamedPipes.open(task, fifo, kept);
      case Special special -> Devices.open(special, kept);
      case Link link -> throw new FileException(Errno.ELOOP, "a link");
    };
  }

  /** /dev/tty. */
  private OpenFile openTerminal(int flags) throws FileException {
    Terminal terminal;
    synchronized (task.kernel()) {
      terminal = task.kernel().terminalOf(task);
    }
    if (terminal == null) {
      throw new FileException(Errno.ENXIO, "no controlling terminal");
    }
    return terminal.open(flags);
  }

  /** lseek(2). */
  long seek(long fd, long offset, int whence) throws IOException {
    OpenFile file = paths.file(fd);
    boolean known = whence >= 0 && whence <= SEEK_HOLE;
    return known || file instanceof OpenPath ? file.seek(offset, whence) : -Errno.EINVAL.number();
  }

  /** faccessat2(2): root may do all but execute a file that none may execute. */
  long access(long fd, long va, int mode, int flags) throws IOException {
    if ((mode & ~ACCESS_MODES) != 0) {
      return -Errno.EINVAL.number();
    }
    Node node = paths.node(fd, va, flags & ~AT_EACCESS);
    if ((mode & W_OK) != 0 && node != null && node.tree().isReadOnly()) {
      return -Errno.EROFS.number();
    }
    boolean refused =
        (mode & X_OK) != 0
            && !(node instanceof Directory)
            && (node == null || (node.attributes().mode() & 0111) == 0);
    return refused ? -Errno.EACCES.number() : 0;
  }

  /** truncate(2). */
  long truncate(long va, long size) throws IOException {
    return size < 0 ? -Errno.EINVAL.number() : truncate(paths.node(va, true), size);
  }

  private static long truncate(Node node, long size) throws IOException {
    switch (node) {
      case RegularFile file -> {
        file.hold();
        try {
          file.truncate(size);
        } finally {
          file.drop();
        }
        return 0;
      }
      case Directory directory -> {
        return -Errno.EISDIR.number();
      }
      case null, default -> {
        return -Errno.EINVAL.number();
      }
    }
  }

  /** ftruncate(2). */
  long truncateOpen(long fd, long size) throws IOException {
    OpenFile file = paths.file(fd);
    if (size < 0 || !(file.node() instanceof RegularFile) || !file.isWritable()) {
      return -(size >= 0 && file instanceof OpenPath ? Errno.EBADF : Errno.EINVAL).number();
    }
    return truncate(file.node(), size);
  }

  /** fallocate(2). */
  long allocate(long fd, int mode, long position, long length) throws IOException {
    OpenFile open = paths.file(fd);
    if (open instanceof OpenPath) {
      return -Errno.EBADF.number();
    }
    if (position < 0 || length <= 0) {
      return -Errno.EINVAL.number();
    }
    if ((mode & ~(KEEP_SIZE | PUNCH_HOLE)) != 0 || mode == PUNCH_HOLE) {
      return -Errno.EOPNOTSUPP.number();
    }
    if (!open.isWritable()) {
      return -Errno.EBADF.number();
    }
    if (!(open.node() instanceof RegularFile file)) {
      boolean directory = open.node() instanceof Directory;
      return -(open.isStream() ? Errno.ESPIPE : directory ? Errno.EISDIR : Errno.ENODEV).number();
    }
    if (position + length < 0) {
      return -Errno.EFBIG.number();
    }
    if ((mode & PUNCH_HOLE) != 0) {
      file.punchHole(position, length);
    } else if (mode == 0 && position + length > file.size()) {
      file.truncate(position + length);
    }
    return 0;
  }

  /** fsync(2), fdatasync(2), syncfs(2): all is in memory. */
  long sync(long fd) throws IOException {
    OpenFile file = paths.file(fd);
    return file instanceof OpenPath
        ? -Errno.EBADF.number()
        : file.node() == null || file.node().type() == FileType.FIFO ? -Errno.EINVAL.number() : 0;
  }

  /** posix_fadvise(2): all is in memory. */
  long advise(long fd, int advice) throws IOException {
    OpenFile file = paths.file(fd);
    if (file.node() == null || file.node().type() == FileType.FIFO) {
      return -Errno.ESPIPE.number();
    }
    return advice < 0 || advice > 5 ? -Errno.EINVAL.number() : 0;
  }
}
