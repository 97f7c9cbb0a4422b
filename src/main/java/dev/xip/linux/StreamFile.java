package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.host.HostStream;
import dev.xip.image.FileType;
import dev.xip.vfs.FileException;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A stream of the host: a terminal, a pipe or a file. Reads take no more than was asked for, so
 * that programs of the host and of the image can share it. Waiting is for {@link HostLink}: no call
 * to the host waits, unless another process of the host takes the bytes or the room first.
 */
final class StreamFile extends OpenFile {
  /** The most that one call moves: as much as a pipe of the host holds. */
  private static final long MOST_BYTES = 1 << 16;

  private final Kernel kernel;
  private final HostStream stream;

  /** Whether no call waits. */
  private final boolean regular;

  /** Null if it is none. */
  private final Terminal terminal;

  StreamFile(Kernel kernel, HostStream stream, Terminal terminal, int flags) throws FileException {
    super(flags & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    this.kernel = kernel;
    this.stream = stream;
    HostNode is = new HostNode(kernel, stream, terminal);
    is.hold();
    of(is);
    this.regular = is.type() == FileType.REGULAR;
    this.terminal = terminal;
  }

  @Override
  long read(Task task, long va, long length) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(Math.min(length, MOST_BYTES));
      if (!regular) {
        long found = readWhenReady(task, bytes);
        return found <= 0 ? found : task.memory().take(bytes, 0, va, found);
      }
      return each(task, va, length, bytes, (done, part) -> stream.read(part));
    }
  }

  private interface Part {
    long read(long done, MemorySegment part);
  }

  /** Reads part after part until one is not filled, as a file does in one call. */
  private static long each(Task task, long va, long length, MemorySegment bytes, Part part)
      throws MemoryFaultException {
    long done = 0;
    while (done < length) {
      long wanted = Math.min(length - done, bytes.byteSize());
      long found = part.read(done, bytes.asSlice(0, wanted));
      if (found <= 0) {
        return done > 0 ? done : found;
      }
      done += task.memory().take(bytes, 0, va + done, found);
      if (found < wanted) {
        break;
      }
    }
    return done;
  }

  private long readWhenReady(Task task, MemorySegment bytes) throws InterruptedCallException {
    long deadline = Long.MAX_VALUE;
    if (terminal != null) {
      long refused = terminal.check(task, Signal.SIGTTIN);
      if (refused != 0) {
        return refused;
      }
      deadline = terminal.deadline();
    }
    while (true) {
      if (!waitUntil(task, POLLIN, deadline)) {
        return isBlocking() ? 0 : -Errno.EAGAIN.number();
      }
      synchronized (kernel.host()) {
        if (stream.ready(POLLIN) != 0) {
          long length = stream.read(bytes);
          if (length != -Errno.EAGAIN.number()) {
            return length;
          }
        }
      }
    }
  }

  /** Waits until it is ready; false if it does not wait, or the time is over. */
  private boolean waitUntil(Task task, int events, long deadline) throws InterruptedCallException {
    synchronized (kernel) {
      while (stream.ready(events) == 0) {
        if (!isBlocking() || deadline != Long.MAX_VALUE && deadline - System.nanoTime() <= 0) {
          return false;
        }
        watch(events);
        kernel.await(task, deadline);
      }
      return true;
    }
  }

  @Override
  long write(Task task, long va, long length) throws IOException {
    long refused = terminal == null ? 0 : terminal.checkWrite(task);
    if (refused != 0) {
      return refused;
    }
    long part = regular ? MOST_BYTES : HostStream.ATOMIC_BYTES;
    long done = 0;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(Math.min(length, part));
      while (done < length) {
        long count = Math.min(length - done, bytes.byteSize());
        long given = task.memory().give(va + done, bytes, 0, count);
        long written = writeWhenReady(task, bytes.asSlice(0, given));
        if (written < 0) {
          return done > 0 ? done : failed(task, written);
        }
        done += written;
        if (written < count) {
          return done;
        }
      }
    } catch (InterruptedCallException | MemoryFaultException e) {
      if (done == 0) {
        throw e;
      }
    }
    return done;
  }

  @Override
  long write(Task task, byte[] bytes) throws InterruptedCallException {
    try (Arena arena = Arena.ofConfined()) {
      long part = Math.min(bytes.length, regular ? MOST_BYTES : HostStream.ATOMIC_BYTES);
      long written =
          writeWhenReady(
              task, arena.allocate(part).copyFrom(MemorySegment.ofArray(bytes).asSlice(0, part)));
      return written < 0 ? failed(task, written) : written;
    }
  }

  /** No more bytes than never wait once there is room. */
  private long writeWhenReady(Task task, MemorySegment bytes) throws InterruptedCallException {
    if (regular) {
      return stream.write(bytes);
    }
    while (true) {
      if (!waitUntil(task, POLLOUT, Long.MAX_VALUE)) {
        return -Errno.EAGAIN.number();
      }
      synchronized (this) {
        if (stream.ready(POLLOUT) != 0) {
          long written = stream.write(bytes);
          if (written != -Errno.EAGAIN.number()) {
            return written;
          }
        }
      }
    }
  }

  private long failed(Task task, long error) {
    if (error == -Errno.EPIPE.number()) {
      kernel.send(task, SignalInfo.fromProcess(Signal.SIGPIPE, task.pid()));
    }
    return error;
  }

  @Override
  long readAt(Task task, long va, long length, long position) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(Math.min(length, MOST_BYTES));
      return each(task, va, length, bytes, (done, part) -> stream.readAt(part, position + done));
    }
  }

  @Override
  long seek(long offset, int whence) {
    return stream.seek(offset, whence);
  }

  @Override
  int ready() {
    return stream.ready(POLLIN | POLLOUT);
  }

  @Override
  void watch(int events) {
    kernel.host().watch(stream, events & (POLLIN | POLLOUT));
  }

  @Override
  long control(Task task, int request, long argument) throws IOException {
    return terminal != null
        ? terminal.control(task, request, argument)
        : request == Terminal.FIONREAD
            ? Terminal.number(task, stream, request, argument)
            : -Errno.ENOTTY.number();
  }
}
