package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import java.io.IOException;

/**
 * A call on files was refused. It has no stack trace: programs try many paths that do not exist.
 */
public final class FileException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /**
   * Refuses a call.
   *
   * @param errno the kernel's code
   * @param what the file, and what is wrong with it
   */
  public FileException(Errno errno, String what) {
    super(what + ": " + words(errno));
    this.errno = errno;
  }

  private static String words(Errno errno) {
    return switch (errno) {
      case ENOENT -> "No such file or directory";
      case ENOTDIR -> "Not a directory";
      case EISDIR -> "Is a directory";
      case EEXIST -> "File exists";
      case ELOOP -> "Too many levels of symbolic links";
      default -> errno.name();
    };
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }

  @Override
  public Errno errno() {
    return errno;
  }
}
