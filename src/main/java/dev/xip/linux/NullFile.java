package dev.xip.linux;

/** /dev/null. */
final class NullFile extends OpenFile {
  static final String PATH = "/dev/null";

  NullFile(int flags) {
    super(flags);
  }

  @Override
  long read(Task task, long va, long length) {
    return 0;
  }

  @Override
  long write(Task task, long va, long length) {
    return length;
  }

  @Override
  long seek(long offset, int whence) {
    return 0;
  }
}
