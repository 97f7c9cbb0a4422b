package dev.xip.demo;

import dev.xip.base.ProgressListener;

/** Receives the progress of the demo. */
@FunctionalInterface
public interface DemoListener {
  /**
   * A phase begins and the one before has ended.
   *
   * @param phase a short description of the phase
   * @return the listener for its progress in bytes
   */
  ProgressListener begin(String phase);
}
