package dev.xip.host;

import dev.xip.base.AtomicContext;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;

/**
 * A descriptor on which programs read and write as they would on the host: a standard stream, or an
 * open file. Results are those of the system calls, or an error number, negative: they are the
 * program's own. All methods may be called from any thread.
 */
public final class HostStream {
  /** The most bytes that a pipe or terminal takes without waiting when it is ready, PIPE_BUF. */
  public static final int ATOMIC_BYTES = 4096;

  /** The words of {@link StreamCalls#status}. */
  static final int STATUS_WORDS = 14;

  private static final int TCGETS = 0x5401;
  private static final int TIOCGWINSZ = 0x5413;

  /** The size of struct winsize, and where in it the columns are. */
  private static final int WINDOW_BYTES = 8;

  private static final int COLUMNS_AT = 2;

  /** Room for struct termios2, the longest that {@link #control} moves. */
  private static final int SETTINGS_BYTES = 64;

  private final int fd;
  private final boolean terminal;

  private HostStream(int fd) {
    this.fd = fd;
    this.terminal = control(TCGETS, new byte[SETTINGS_BYTES]) == 0;
  }

  /**
   * Uses a standard stream of this process, which stays open.
   *
   * @param number 0 to 2
   * @return the stream; its calls give EBADF if it is closed
   */
  public static HostStream standard(int number) {
    return new HostStream(number);
  }

  /**
   * Uses an open file.
   *
   * @param file the file, not to be closed before the last use
   * @return the stream
   */
  public static HostStream of(HostDescriptor file) {
    return new HostStream(file.fd());
  }

  int fd() {
    return fd;
  }

  /**
   * What a stream is, fstat(2).
   *
   * @param device the device that it is on, st_dev
   * @param inode its inode number
   * @param mode type and permissions
   * @param uid the owner
   * @param gid the group
   * @param major the major number of a device
   * @param minor the minor number of a device
   * @param size the size in bytes
   * @param accessed the time of the last access
   * @param modified the time of the last change of its bytes
   * @param changed the time of the last change of its attributes
   */
  public record Status(
      long device,
      long inode,
      int mode,
      long uid,
      long gid,
      int major,
      int minor,
      long size,
      Instant accessed,
      Instant modified,
      Instant changed) {}

  /** {@return what it is now; zeros if it is closed} */
  public Status status() {
    long[] w;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment words = arena.allocate(ValueLayout.JAVA_LONG, STATUS_WORDS);
      StreamCalls.status(fd, words.address());
      w = words.toArray(ValueLayout.JAVA_LONG);
    }
    return new Status(
        w[0],
        w[1],
        (int) w[2],
        w[3],
        w[4],
        (int) w[5],
        (int) w[6],
        w[7],
        Instant.ofEpochSecond(w[8], w[9]),
        Instant.ofEpochSecond(w[10], w[11]),
        Instant.ofEpochSecond(w[12], w[13]));
  }

  /** {@return whether it is a terminal, isatty(3)} */
  public boolean isTerminal() {
    return terminal;
  }

  /** {@return the columns of the terminal; 0 if this is none, or does not tell} */
  public int columns() {
    byte[] window = new byte[WINDOW_BYTES];
    return control(TIOCGWINSZ, window) == 0
        ? ByteBuffer.wrap(window).order(ByteOrder.nativeOrder()).getShort(COLUMNS_AT) & 0xffff
        : 0;
  }

  /** {@return the access mode and the status flags, fcntl(2) with F_GETFL} */
  public int flags() {
    return StreamCalls.flags(fd);
  }

  /**
   * Tells what can be done without waiting, poll(2).
   *
   * @param events POLLIN, POLLOUT
   * @return those of them that hold, POLLERR, POLLHUP
   */
  public int ready(int events) {
    return StreamCalls.ready(fd, events);
  }

  /**
   * Reads, read(2).
   *
   * @param to native memory that takes what is read
   * @return how many bytes, 0 at the end, or an error number
   */
  public long read(MemorySegment to) {
    AtomicContext.mightSleep("read");
    return StreamCalls.read(fd, to.address(), to.byteSize());
  }

  /**
   * Reads at an offset, pread(2).
   *
   * @param to native memory that takes what is read
   * @param offset where the first byte is
   * @return how many bytes, 0 at the end, or an error number
   */
  public long readAt(MemorySegment to, long offset) {
    AtomicContext.mightSleep("pread");
    return StreamCalls.readAt(fd, to.address(), to.byteSize(), offset);
  }

  /**
   * Writes, write(2).
   *
   * @param from native memory that holds what is written
   * @return how many bytes were written, or an error number
   */
  public long write(MemorySegment from) {
    AtomicContext.mightSleep("write");
    return StreamCalls.write(fd, from.address(), from.byteSize());
  }

  /**
   * Moves the offset, lseek(2).
   *
   * @param offset how far
   * @param whence from where, SEEK_*
   * @return the new offset, or an error number
   */
  public long seek(long offset, int whence) {
    return StreamCalls.seek(fd, offset, whence);
  }

  /**
   * Makes a request whose argument is a number, ioctl(2).
   *
   * @param request which
   * @param argument the number
   * @return 0 or an error number
   */
  public long control(int request, long argument) {
    return StreamCalls.control(fd, Integer.toUnsignedLong(request), argument);
  }

  /**
   * Makes a request whose argument is a struct, ioctl(2). The caller knows the request.
   *
   * @param request which, with a struct of at most 64 bytes
   * @param struct goes there and comes back
   * @return 0 or an error number
   */
  public long control(int request, byte[] struct) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(SETTINGS_BYTES, Long.BYTES);
      MemorySegment.copy(struct, 0, memory, ValueLayout.JAVA_BYTE, 0, struct.length);
      long result = control(request, memory.address());
      MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, 0, struct, 0, struct.length);
      return result;
    }
  }

  /**
   * Notes how a terminal is set.
   *
   * @return sets it so again when it is closed, unless another process has the terminal then; null
   *     if this is no terminal
   */
  public Settings settings() {
    byte[] now = new byte[SETTINGS_BYTES];
    return control(TCGETS, now) == 0 ? new Settings(now) : null;
  }

  /** The settings of a terminal, struct termios. */
  public final class Settings implements AutoCloseable {
    private final byte[] before;

    private Settings(byte[] before) {
      this.before = before;
    }

    @Override
    public void close() {
      try (Arena arena = Arena.ofConfined()) {
        StreamCalls.restore(fd, arena.allocateFrom(ValueLayout.JAVA_BYTE, before).address());
      }
    }
  }
}
