package dev.xip.host;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import dev.xip.bindings.Libc;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/**
 * The system refused a call. The message has the call with its arguments, addresses and lengths in
 * hexadecimal, then the error's name and the system's text for it.
 */
public final class HostException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1L;

  /** The name of the call. */
  private final String call;

  /** The raw error number, kept because {@link Errno#OTHER} does not have it. */
  private final int number;

  HostException(String call, String arguments, int number) {
    super("%s(%s): %s".formatted(call, arguments, describe(number)));
    this.call = call;
    this.number = number;
  }

  HostException(String call, String arguments, Errno errno) {
    this(call, arguments, errno.number());
  }

  private static String describe(int number) {
    Errno errno = Errno.of(number);
    String name = errno == Errno.OTHER ? "errno " + number : errno.name();
    return "%s (%s)".formatted(name, Libc.strerror(number).getString(0));
  }

  /** {@return the name of the system call or library function} */
  public String call() {
    return call;
  }

  @Override
  public Errno errno() {
    return Errno.of(number);
  }

  /** {@return the error number, positive} */
  public int number() {
    return number;
  }

  /**
   * Converts to an exception for users, with the file's name and the system's text.
   *
   * @param file the file's name, as the user knows it
   * @return the exception, with this one as its cause
   */
  public FileSystemException at(String file) {
    FileSystemException named =
        switch (errno()) {
          case ENOENT -> new NoSuchFileException(file);
          case ENOTDIR -> new NotDirectoryException(file);
          case EACCES -> new AccessDeniedException(file);
          default -> new FileSystemException(file, null, Libc.strerror(number).getString(0));
        };
    named.initCause(this);
    return named;
  }
}
