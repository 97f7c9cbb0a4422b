package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/**
 * The streams that the first program has as descriptors 0 to 2.
 *
 * @param input what it reads
 * @param output what it writes to standard output
 * @param errors what it writes to standard error
 */
public record StandardStreams(InputStream input, OutputStream output, OutputStream errors) {
  /** Opens them. */
  void open(Kernel kernel, Descriptors descriptors) {
    descriptors.put(0, new Input(kernel, input), false);
    descriptors.put(1, new Output(kernel, output), false);
    descriptors.put(2, new Output(kernel, errors), false);
  }

  /** A pipe that a thread fills as soon as a task reads: so a signal ends a read that waits. */
  private static final class Input extends OpenFile {
    private final Kernel kernel;
    private final InputStream from;
    private final Pipe pipe;
    private final OpenFile end;
    private boolean started;

    Input(Kernel kernel, InputStream from) {
      super(0);
      this.kernel = kernel;
      this.from = from;
      this.pipe = new Pipe(kernel);
      this.end = pipe.readEnd(0);
    }

    private void start() {
      if (!started) {
        started = true;
        Thread.ofPlatform().daemon().name("standard input").start(this::fill);
      }
    }

    private void fill() {
      byte[] bytes = new byte[Pipe.CAPACITY];
      try {
        int length = from.read(bytes);
        while (length >= 0 && pipe.fill(bytes, length)) {
          length = from.read(bytes);
        }
      } catch (IOException | InterruptedException e) {
        // The program sees the end of the stream.
      } finally {
        pipe.end();
      }
    }

    @Override
    long read(Task task, long va, long length) throws IOException {
      synchronized (kernel) {
        start();
        end.setFlags(flags());
      }
      return end.read(task, va, length);
    }

    @Override
    int ready() {
      start();
      return end.ready();
    }

    @Override
    void close() {
      end.close();
    }
  }

  private static final class Output extends OpenFile {
    private static final int MOST_BYTES = 1 << 20;

    private final Kernel kernel;
    private final OutputStream to;

    Output(Kernel kernel, OutputStream to) {
      super(O_WRONLY);
      this.kernel = kernel;
      this.to = to;
    }

    @Override
    long write(Task task, long va, long length) throws MemoryFaultException {
      byte[] bytes = task.memory().read(va, (int) Math.min(length, MOST_BYTES));
      try {
        synchronized (to) {
          to.write(bytes);
          to.flush();
        }
        return bytes.length;
      } catch (IOException e) {
        kernel.send(task, SignalInfo.fromProcess(Signal.SIGPIPE, task.pid()));
        return -Errno.EPIPE.number();
      }
    }
  }
}
