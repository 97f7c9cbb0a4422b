package dev.xip.base;

/** An exception that carries the code that the kernel would have returned. */
public interface HasErrno {
  /** {@return the kernel's code, {@link Errno#OTHER} if it has no name} */
  Errno errno();
}
