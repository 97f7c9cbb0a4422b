package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vfs.FileException;
import dev.xip.vfs.OpenFlags;
import dev.xip.vfs.Special;
import java.io.IOException;
import java.time.Instant;

/**
 * Pipes that have a name: an open waits for the other end. Linux counterpart: {@code fifo_open}
 * (fs/pipe.c).
 */
final class NamedPipes {
  private NamedPipes() {}

  /**
   * Opens an end.
   *
   * @throws FileException ENXIO to write without waiting where there is no reader
   * @throws InterruptedCallException if a signal comes first
   */
  static OpenFile open(Task task, Special fifo, int flags) throws IOException {
    synchronized (task.kernel()) {
      if (fifo.state() == null) {
        fifo.setState(new Pipe(task.kernel()));
      }
      Pipe pipe = (Pipe) fifo.state();
      boolean waits = (flags & OpenFile.O_NONBLOCK) == 0;
      int mode = flags & OpenFlags.ACCESS;
      if (mode == OpenFile.O_WRONLY && !waits && !pipe.hasReaders()) {
        throw new FileException(Errno.ENXIO, "a pipe without a reader");
      }
      OpenFile in = mode == OpenFile.O_WRONLY ? null : pipe.readEnd(flags);
      OpenFile out = mode == 0 ? null : pipe.writeEnd(flags);
      task.kernel().notifyAll();
      OpenFile end = new End(flags, fifo, pipe, in, out);
      boolean opened = false;
      try {
        if (waits && out == null) {
          pipe.awaitWriter(task);
        } else if (waits && in == null) {
          pipe.awaitReader(task);
        }
        opened = true;
        return end;
      } finally {
        if (!opened) {
          end.close();
        }
      }
    }
  }

  /** One open of a named pipe, with one end or both. */
  private static final class End extends OpenFile {
    private final Special fifo;
    private final Pipe pipe;
    private final OpenFile in;
    private final OpenFile out;

    End(int flags, Special fifo, Pipe pipe, OpenFile in, OpenFile out) {
      super(flags);
      this.fifo = fifo;
      this.pipe = pipe;
      this.in = in;
      this.out = out;
    }

    @Override
    long read(Task task, long va, long length) throws IOException {
      in.setFlags(flags());
      return in.read(task, va, length);
    }

    @Override
    long write(Task task, long va, long length) throws IOException {
      out.setFlags(flags());
      return written(out.write(task, va, length));
    }

    @Override
    long write(Task task, byte[] bytes) throws IOException {
      out.setFlags(flags());
      return written(out.write(task, bytes));
    }

    @Override
    long refusal(Task task, long length) {
      out.setFlags(flags());
      return out.refusal(task, length);
    }

    private long written(long done) throws IOException {
      if (done > 0) {
        fifo.change(before -> before.withTimes(null, Instant.now()));
      }
      return done;
    }

    @Override
    int ready() {
      return (in == null ? 0 : in.ready()) | (out == null ? 0 : out.ready());
    }

    @Override
    void close() {
      if (in != null) {
        in.close();
      }
      if (out != null) {
        out.close();
      }
      if (pipe.isIdle()) {
        fifo.setState(null);
      }
    }
  }
}
