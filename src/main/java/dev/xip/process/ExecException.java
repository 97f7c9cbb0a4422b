package dev.xip.process;

import java.io.IOException;

/**
 * A program could not be executed. The message begins with the kernel's code, which may hide what
 * really went wrong, as the kernel's does; the cause tells.
 */
public final class ExecException extends IOException {
  private static final long serialVersionUID = 1L;

  /** The kernel's names of what may be wrong. */
  public enum Code {
    /** The arguments are too long, or their pages could not be had, for whatever reason. */
    E2BIG,
    /** The file could not be read. */
    EIO,
    /** There is not enough memory for a new address space. */
    ENOMEM,
    /** The file is no program that can be mapped. */
    ENOEXEC,
    /** The process has exited. */
    ESRCH,
    /** The old program is gone and the new one cannot be mapped: the process is killed. */
    SIGKILL
  }

  private final Code code;

  ExecException(Code code, String what, String why, Throwable cause) {
    super("%s: %s: %s".formatted(code, what, why), cause);
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
