package dev.xip.segment;

import dev.xip.host.Errno;
import dev.xip.host.HostException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.Map;

/**
 * An operation on a segment was refused. The message begins with the kernel's code by name and says
 * which segment or file, what was expected and what was found.
 */
public final class SegmentException extends IOException {
  private static final long serialVersionUID = 1L;

  /** java.nio has types for a few codes; the others are told apart by the system's own words. */
  private static final Map<String, Errno> SYSTEM_WORDS =
      Map.of(
          "No space left on device", Errno.ENOSPC,
          "Disk quota exceeded", Errno.EDQUOT,
          "Read-only file system", Errno.EROFS,
          "Permission denied", Errno.EACCES,
          "Operation not permitted", Errno.EPERM,
          "Not a directory", Errno.ENOTDIR,
          "Is a directory", Errno.EISDIR,
          "cross-device link", Errno.EXDEV,
          "File too large", Errno.EFBIG,
          "Too many open files", Errno.EMFILE);

  /** The code that the kernel would have returned. */
  private final Errno code;

  /**
   * Makes an exception.
   *
   * @param code the kernel's code
   * @param subject the segment or file that it is about
   * @param expected what would have been accepted
   * @param found what is there instead
   */
  public SegmentException(Errno code, String subject, String expected, String found) {
    super("%s: %s: expected %s, found %s".formatted(code, subject, expected, found));
    this.code = code;
  }

  private SegmentException(Errno code, String message, Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /**
   * Wraps what the host said while a segment was worked on.
   *
   * @param subject what was being done, and to which segment
   * @param cause what went wrong
   * @return the cause itself if it is a {@link SegmentException}, else an exception with its code
   */
  static SegmentException of(String subject, IOException cause) {
    if (cause instanceof SegmentException e) {
      return e;
    }
    return withCode(codeOf(cause), subject, cause);
  }

  /** Wraps a cause under a code that the kernel fixes for the situation. */
  static SegmentException withCode(Errno code, String subject, Throwable cause) {
    String why = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    String prefix = code + ": ";
    String rest = why.startsWith(prefix) ? why.substring(prefix.length()) : why;
    return new SegmentException(code, prefix + subject + ": " + rest, cause);
  }

  private static Errno codeOf(IOException cause) {
    return switch (cause) {
      case HostException e -> e.errno();
      case NoSuchFileException e -> Errno.ENOENT;
      case AccessDeniedException e -> Errno.EACCES;
      case FileAlreadyExistsException e -> Errno.EEXIST;
      default -> {
        String message = String.valueOf(cause.getMessage());
        yield SYSTEM_WORDS.entrySet().stream()
            .filter(each -> message.contains(each.getKey()))
            .map(Map.Entry::getValue)
            .findFirst()
            .orElse(Errno.EIO);
      }
    };
  }

  /**
   * Returns the kernel's code.
   *
   * @return the code
   */
  public Errno code() {
    return code;
  }
}
