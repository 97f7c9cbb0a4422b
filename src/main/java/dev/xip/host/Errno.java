package dev.xip.host;

import dev.xip.bindings.Libc;

/** An error number of the system, errno(3), by its name. Numbers come from the system's headers. */
public enum Errno {
  /** Operation not permitted. */
  EPERM(Libc.EPERM()),
  /** No such file or directory. */
  ENOENT(Libc.ENOENT()),
  /** Interrupted system call. */
  EINTR(Libc.EINTR()),
  /** Input/output error. */
  EIO(Libc.EIO()),
  /** No such device or address; also a range past the end of a file, as in POSIX mmap. */
  ENXIO(Libc.ENXIO()),
  /** Argument list too long. */
  E2BIG(Libc.E2BIG()),
  /** Exec format error. */
  ENOEXEC(Libc.ENOEXEC()),
  /** Bad file descriptor. */
  EBADF(Libc.EBADF()),
  /** Resource temporarily unavailable. */
  EAGAIN(Libc.EAGAIN()),
  /** Cannot allocate memory; also too many mappings. */
  ENOMEM(Libc.ENOMEM()),
  /** Permission denied. */
  EACCES(Libc.EACCES()),
  /** Bad address. */
  EFAULT(Libc.EFAULT()),
  /** Device or resource busy. */
  EBUSY(Libc.EBUSY()),
  /** File exists. */
  EEXIST(Libc.EEXIST()),
  /** Invalid cross-device link. */
  EXDEV(Libc.EXDEV()),
  /** No such device; also a file that cannot be mapped. */
  ENODEV(Libc.ENODEV()),
  /** Not a directory. */
  ENOTDIR(Libc.ENOTDIR()),
  /** Is a directory. */
  EISDIR(Libc.EISDIR()),
  /** Invalid argument. */
  EINVAL(Libc.EINVAL()),
  /** Too many open files in the system. */
  ENFILE(Libc.ENFILE()),
  /** Too many open files in the process. */
  EMFILE(Libc.EMFILE()),
  /** Inappropriate ioctl for the device. */
  ENOTTY(Libc.ENOTTY()),
  /** Text file busy. */
  ETXTBSY(Libc.ETXTBSY()),
  /** File too large. */
  EFBIG(Libc.EFBIG()),
  /** No space left on the device. */
  ENOSPC(Libc.ENOSPC()),
  /** Illegal seek. */
  ESPIPE(Libc.ESPIPE()),
  /** Read-only file system. */
  EROFS(Libc.EROFS()),
  /** Too many links. */
  EMLINK(Libc.EMLINK()),
  /** Numerical result out of range. */
  ERANGE(Libc.ERANGE()),
  /** Resource deadlock avoided. */
  EDEADLK(Libc.EDEADLK()),
  /** File name too long. */
  ENAMETOOLONG(Libc.ENAMETOOLONG()),
  /** No locks available. */
  ENOLCK(Libc.ENOLCK()),
  /** Function not implemented. */
  ENOSYS(Libc.ENOSYS()),
  /** Too many levels of symbolic links. */
  ELOOP(Libc.ELOOP()),
  /** No data available. */
  ENODATA(Libc.ENODATA()),
  /** Directory not empty. */
  ENOTEMPTY(Libc.ENOTEMPTY()),
  /** Connection timed out; a wait that has come to its limit. */
  ETIMEDOUT(Libc.ETIMEDOUT()),
  /** No process listens. */
  ECONNREFUSED(Libc.ECONNREFUSED()),
  /** The other side has ended the connection. */
  ECONNRESET(Libc.ECONNRESET()),
  /** The reader has gone. */
  EPIPE(Libc.EPIPE()),
  /** Value too large for its type. */
  EOVERFLOW(Libc.EOVERFLOW()),
  /** Operation not supported. */
  EOPNOTSUPP(Libc.EOPNOTSUPP()),
  /** Structure needs cleaning. */
  EUCLEAN(Libc.EUCLEAN()),
  /** Stale file handle. */
  ESTALE(Libc.ESTALE()),
  /** Disk quota exceeded. */
  EDQUOT(Libc.EDQUOT()),
  /** Any number that has no name here; {@link HostException#number()} tells which. */
  OTHER(-1);

  private final int number;

  Errno(int number) {
    this.number = number;
  }

  /**
   * Names an error number.
   *
   * @param number what errno held, positive
   * @return its name, or {@link #OTHER}
   */
  public static Errno of(int number) {
    for (Errno each : values()) {
      if (each.number == number) {
        return each;
      }
    }
    return OTHER;
  }

  /**
   * Returns the number.
   *
   * @return the number on this system, or -1 for {@link #OTHER}
   */
  public int number() {
    return number;
  }
}
