package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vfs.FileException;
import java.io.IOException;

/** The program cannot be started; the cause says why. */
public final class CannotExecuteException extends IOException {
  private static final long serialVersionUID = 1;

  CannotExecuteException(String program, IOException cause) {
    super("%s: %s".formatted(program, cause.getMessage()), cause);
  }

  /** {@return whether there is no file of the name, of the program or of its interpreter} */
  public boolean isMissing() {
    return getCause() instanceof FileException e
        && (e.errno() == Errno.ENOENT || e.errno() == Errno.ENOTDIR);
  }
}
