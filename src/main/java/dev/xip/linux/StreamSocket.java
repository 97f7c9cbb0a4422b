package dev.xip.linux;

import java.io.IOException;

/** An end of a pair of sockets: two pipes. Linux counterpart: net/unix/af_unix.c. */
final class StreamSocket extends OpenFile {
  private final OpenFile in;
  private final OpenFile out;

  StreamSocket(int flags, OpenFile in, OpenFile out) {
    super(O_RDWR | flags);
    this.in = in;
    this.out = out;
  }

  @Override
  long read(Task task, long va, long count) throws IOException {
    in.setFlags(flags() & O_NONBLOCK);
    return in.read(task, va, count);
  }

  @Override
  long write(Task task, long va, long count) throws IOException {
    out.setFlags(flags() & O_NONBLOCK);
    return out.write(task, va, count);
  }

  @Override
  int ready() {
    int input = in.ready();
    boolean ended = (input & POLLHUP) != 0;
    return input | (ended ? POLLIN : 0) | out.ready() & POLLOUT;
  }

  /** shutdown(2). Precondition: the kernel's monitor is held. */
  void shutDown(boolean input, boolean output) {
    if (input) {
      in.close();
    }
    if (output) {
      out.close();
    }
  }

  @Override
  void close() {
    shutDown(true, true);
  }
}
