package dev.xip.base;

/** Is told how far a long deed has come. */
@FunctionalInterface
public interface ProgressListener {
  /** Listens to nothing. */
  ProgressListener NONE = (done, total) -> {};

  /**
   * Is told how far the deed has come. Called often; must be quick.
   *
   * @param done the units done so far
   * @param total all units, or -1 where nobody knows yet
   */
  void at(long done, long total);
}
