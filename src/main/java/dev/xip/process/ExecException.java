package dev.xip.process;

import dev.xip.base.Errno;
import dev.xip.base.HasErrno;
import java.io.IOException;

/**
 * A program could not be executed. The message begins with the kernel's code, which may be as
 * unspecific as the kernel's; the cause is exact.
 */
public final class ExecException extends IOException implements HasErrno {
  private static final long serialVersionUID = 1L;

  private final Errno errno;
  private final boolean killed;

  ExecException(Errno errno, String what, String why, Throwable cause) {
    super("%s: %s: %s".formatted(errno, what, why), cause);
    this.errno = errno;
    this.killed = false;
  }

  private <E extends IOException & HasErrno> ExecException(String what, E cause) {
    super("SIGKILL: %s: %s".formatted(what, cause.getMessage()), cause);
    this.errno = cause.errno();
    this.killed = true;
  }

  /**
   * The failure that ends the process: the old program is gone and the new one cannot be mapped.
   */
  static <E extends IOException & HasErrno> ExecException killed(String what, E cause) {
    return new ExecException(what, cause);
  }

  @Override
  public Errno errno() {
    return errno;
  }

  /** {@return whether the process was killed (SIGKILL) and has exited; if not, it is unchanged} */
  public boolean isKilled() {
    return killed;
  }
}
