package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vfs.FileException;
import java.io.IOException;

/** A pipe, pipe(7): what one end writes the other reads. Linux counterpart: fs/pipe.c. */
final class Pipe {
  /** What it holds, in bytes. */
  static final int CAPACITY = 1 << 16;

  /** The most pipes with an open end: Java's heap holds what is in them. */
  private static final int MOST = 1024;

  /** The most bytes that are written as a whole, PIPE_BUF. */
  private static final int ATOMIC = 4096;

  private final Kernel kernel;

  /** Null before the first byte. Guarded by the kernel's monitor, as are the others. */
  private byte[] ring;

  private int first;
  private int held;
  private int readers;
  private int writers;

  /** How often each end was opened. */
  private int readersSoFar;

  private int writersSoFar;

  /**
   * Makes a pipe without ends.
   *
   * @throws FileException ENFILE if there are too many with an open end
   */
  Pipe(Kernel kernel) throws FileException {
    if (kernel.pipes().get() >= MOST) {
      throw new FileException(Errno.ENFILE, "more than %d pipes".formatted(MOST));
    }
    this.kernel = kernel;
  }

  /**
   * Opens an end to read. Precondition: the kernel's monitor is held, or no task knows the pipe.
   */
  OpenFile readEnd(int flags) {
    opened();
    readers++;
    readersSoFar++;
    return new ReadEnd(flags);
  }

  /** Opens an end to write. Precondition: as for {@link #readEnd}. */
  OpenFile writeEnd(int flags) {
    opened();
    writers++;
    writersSoFar++;
    return new WriteEnd(OpenFile.O_WRONLY | flags & ~OpenFile.O_ACCMODE);
  }

  private void opened() {
    if (isIdle()) {
      kernel.pipes().incrementAndGet();
    }
  }

  private void closed() {
    if (isIdle()) {
      kernel.pipes().decrementAndGet();
    }
    kernel.notifyAll();
  }

  boolean hasReaders() {
    return readers > 0;
  }

  /** Whether no end is open. */
  boolean isIdle() {
    return readers == 0 && writers == 0;
  }

  /** Waits until there is a writer, or was one. Precondition: the kernel's monitor is held. */
  void awaitWriter(Task task) throws InterruptedCallException {
    for (int before = writersSoFar; writers == 0 && writersSoFar == before; ) {
      kernel.await(task);
    }
  }

  /** Waits until there is a reader, or was one. Precondition: the kernel's monitor is held. */
  void awaitReader(Task task) throws InterruptedCallException {
    for (int before = readersSoFar; readers == 0 && readersSoFar == before; ) {
      kernel.await(task);
    }
  }

  private void takeBytes(byte[] to) {
    int length = to.length;
    int untilEnd = Math.min(length, CAPACITY - first);
    System.arraycopy(ring, first, to, 0, untilEnd);
    System.arraycopy(ring, 0, to, untilEnd, length - untilEnd);
    first = (first + length) % CAPACITY;
    held -= length;
  }

  private int putBytes(byte[] from, int offset, int end) {
    if (ring == null) {
      ring = new byte[CAPACITY];
    }
    int length = Math.min(end - offset, CAPACITY - held);
    int at = (first + held) % CAPACITY;
    int untilEnd = Math.min(length, CAPACITY - at);
    System.arraycopy(from, offset, ring, at, untilEnd);
    System.arraycopy(from, offset + untilEnd, ring, 0, length - untilEnd);
    held += length;
    return length;
  }

  private final class ReadEnd extends OpenFile {
    ReadEnd(int flags) {
      super(flags);
    }

    @Override
    long read(Task task, long va, long wanted) throws IOException {
      byte[] bytes = take(task, wanted);
      if (bytes == null) {
        return -Errno.EAGAIN.number();
      }
      task.memory().write(va, bytes, bytes.length);
      return bytes.length;
    }

    /** Waits for bytes; none at the end, null if it would have to wait and may not. */
    private byte[] take(Task task, long wanted) throws InterruptedCallException {
      synchronized (kernel) {
        while (held == 0) {
          if (writers == 0) {
            return new byte[0];
          }
          if (!isBlocking()) {
            return null;
          }
          kernel.await(task);
        }
        byte[] bytes = new byte[(int) Math.min(held, wanted)];
        takeBytes(bytes);
        kernel.notifyAll();
        return bytes;
      }
    }

    @Override
    long control(Task task, int request, long argument) throws IOException {
      if (request != Terminal.FIONREAD) {
        return super.control(task, request, argument);
      }
      int available;
      synchronized (kernel) {
        available = held;
      }
      task.memory().putInt(argument, available);
      return 0;
    }

    @Override
    int ready() {
      return (held > 0 ? POLLIN : 0) | (writers > 0 ? 0 : POLLHUP);
    }

    @Override
    void close() {
      readers--;
      closed();
    }
  }

  private final class WriteEnd extends OpenFile {
    WriteEnd(int flags) {
      super(flags);
    }

    @Override
    long write(Task task, long va, long length) throws IOException {
      long refused = length > 0 ? refusal(task, length) : 0;
      if (refused < 0) {
        return refused;
      }
      long done = 0;
      while (done < length) {
        byte[] bytes = task.memory().read(va + done, (int) Math.min(length - done, CAPACITY));
        long put = put(task, bytes, done > 0);
        if (put < bytes.length) {
          return put < 0 && done > 0 ? done : done + put;
        }
        done += put;
      }
      return done;
    }

    @Override
    long write(Task task, byte[] bytes) throws InterruptedCallException {
      return put(task, bytes, false);
    }

    @Override
    long refusal(Task task, long length) {
      synchronized (kernel) {
        if (readers == 0) {
          return broken(task);
        }
        return isBlocking() || CAPACITY - held >= wanted(length) ? 0 : -Errno.EAGAIN.number();
      }
    }

    private long broken(Task task) {
      kernel.send(task, SignalInfo.fromProcess(Signal.SIGPIPE, task.pid()));
      return -Errno.EPIPE.number();
    }

    /** The room that a write needs to begin. */
    private static int wanted(long length) {
      return length <= ATOMIC ? (int) length : 1;
    }

    /** Puts all in, or fewer if it may not wait or a signal comes after some. */
    private long put(Task task, byte[] bytes, boolean more) throws InterruptedCallException {
      int done = 0;
      synchronized (kernel) {
        while (done < bytes.length) {
          if (readers == 0) {
            return done > 0 ? done : broken(task);
          }
          int wanted = wanted(bytes.length);
          if (CAPACITY - held >= wanted) {
            done += putBytes(bytes, done, bytes.length);
            kernel.notifyAll();
          } else if (!isBlocking()) {
            return done > 0 ? done : -Errno.EAGAIN.number();
          } else if ((more || done > 0) && task.signals().isDeliverable()) {
            return done;
          } else {
            kernel.await(task);
          }
        }
      }
      return done;
    }

    @Override
    int ready() {
      return (CAPACITY - held >= ATOMIC ? POLLOUT : 0) | (readers > 0 ? 0 : POLLERR);
    }

    @Override
    void close() {
      writers--;
      closed();
    }
  }
}
