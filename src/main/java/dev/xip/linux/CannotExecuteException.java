package dev.xip.linux;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** The program cannot be started; the cause says why. */
public final class CannotExecuteException extends IOException {
  private static final long serialVersionUID = 1;

  CannotExecuteException(String program, IOException cause) {
    super("%s: %s".formatted(program, cause.getMessage()), cause);
  }

  /** {@return whether there is no file of the name, of the program or of its interpreter} */
  public boolean isMissing() {
    return getCause() instanceof NoSuchFileException || getCause() instanceof NotDirectoryException;
  }
}
