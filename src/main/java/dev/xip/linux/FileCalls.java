package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.NoSuchFileException;
import java.time.Instant;

/**
 * System calls about files, all of them in the image but /dev/null. Paths are absolute, as {@link
 * DirectoryCalls#path} makes them.
 */
final class FileCalls {
  private static final int AT_SYMLINK_NOFOLLOW = 0x100;
  private static final int AT_EMPTY_PATH = 0x1000;
  private static final int O_ACCMODE = 3;
  private static final int O_CREAT = 0x40;
  private static final int O_DIRECTORY = 0x1_0000;
  private static final int O_CLOEXEC = 0x8_0000;

  /** What fcntl shows of the flags of open. */
  private static final int KEPT_FLAGS = 0xffff_fc3f & ~(0x1_0000 | O_CLOEXEC);

  private static final int W_OK = 2;

  /** A pipe that its owner may use. */
  private static final int FIFO = 010600;

  /** A character device that all may use, and its number, 1:3. */
  private static final int NULL_DEVICE = 020666;

  private static final int NULL_NUMBER = 0x103;
  private static final int STATX_BYTES = 256;
  private static final int STATX_BASIC = 0x7ff;
  private static final int MOST_NAME = 256;
  private static final int STAT_BYTES = 144;

  private final Task task;
  private final ImageFiles files;

  FileCalls(Task task) {
    this.task = task;
    this.files = task.kernel().files();
  }

  /** openat(2). */
  long open(String path, int flags) throws IOException {
    OpenFile file =
        path.equals(NullFile.PATH) ? new NullFile(flags & KEPT_FLAGS) : find(path, flags);
    boolean directory = file.inode() != null && file.inode().type() == FileType.DIRECTORY;
    if ((flags & O_ACCMODE) != 0 && file.inode() != null) {
      return -(directory ? Errno.EISDIR : Errno.EROFS).number();
    }
    if ((flags & O_DIRECTORY) != 0 && !directory) {
      return -Errno.ENOTDIR.number();
    }
    synchronized (task.kernel()) {
      int fd = task.descriptors().add(file, 0, (flags & O_CLOEXEC) != 0);
      return fd < 0 ? -Errno.EMFILE.number() : fd;
    }
  }

  /** A file that does not exist cannot be made. */
  private OpenFile find(String path, int flags) throws IOException {
    try {
      return files.open(path, flags & KEPT_FLAGS);
    } catch (NoSuchFileException e) {
      if ((flags & O_CREAT) != 0) {
        throw new MapException(Errno.EROFS, "open " + path, "a file that exists", "none");
      }
      throw e;
    }
  }

  /** lseek(2). */
  long seek(long fd, long offset, int whence) {
    OpenFile file = file(fd);
    return file == null ? -Errno.EBADF.number() : file.seek(offset, whence);
  }

  private OpenFile file(long fd) {
    synchronized (task.kernel()) {
      return task.descriptors().file(fd);
    }
  }

  /** faccessat(2): root may read everything and write nothing. */
  long access(String path, int mode) throws IOException {
    if (path.equals(NullFile.PATH)) {
      return 0;
    }
    files.resolve(path, true);
    return (mode & W_OK) != 0 ? -Errno.EROFS.number() : 0;
  }

  /** newfstatat(2): an empty path is the descriptor's file, if the flags say so. */
  long stat(String path, long fd, long va, int flags) throws IOException {
    if (path.isEmpty() && (flags & AT_EMPTY_PATH) != 0) {
      return stat(fd, va);
    }
    if (path.equals(NullFile.PATH)) {
      return put(new NullFile(0), va);
    }
    return put(files.resolve(path, (flags & AT_SYMLINK_NOFOLLOW) == 0), va);
  }

  /** fstat(2). */
  long stat(long fd, long va) throws MemoryFaultException {
    OpenFile file = file(fd);
    if (file == null) {
      return -Errno.EBADF.number();
    }
    return file.inode() != null ? put(file.inode(), va) : put(file, va);
  }

  /** A pipe, a stream or /dev/null. */
  private long put(OpenFile file, long va) throws MemoryFaultException {
    UserMemory memory = task.memory();
    memory.write(va, new byte[STAT_BYTES], STAT_BYTES);
    memory.putLong(va + 16, 1);
    memory.putLong(va + 24, file instanceof NullFile ? NULL_DEVICE : FIFO);
    memory.putLong(va + 40, file instanceof NullFile ? NULL_NUMBER : 0);
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
    UserMemory memory = task.memory();
    memory.write(va, new byte[STAT_BYTES], STAT_BYTES);
    for (int i = 0; i < words.length; i++) {
      memory.putLong(va + 8L * i, words[i]);
    }
    return 0;
  }

  /**
   * statx(2) of files of the image: for others ENOSYS, and libraries then call {@link #stat}.
   *
   * @param path empty for the descriptor's file
   */
  long statx(String path, long fd, int flags, long va) throws IOException {
    OpenFile open = path.isEmpty() && (flags & AT_EMPTY_PATH) != 0 ? file(fd) : null;
    if (open != null && open.inode() == null || path.equals(NullFile.PATH)) {
      return -Errno.ENOSYS.number();
    }
    Inode inode =
        open == null ? files.resolve(path, (flags & AT_SYMLINK_NOFOLLOW) == 0) : open.inode();
    ByteBuffer struct = ByteBuffer.allocate(STATX_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    struct.putInt(STATX_BASIC).putInt((int) Pages.SIZE).putLong(0);
    struct.putInt((int) inode.links()).putInt((int) inode.uid()).putInt((int) inode.gid());
    struct.putInt(inode.mode() & 0xffff).putLong(inode.number()).putLong(inode.size());
    struct.putLong(inode.sectors()).putLong(0);
    putTime(struct, inode.accessed());
    putTime(struct, inode.created());
    putTime(struct, inode.changed());
    putTime(struct, inode.modified());
    struct.putInt(inode.deviceMajor()).putInt(inode.deviceMinor()).putInt(0).putInt(1);
    task.memory().write(va, struct.array(), STATX_BYTES);
    return 0;
  }

  private static void putTime(ByteBuffer struct, Instant time) {
    Instant known = time == null ? Instant.EPOCH : time;
    struct.putLong(known.getEpochSecond()).putLong(known.getNano());
  }

  /** getxattr(2) and lgetxattr(2). */
  long attribute(String path, boolean follow, long name, long va, long size) throws IOException {
    byte[] value =
        files
            .attributes(files.resolve(path, follow))
            .get(FileName.of(task.memory().string(name, MOST_NAME)));
    if (value == null) {
      return -Errno.ENODATA.number();
    }
    if (size != 0) {
      if (size < value.length) {
        return -Errno.ERANGE.number();
      }
      task.memory().write(va, value, value.length);
    }
    return value.length;
  }

  /** readlink(2). */
  long readLink(String path, long va, long size) throws IOException {
    if (size <= 0) {
      return -Errno.EINVAL.number();
    }
    if (path.equals("/proc/self/exe")) {
      return task.memory().putLink(va, task.path(), size);
    }
    Inode link = files.resolve(path, false);
    return link.type() != FileType.SYMLINK
        ? -Errno.EINVAL.number()
        : task.memory().putLink(va, files.linkTarget(link), size);
  }
}
