package dev.xip.base;

/** An exception that carries the code that the kernel would have returned. */
public interface HasErrno {
  /**
   * Returns the kernel's code.
   *
   * @return the code, {@link Errno#OTHER} if it has no name
   */
  Errno errno();
}
