package dev.xip.vm;

import java.io.IOException;

/**
 * A mapping call was refused. Where the kernel works through a range mapping by mapping, what lies
 * before the one that was refused has been done; in all other cases nothing has changed. The
 * message begins with the kernel's code.
 */
public final class MapException extends IOException {
  private static final long serialVersionUID = 1L;

  /** The kernel's names of what may be wrong. */
  public enum Code {
    /** The file or the mapping does not allow it. */
    EACCES,
    /** There is not enough memory at this moment. */
    EAGAIN,
    /** Pages that are locked in memory are in the way. */
    EBUSY,
    /** A mapping is in the way. */
    EEXIST,
    /** There is no such mapping, or it is not one that allows it. */
    EFAULT,
    /** An argument makes no sense. */
    EINVAL,
    /** Memory or address space has run out, or a range holds a gap. */
    ENOMEM,
    /** The offset in the file is past what can be addressed. */
    EOVERFLOW,
    /** The address is too low. */
    EPERM,
    /** The address space has exited. */
    ESRCH
  }

  private final Code code;

  MapException(Code code, String call, String expected, String found) {
    super("%s: %s: expected %s, found %s".formatted(code, call, expected, found));
    this.code = code;
  }

  /**
   * Returns what is wrong, for programs.
   *
   * @return the kernel's code
   */
  public Code code() {
    return code;
  }
}
