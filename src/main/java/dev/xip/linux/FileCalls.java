package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * System calls about files, all of them in the image, and the descriptors of a program: 0 to 2 are
 * its {@link StandardStreams}. The working directory is the root.
 */
final class FileCalls {
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int O_ACCMODE = 3;
  private static final int O_DIRECTORY = 0x1_0000;
  private static final int FIRST_FREE = 3;
  private static final int MOST_BYTES = 1 << 20;
  private static final int F_GETFD = 1;
  private static final int F_SETFD = 2;
  private static final int F_GETFL = 3;
  private static final int O_WRONLY = 1;
  private static final int W_OK = 2;

  /** A pipe that its owner may use. */
  private static final int FIFO = 010600;

  private static final int STAT_BYTES = 144;

  private final ImageFiles files;
  private final UserMemory memory;
  private final StandardStreams streams;
  private final Map<Integer, ImageFiles.OpenFile> open = new HashMap<>();

  FileCalls(ImageFiles files, UserMemory memory, StandardStreams streams) {
    this.files = files;
    this.memory = memory;
    this.streams = streams;
  }

  /** The file of a descriptor; null if it has none or is a standard stream. */
  ImageFiles.OpenFile file(long fd) {
    return open.get((int) fd);
  }

  private static boolean isStream(long fd) {
    return fd >= 0 && fd < FIRST_FREE;
  }

  /** openat(2). */
  long open(String path, int flags) throws IOException {
    ImageFiles.OpenFile file = files.open(path);
    if ((flags & O_ACCMODE) != 0) {
      return -(file.bytes == null ? Errno.EISDIR : Errno.EROFS).number();
    }
    if ((flags & O_DIRECTORY) != 0 && file.bytes != null) {
      return -Errno.ENOTDIR.number();
    }
    int fd = FIRST_FREE;
    while (open.containsKey(fd)) {
      fd++;
    }
    open.put(fd, file);
    return fd;
  }

  /** close(2). */
  long close(long fd) {
    return isStream(fd) || open.remove((int) fd) != null ? 0 : -Errno.EBADF.number();
  }

  /** read(2). */
  long read(long fd, long va, long count) throws IOException {
    ImageFiles.OpenFile file = file(fd);
    if (file == null) {
      return streams.read(memory, fd, va, count);
    }
    long length = readAt(fd, va, count, file.position);
    file.position += Math.max(length, 0);
    return length;
  }

  /** pread64(2). */
  long readAt(long fd, long va, long count, long position) throws IOException {
    ImageFiles.OpenFile file = file(fd);
    if (file == null) {
      return -(isStream(fd) ? Errno.ESPIPE : Errno.EBADF).number();
    }
    if (file.bytes == null) {
      return -Errno.EISDIR.number();
    }
    if (position < 0) {
      return -Errno.EINVAL.number();
    }
    long left = Math.max(file.inode.size() - position, 0);
    byte[] bytes = new byte[(int) Math.min(Math.min(count, left), MOST_BYTES)];
    int length = (int) file.bytes.read(position, MemorySegment.ofArray(bytes));
    memory.write(va, bytes, length);
    return length;
  }

  /** lseek(2). */
  long seek(long fd, long offset, int whence) {
    ImageFiles.OpenFile file = file(fd);
    if (file == null) {
      return -(isStream(fd) ? Errno.ESPIPE : Errno.EBADF).number();
    }
    long to =
        switch (whence) {
          case 0 -> offset;
          case 1 -> file.position + offset;
          case 2 -> file.inode.size() + offset;
          default -> -1;
        };
    if (to < 0) {
      return -Errno.EINVAL.number();
    }
    file.position = to;
    return to;
  }

  /** faccessat(2): root may read everything and write nothing. */
  long access(String path, int mode) throws IOException {
    files.resolve(path, true);
    return (mode & W_OK) != 0 ? -Errno.EROFS.number() : 0;
  }

  /** fcntl(2). */
  long control(long fd, int command) {
    boolean stream = isStream(fd);
    if (!stream && file(fd) == null) {
      return -Errno.EBADF.number();
    }
    return switch (command) {
      case F_GETFD, F_SETFD -> 0;
      case F_GETFL -> stream && fd != 0 ? O_WRONLY : 0;
      default -> -Errno.EINVAL.number();
    };
  }

  /** newfstatat(2). */
  long stat(long fd, long path, long va, int flags) throws IOException {
    String name = memory.path(path);
    if (name.isEmpty() && (flags & AT_EMPTY_PATH) != 0) {
      return stat(fd, va);
    }
    return put(files.resolve(name, (flags & AT_SYMLINK_NOFOLLOW) == 0), va);
  }

  /** fstat(2). */
  long stat(long fd, long va) throws MemoryFaultException {
    ImageFiles.OpenFile file = file(fd);
    if (file != null) {
      return put(file.inode, va);
    }
    if (!isStream(fd)) {
      return -Errno.EBADF.number();
    }
    memory.write(va, new byte[STAT_BYTES], STAT_BYTES);
    memory.putLong(va + 16, 1);
    memory.putLong(va + 24, FIFO);
    memory.putLong(va + 56, Pages.SIZE);
    return 0;
  }

  /** Writes struct stat of x86-64 (arch/x86/include/uapi/asm/stat.h). */
  private long put(Inode inode, long va) throws MemoryFaultException {
    long[] words = {
      1,
      inode.number(),
      inode.links(),
      inode.mode() & 0xffffL | inode.uid() << 32,
      inode.gid(),
      (long) inode.deviceMajor() << 8 | inode.deviceMinor(),
      inode.size(),
      Pages.SIZE,
      inode.sectors(),
      inode.accessed().getEpochSecond(),
      inode.accessed().getNano(),
      inode.modified().getEpochSecond(),
      inode.modified().getNano(),
      inode.changed().getEpochSecond(),
      inode.changed().getNano(),
    };
    memory.write(va, new byte[STAT_BYTES], STAT_BYTES);
    for (int i = 0; i < words.length; i++) {
      memory.putLong(va + 8L * i, words[i]);
    }
    return 0;
  }

  /** readlink(2). */
  long readLink(String path, long va, long size) throws IOException {
    Inode link = files.resolve(path, false);
    if (link.type() != FileType.SYMLINK || size <= 0) {
      return -Errno.EINVAL.number();
    }
    String target = files.linkTarget(link);
    int length = (int) Math.min(size, target.length());
    memory.putString(va, target, length);
    return length;
  }
}
