package dev.xip.host;

/**
 * The functions of include/xip/guard.h, and what loading the library needs. JNI methods,
 * implemented in native/guard_java.c, because linking through java.lang.foreign takes longer than
 * most commands run. For {@link LibxipLoader} and {@link Guard}.
 */
final class GuardCalls {
  /**
   * The version that Java expects, {@code XIP_ABI_VERSION} of include/xip/xip.h: here once more,
   * because to load the class of the bindings takes a third of the time in which a JVM starts.
   */
  static final int ABI_VERSION = 5;

  private GuardCalls() {}

  static native int abiVersion();

  /** Takes addresses; returns the number of the range, or an error code, negative. */
  static native int add(long start, long bytes, boolean writable, long lost);

  static native void remove(int id);

  /** Makes the bytes and the size of a memfd final; returns 0, or an error code, negative. */
  static native int seal(int fd);

  /** Takes the address of a word. */
  static native void watch(long word);
}
