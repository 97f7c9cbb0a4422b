package dev.xip.host;

/**
 * System calls on standard streams, and the signals of this process. JNI methods, implemented in
 * native/host_streams.c, because linking through java.lang.foreign takes milliseconds of each
 * start. Each returns what the system call does, or an error number, negative. Addresses are those
 * of native memory.
 */
final class StreamCalls {
  static {
    LibxipLoader.requireLoaded();
  }

  private StreamCalls() {}

  static native long read(int fd, long address, long count);

  static native long write(int fd, long address, long count);

  static native long readAt(int fd, long address, long count, long offset);

  static native long seek(int fd, long offset, int whence);

  static native long control(int fd, long request, long argument);

  /** F_GETFL. */
  static native int flags(int fd);

  /** Takes the address of {@link HostStream#STATUS_WORDS} words. */
  static native int status(int fd, long words);

  /** Does not wait. */
  static native int ready(int fd, int events);

  /** Takes the address of an array of struct pollfd. */
  static native int await(long array, int count);

  /** Makes an eventfd that does not wait. */
  static native int event();

  static native void close(int fd);

  /** Returns the descriptor to read notes of signals from. */
  static native int takeSignals();

  static native void giveSignalsBack();

  /** Stops this process, as a signal does by default. */
  static native int stop(int signal);

  /** Takes the address of a struct termios of the kernel. */
  static native int restore(int fd, long settings);
}
