package dev.xip.base;

/**
 * The error codes of the kernel by name, errno(3), for refusals by the host and by the modelled
 * kernel alike. Numbers are those of Linux on x86-64, arm64 and s390x
 * (include/uapi/asm-generic/errno.h).
 */
public enum Errno {
  /** No error: the call did what it was asked to. */
  OK(0),
  /** Operation not permitted. */
  EPERM(1),
  /** No such file or directory. */
  ENOENT(2),
  /** No such process; also an address space or a process that has exited. */
  ESRCH(3),
  /** Interrupted system call. */
  EINTR(4),
  /** Input/output error. */
  EIO(5),
  /** No such device or address; also a range past the end of a file, as in POSIX mmap. */
  ENXIO(6),
  /** Argument list too long. */
  E2BIG(7),
  /** Exec format error. */
  ENOEXEC(8),
  /** Bad file descriptor. */
  EBADF(9),
  /** No child processes. */
  ECHILD(10),
  /** Resource temporarily unavailable. */
  EAGAIN(11),
  /** Cannot allocate memory; also too many mappings. */
  ENOMEM(12),
  /** Permission denied. */
  EACCES(13),
  /** Bad address. */
  EFAULT(14),
  /** Device or resource busy. */
  EBUSY(16),
  /** File exists. */
  EEXIST(17),
  /** Invalid cross-device link. */
  EXDEV(18),
  /** No such device; also a file that cannot be mapped. */
  ENODEV(19),
  /** Not a directory. */
  ENOTDIR(20),
  /** Is a directory. */
  EISDIR(21),
  /** Invalid argument. */
  EINVAL(22),
  /** Too many open files in the system. */
  ENFILE(23),
  /** Too many open files in the process. */
  EMFILE(24),
  /** Inappropriate ioctl for the device. */
  ENOTTY(25),
  /** Text file busy. */
  ETXTBSY(26),
  /** File too large. */
  EFBIG(27),
  /** No space left on the device. */
  ENOSPC(28),
  /** Illegal seek. */
  ESPIPE(29),
  /** Read-only file system. */
  EROFS(30),
  /** Too many links. */
  EMLINK(31),
  /** Numerical result out of range. */
  ERANGE(34),
  /** Resource deadlock avoided. */
  EDEADLK(35),
  /** File name too long. */
  ENAMETOOLONG(36),
  /** No locks available. */
  ENOLCK(37),
  /** No such system call. */
  ENOSYS(38),
  /** Too many levels of symbolic links. */
  ELOOP(40),
  /** No data available. */
  ENODATA(61),
  /** Directory not empty. */
  ENOTEMPTY(39),
  /** Not a socket. */
  ENOTSOCK(88),
  /** Address family not supported. */
  EAFNOSUPPORT(97),
  /** Connection timed out; also a wait that has reached its limit. */
  ETIMEDOUT(110),
  /** No process listens. */
  ECONNREFUSED(111),
  /** The other side has ended the connection. */
  ECONNRESET(104),
  /** Broken pipe: no process reads from it any more. */
  EPIPE(32),
  /** Value too large for its type. */
  EOVERFLOW(75),
  /** Accessing a corrupted shared library: the interpreter of a program is none. */
  ELIBBAD(80),
  /** Operation not supported. */
  EOPNOTSUPP(95),
  /** Structure needs cleaning. */
  EUCLEAN(117),
  /** Stale file handle. */
  ESTALE(116),
  /** Disk quota exceeded. */
  EDQUOT(122),
  /** Any other number. */
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

  /** {@return the number on this system, or -1 for {@link #OTHER}} */
  public int number() {
    return number;
  }

  /**
   * Makes a message that begins with the name.
   *
   * @param format what was wrong, for {@link String#format}
   * @param arguments its arguments
   * @return the message
   */
  public String message(String format, Object... arguments) {
    return name() + ": " + format.formatted(arguments);
  }
}
