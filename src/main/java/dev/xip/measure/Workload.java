package dev.xip.measure;

import java.io.IOException;

/** Work that is repeated. Each run continues at the place or file where the one before ended. */
@FunctionalInterface
public interface Workload {
  /**
   * Runs it once.
   *
   * @return a value that depends on all of the work
   * @throws IOException if the work fails
   */
  long run() throws IOException;
}
