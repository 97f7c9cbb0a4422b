package dev.xip.demo;

import dev.xip.base.ProgressListener;

/** Is told what the demo does. */
@FunctionalInterface
public interface DemoListener {
  /**
   * A phase begins; the one before has ended.
   *
   * @param phase what is done now, in a few words
   * @return is told how far it has come, in bytes
   */
  ProgressListener begin(String phase);
}
