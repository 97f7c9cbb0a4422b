package dev.xip.base;

/** Receives the progress of a long operation. */
@FunctionalInterface
public interface ProgressListener {
  /** Listens to nothing. */
  ProgressListener NONE = (done, total) -> {};

  /**
   * Called during the operation, often; must return quickly.
   *
   * @param done the units done so far
   * @param total all units, or -1 while unknown
   */
  void at(long done, long total);
}
