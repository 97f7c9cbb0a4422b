package dev.xip.measure;

import java.io.IOException;

/** Work that is done over and over, each time a little further on in what there is to do. */
@FunctionalInterface
public interface Work {
  /**
   * Does it once.
   *
   * @return anything that depends on all of it
   * @throws IOException if it cannot be done
   */
  long run() throws IOException;
}
