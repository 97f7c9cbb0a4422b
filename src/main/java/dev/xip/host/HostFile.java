package dev.xip.host;

import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.bindings.Libc;
import dev.xip.bindings.flock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An open regular file, memfd or block device. A mapping made from it outlives it: closing releases
 * the descriptor and the locks taken through it, nothing else.
 */
public final class HostFile extends HostDescriptor {
  /** Without O_NONBLOCK the open of a named pipe would wait for its other end. */
  private static final int REGULAR = Libc.O_CLOEXEC() | Libc.O_NONBLOCK();

  /** Of unistd.h: from the end. */
  private static final int SEEK_END = 2;

  /** Of linux/memfd.h, Linux 6.3: allowed whatever the system's vm.memfd_noexec says. */
  private static final int MFD_NOEXEC_SEAL = 8;

  private HostFile(int fd, String name) {
    super(fd, name);
  }

  /**
   * Opens an existing file for reading.
   *
   * @param path a path of the default file system
   * @return the open file
   * @throws HostException if there is none (ENOENT), it may not be read (EACCES), it is a directory
   *     (EISDIR) or something else that is no regular file (ENODEV)
   */
  public static HostFile openReadOnly(Path path) throws HostException {
    return open(path, Libc.O_RDONLY(), 0);
  }

  /**
   * Opens an existing file or block device for reading.
   *
   * @param path a path of the default file system
   * @return the open file
   * @throws HostException as {@link #openReadOnly}
   */
  public static HostFile openReadOnlyOrDevice(Path path) throws HostException {
    return openReadOnlyOrDevice(path, path.toString());
  }

  /**
   * Opens an existing file or block device for reading under another name.
   *
   * @param path a path of the default file system
   * @param name the name that errors and {@link dev.xip.base.LostPages} show
   * @return the open file
   * @throws HostException as {@link #openReadOnly}
   */
  public static HostFile openReadOnlyOrDevice(Path path, String name) throws HostException {
    AtomicContext.mightSleep("open");
    int fd = FileCalls.open(HostPaths.nameOf(path), Libc.O_RDONLY() | REGULAR, 0);
    return checked(fd, name, true);
  }

  /**
   * Opens an existing file for reading and writing.
   *
   * @param path a path of the default file system
   * @return the open file
   * @throws HostException as {@link #openReadOnly}; EROFS or ETXTBSY if it cannot be written
   */
  public static HostFile openReadWrite(Path path) throws HostException {
    return open(path, Libc.O_RDWR(), 0);
  }

  /**
   * Makes a new, empty file for reading and writing.
   *
   * @param path a path of the default file system where nothing is yet
   * @param mode the permission bits, from which the process's umask is taken away
   * @return the open file
   * @throws HostException if something is there (EEXIST) or it cannot be made
   */
  public static HostFile create(Path path, int mode) throws HostException {
    return open(path, Libc.O_RDWR() | Libc.O_CREAT() | Libc.O_EXCL(), mode);
  }

  /**
   * Makes an empty file in memory, which has no name in any folder, memfd_create(2).
   *
   * @param name what /proc/self/maps shows for it, up to 249 bytes
   * @return the open file, readable and writable, closed on exec; it can be mapped executable, and
   *     not be executed as a program
   * @throws HostException if the name is too long (EINVAL) or there is no memory or descriptor left
   */
  public static HostFile memfd(String name) throws HostException {
    int fd;
    try {
      fd = FileCalls.memfdCreate(name, Libc.MFD_CLOEXEC() | MFD_NOEXEC_SEAL);
    } catch (HostException e) {
      if (e.errno() != Errno.EINVAL) {
        throw e;
      }
      fd = FileCalls.memfdCreate(name, Libc.MFD_CLOEXEC() | Libc.MFD_ALLOW_SEALING());
    }
    return new HostFile(fd, "memfd:" + name);
  }

  private static HostFile open(Path path, int how, int mode) throws HostException {
    AtomicContext.mightSleep("open");
    FileName name = HostPaths.nameOf(path);
    int fd = FileCalls.open(name, how | REGULAR, mode);
    return checked(fd, path.toString(), false);
  }

  /** Opens a file in a folder; a link is refused. Precondition: the name is checked. */
  static HostFile beneath(OpenFolder folder, FileName name, int how, int mode)
      throws HostException {
    int fd = BeneathCalls.open(folder, name, how | REGULAR | Libc.O_NOFOLLOW(), mode);
    return checked(fd, folder.place(name), false);
  }

  private static HostFile checked(int fd, String name, boolean device) throws HostException {
    HostFile file = new HostFile(fd, name);
    try {
      HostStat stat = file.stat();
      if (!stat.isRegularFile() && !(device && stat.isBlockDevice())) {
        Errno error = stat.isDirectory() ? Errno.EISDIR : Errno.ENODEV;
        throw new HostException("open", "path=" + name, error);
      }
      return file;
    } catch (HostException refused) {
      file.close();
      throw refused;
    }
  }

  /**
   * Returns the size.
   *
   * @return the length in bytes, as of now
   * @throws HostException if the system refuses
   */
  public long size() throws HostException {
    HostStat stat = stat();
    return stat.isBlockDevice() ? FileCalls.lseek(fd(), name(), 0, SEEK_END) : stat.size();
  }

  /**
   * Finds the first byte that is in no hole, lseek(2) with SEEK_DATA. Precondition: no other thread
   * searches through this object, as the searches share a file offset.
   *
   * @param offset where to begin, at least 0
   * @return the first such byte from there on, or -1 if only a hole follows
   * @throws HostException if the system refuses
   */
  public long nextData(long offset) throws HostException {
    AtomicContext.mightSleep("lseek");
    try {
      return FileCalls.lseek(fd(), name(), offset, Libc.SEEK_DATA());
    } catch (HostException e) {
      if (e.errno() == Errno.ENXIO) {
        return -1;
      }
      throw e;
    }
  }

  /**
   * Finds the first hole, lseek(2) with SEEK_HOLE. Precondition as for {@link #nextData}.
   *
   * @param offset where to begin, inside the file
   * @return the first byte of a hole from there on; the end of the file counts as one
   * @throws HostException if the file has become shorter (ENXIO) or the system fails to tell
   */
  public long nextHole(long offset) throws HostException {
    AtomicContext.mightSleep("lseek");
    return FileCalls.lseek(fd(), name(), offset, Libc.SEEK_HOLE());
  }

  /**
   * Sets the size, ftruncate(2): truncates the file or extends it by a hole.
   *
   * @param bytes the new length, at least 0
   * @throws HostException if the file is not open for writing (EINVAL), sealed (EPERM), or the
   *     length is too large (EFBIG)
   */
  public void truncate(long bytes) throws HostException {
    if (bytes < 0) {
      throw new IllegalArgumentException("length 0x%x: expected at least 0".formatted(bytes));
    }
    FileCalls.ftruncate(fd(), name(), bytes);
  }

  /**
   * Copies bytes out of the file, pread(2), until the target is full or the file ends.
   *
   * @param offset the first byte in the file, at least 0
   * @param dst native memory to fill
   * @return the bytes copied, less than the target's size only at the end of the file
   * @throws HostException if the system fails to read
   */
  public long read(long offset, MemorySegment dst) throws HostException {
    checkTransfer(offset, dst);
    long done = 0;
    while (done < dst.byteSize()) {
      long n = FileCalls.pread(fd(), name(), dst.asSlice(done), offset + done);
      if (n == 0) {
        break;
      }
      done += n;
    }
    return done;
  }

  /**
   * {@return the whole file as text in UTF-8}
   *
   * @throws HostException if the system fails to read
   */
  public String text() throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(size());
      long length = read(0, bytes);
      return new String(
          bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }
  }

  /**
   * Copies bytes into the file, pwrite(2), all of them.
   *
   * @param offset where the first one goes, at least 0
   * @param src native memory to copy
   * @throws HostException if the file is not open for writing (EBADF) or has no room (ENOSPC); some
   *     bytes may have been written then
   */
  public void write(long offset, MemorySegment src) throws HostException {
    checkTransfer(offset, src);
    long done = 0;
    while (done < src.byteSize()) {
      done += FileCalls.pwrite(fd(), name(), src.asSlice(done), offset + done);
    }
  }

  private static void checkTransfer(long offset, MemorySegment mem) {
    Args.nativeMemory(mem, "memory");
    Args.inside(offset, mem.byteSize(), Long.MAX_VALUE);
    AtomicContext.mightSleep("file transfer");
  }

  /**
   * Tries to lock a range against exclusive locks, an open-file-description lock of fcntl(2). It
   * belongs to this open file, not to the process, and ends with {@link #unlock} or {@link #close}.
   *
   * @param offset the first byte, at least 0; it need not exist
   * @param length the length in bytes, above 0
   * @return false if another open file holds an exclusive lock on a part of it
   * @throws HostException if the file is not open for reading (EBADF) or locks do not work (ENOLCK)
   */
  public boolean tryLockShared(long offset, long length) throws HostException {
    return setLock(Libc.F_RDLCK(), offset, length);
  }

  /**
   * Tries to lock a range against all other locks, else as {@link #tryLockShared}.
   *
   * @param offset the first byte, at least 0; it need not exist
   * @param length the length in bytes, above 0
   * @return false if another open file holds any lock on a part of it
   * @throws HostException if the file is not open for writing (EBADF) or locks do not work (ENOLCK)
   */
  public boolean tryLockExclusive(long offset, long length) throws HostException {
    return setLock(Libc.F_WRLCK(), offset, length);
  }

  /**
   * Releases this open file's locks on a range.
   *
   * @param offset the first byte, at least 0
   * @param length the length in bytes, above 0
   * @throws HostException if the system refuses
   */
  public void unlock(long offset, long length) throws HostException {
    setLock(Libc.F_UNLCK(), offset, length);
  }

  /**
   * Locks a range as {@link #tryLockExclusive}, waiting until it is free. The wait cannot be
   * interrupted, and two threads that wait for each other wait for ever.
   *
   * @param offset the first byte, at least 0; it need not exist
   * @param length the length in bytes, above 0
   * @throws HostException if the file is not open for writing (EBADF) or locks do not work (ENOLCK)
   */
  public void lockExclusive(long offset, long length) throws HostException {
    AtomicContext.mightSleep("file lock");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment lock = lock(arena, Libc.F_WRLCK(), offset, length);
      FileCalls.fcntl(fd(), name(), Libc.F_OFD_SETLKW(), lock);
    }
  }

  /**
   * Finds a lock that conflicts with an exclusive lock of a range, F_OFD_GETLK of fcntl(2). The
   * file need not be open for writing; locks of this open file do not count.
   *
   * @param offset the first byte, at least 0
   * @param length the length in bytes, above 0
   * @return one of the locks that overlap the range, as of now
   * @throws HostException if locks do not work
   */
  public Optional<HeldLock> conflictingLock(long offset, long length) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment lock = lock(arena, Libc.F_WRLCK(), offset, length);
      FileCalls.fcntl(fd(), name(), Libc.F_OFD_GETLK(), lock);
      return flock.l_type(lock) == Libc.F_UNLCK()
          ? Optional.empty()
          : Optional.of(
              new HeldLock(
                  flock.l_start(lock), flock.l_len(lock), flock.l_type(lock) == Libc.F_WRLCK()));
    }
  }

  private static MemorySegment lock(Arena arena, int type, long offset, long length) {
    Args.inside(offset, Args.positive(length, "length"), Long.MAX_VALUE);
    MemorySegment lock = flock.allocate(arena);
    flock.l_type(lock, (short) type);
    flock.l_whence(lock, (short) Libc.SEEK_SET());
    flock.l_start(lock, offset);
    flock.l_len(lock, length);
    return lock;
  }

  private boolean setLock(int type, long offset, long length) throws HostException {
    try (Arena arena = Arena.ofConfined()) {
      FileCalls.fcntl(fd(), name(), Libc.F_OFD_SETLK(), lock(arena, type, offset, length));
      return true;
    } catch (HostException refused) {
      if (refused.errno() == Errno.EAGAIN || refused.errno() == Errno.EACCES) {
        return false;
      }
      throw refused;
    }
  }
}
