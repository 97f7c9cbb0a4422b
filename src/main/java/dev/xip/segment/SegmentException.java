package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import dev.xip.host.HostException;
import java.io.IOException;

/**
 * An operation on a segment was refused. The message begins with the kernel's code by name and says
 * which segment or file, and what was expected and found or what is wrong.
 */
public final class SegmentException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1L;

  private final Errno errno;

  /**
   * Makes an exception.
   *
   * @param errno the kernel's code
   * @param subject the segment or file that it is about
   * @param expected what would have been accepted
   * @param found what is there instead
   */
  public SegmentException(Errno errno, String subject, String expected, String found) {
    super("%s: %s: expected %s, found %s".formatted(errno, subject, expected, found));
    this.errno = errno;
  }

  /**
   * Makes an exception for something that needs no expectation to be understood.
   *
   * @param errno the kernel's code
   * @param problem the segment or file, and what is wrong with it
   */
  public SegmentException(Errno errno, String problem) {
    this(errno, "%s: %s".formatted(errno, problem), null);
  }

  private SegmentException(Errno errno, String message, Throwable cause) {
    super(message, cause);
    this.errno = errno;
  }

  /**
   * Wraps an error of the host during work on a segment.
   *
   * @param subject what was being done, and to which segment
   * @param cause what went wrong
   * @return the cause itself if it is a {@link SegmentException}, else an exception with its code
   */
  static SegmentException of(String subject, IOException cause) {
    if (cause instanceof SegmentException e) {
      return e;
    }
    return withCode(cause instanceof HostException e ? e.errno() : Errno.EIO, subject, cause);
  }

  /** Wraps a cause under a code that the kernel fixes for the situation. */
  static SegmentException withCode(Errno code, String subject, Throwable cause) {
    String why = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    String prefix = code + ": ";
    String rest = why.startsWith(prefix) ? why.substring(prefix.length()) : why;
    return new SegmentException(code, prefix + subject + ": " + rest, cause);
  }

  /** The same, with a sentence appended. */
  SegmentException explained(String sentence) {
    return new SegmentException(errno, "%s (%s)".formatted(getMessage(), sentence), this);
  }

  @Override
  public Errno errno() {
    return errno;
  }
}
