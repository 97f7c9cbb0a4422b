package dev.xip.history;

import java.io.IOException;

/** A step of the story. It keeps no state: each run makes its own machines. */
public interface Step {
  /** {@return the step as it is told} */
  Account account();

  /**
   * Runs the step.
   *
   * @param findings receives what it shows, in the order of display
   * @throws IOException if the host does not give the memory or files that it needs
   */
  void run(Findings findings) throws IOException;
}
