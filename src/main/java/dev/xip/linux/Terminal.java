package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.host.HostStream;
import dev.xip.image.FileType;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Special;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A terminal of the host, whose line discipline echoes, edits and turns keys into signals. Which
 * session and which group of tasks it belongs to is known here alone: to the host they are one
 * process. Linux counterpart: drivers/tty/tty_jobctrl.c.
 */
final class Terminal {
  static final int FIONREAD = 0x541b;

  private static final int CURRENT_MAJOR = 5;

  private static final int TCGETS = 0x5401;
  private static final int TCSBRK = 0x5409;
  private static final int TCXONC = 0x540a;
  private static final int TCFLSH = 0x540b;
  private static final int TIOCSCTTY = 0x540e;
  private static final int TIOCGPGRP = 0x540f;
  private static final int TIOCSPGRP = 0x5410;
  private static final int TIOCOUTQ = 0x5411;
  private static final int TIOCSTI = 0x5412;
  private static final int TIOCGWINSZ = 0x5413;
  private static final int TIOCSWINSZ = 0x5414;
  private static final int TIOCNOTTY = 0x5422;
  private static final int TCSBRKP = 0x5425;
  private static final int TIOCGSID = 0x5429;

  /** struct termios of the kernel: four words of flags, a byte, the characters. */
  private static final int TERMIOS_BYTES = 36;

  private static final int TERMIOS2_BYTES = 44;
  private static final int TERMIO_BYTES = 18;
  private static final int WINDOW_BYTES = 8;
  private static final int LOCAL_FLAGS = 12;
  private static final int CHARACTERS = 17;
  private static final int VTIME = CHARACTERS + 5;
  private static final int VMIN = CHARACTERS + 6;
  private static final int ICANON = 2;
  private static final int TOSTOP = 0x100;
  private static final long TENTH = 100_000_000;

  private final Kernel kernel;
  private final HostStream stream;

  /** The session that it controls, 0 for none. Guarded by the kernel's monitor. */
  private int session;

  /** The group that may read. Guarded by the kernel's monitor. */
  private int foreground;

  Terminal(Kernel kernel, HostStream stream) {
    this.kernel = kernel;
    this.stream = stream;
  }

  /** Whether a device is /dev/tty, which stands for the caller's controlling terminal. */
  static boolean isControlling(Special device) {
    return device.type() == FileType.CHARACTER_DEVICE
        && device.major() == CURRENT_MAJOR
        && device.minor() == 0;
  }

  /** Another open file of it. */
  OpenFile open(int flags) throws FileException {
    return new StreamFile(kernel, stream, this, flags);
  }

  int foreground() {
    return foreground;
  }

  boolean controls(Task task) {
    return session != 0 && session == task.session();
  }

  /** Makes it the controlling terminal of a session. Precondition: the kernel's monitor is held. */
  void control(Task leader) {
    session = leader.session();
    foreground = leader.group();
  }

  /** Its session has it no longer. Precondition: the kernel's monitor is held. */
  void giveUp() {
    int group = foreground;
    session = 0;
    foreground = 0;
    kernel.sendGroup(group, SignalInfo.fromKernel(Signal.SIGHUP, "no terminal any more"));
    kernel.sendGroup(group, SignalInfo.fromKernel(Signal.SIGCONT, "no terminal any more"));
  }

  /**
   * Sends a signal to the caller's group if that is in the background.
   *
   * @return 0 if the caller may go on, or EIO
   * @throws InterruptedCallException if the signal was sent
   */
  long check(Task task, int signal) throws InterruptedCallException {
    synchronized (kernel) {
      if (!controls(task) || task.group() == foreground) {
        return 0;
      }
      if (task.signals().isKept(signal)) {
        return signal == Signal.SIGTTIN ? -Errno.EIO.number() : 0;
      }
      if (kernel.jobs().isOrphaned(task.group())) {
        return -Errno.EIO.number();
      }
      kernel.sendGroup(task.group(), SignalInfo.fromKernel(signal, "in the background"));
      throw new InterruptedCallException();
    }
  }

  /** The same for a write, which only TOSTOP refuses. */
  long checkWrite(Task task) throws InterruptedCallException {
    return task.group() != foreground && (settings().getInt(LOCAL_FLAGS) & TOSTOP) != 0
        ? check(task, Signal.SIGTTOU)
        : 0;
  }

  private ByteBuffer settings() {
    byte[] struct = new byte[TERMIOS_BYTES];
    stream.control(TCGETS, struct);
    return ByteBuffer.wrap(struct).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Until when a read waits for a first byte: for ever unless VMIN is 0. */
  long deadline() {
    ByteBuffer settings = settings();
    return (settings.getInt(LOCAL_FLAGS) & ICANON) != 0 || settings.get(VMIN) != 0
        ? Long.MAX_VALUE
        : System.nanoTime() + (settings.get(VTIME) & 0xff) * TENTH;
  }

  /** ioctl(2). */
  long control(Task task, int request, long argument) throws IOException {
    return switch (request) {
      case TCGETS -> get(task, request, argument, TERMIOS_BYTES);
      case 0x802c_542a -> get(task, request, argument, TERMIOS2_BYTES);
      case 0x5405 -> get(task, request, argument, TERMIO_BYTES);
      case 0x5402, 0x5403, 0x5404 -> set(task, request, argument, TERMIOS_BYTES);
      case 0x402c_542b, 0x402c_542c, 0x402c_542d -> set(task, request, argument, TERMIOS2_BYTES);
      case 0x5406, 0x5407, 0x5408 -> set(task, request, argument, TERMIO_BYTES);
      case TCSBRK, TCSBRKP, TCXONC, TCFLSH -> {
        long refused = check(task, Signal.SIGTTOU);
        yield refused != 0 ? refused : stream.control(request, (int) argument);
      }
      case TIOCOUTQ, FIONREAD -> number(task, stream, request, argument);
      case TIOCGWINSZ -> get(task, request, argument, WINDOW_BYTES);
      case TIOCSWINSZ -> put(task, request, argument, WINDOW_BYTES);
      // Bytes put into the input would be read by the host's shell.
      case TIOCSTI -> -Errno.EIO.number();
      case TIOCSCTTY -> take(task, argument);
      case TIOCNOTTY -> leave(task);
      case TIOCGPGRP -> tell(task, argument, true);
      case TIOCGSID -> tell(task, argument, false);
      case TIOCSPGRP -> setForeground(task, argument);
      default -> -Errno.ENOTTY.number();
    };
  }

  /** Makes a request that gives an int. */
  static long number(Task task, HostStream stream, int request, long va) throws IOException {
    byte[] struct = new byte[Integer.BYTES];
    long result = stream.control(request, struct);
    if (result == 0) {
      task.memory().write(va, struct, struct.length);
    }
    return result;
  }

  private long get(Task task, int request, long va, int bytes) throws IOException {
    byte[] struct = new byte[bytes];
    long result = stream.control(request, struct);
    if (result == 0) {
      task.memory().write(va, struct, bytes);
    }
    return result;
  }

  private long set(Task task, int request, long va, int bytes) throws IOException {
    long refused = check(task, Signal.SIGTTOU);
    return refused != 0 ? refused : put(task, request, va, bytes);
  }

  private long put(Task task, int request, long va, int bytes) throws IOException {
    return stream.control(request, task.memory().read(va, bytes));
  }

  /** A session leader without a terminal takes one that is free, or as root with 1 any. */
  private long take(Task task, long force) {
    synchronized (kernel) {
      if (controls(task) && task.session() == task.pid()) {
        return 0;
      }
      boolean mayTake = session == 0 || force == 1;
      if (task.session() != task.pid() || kernel.terminalOf(task) != null || !mayTake) {
        return -Errno.EPERM.number();
      }
      control(task);
      return 0;
    }
  }

  private long leave(Task task) {
    synchronized (kernel) {
      if (!controls(task)) {
        return -Errno.ENOTTY.number();
      }
      if (task.session() == task.pid()) {
        giveUp();
      }
      return 0;
    }
  }

  private long tell(Task task, long va, boolean group) throws IOException {
    int number;
    synchronized (kernel) {
      if (!controls(task)) {
        return -Errno.ENOTTY.number();
      }
      number = group ? foreground : session;
    }
    task.memory().putInt(va, number);
    return 0;
  }

  private long setForeground(Task task, long va) throws IOException {
    long refused = check(task, Signal.SIGTTOU);
    if (refused != 0) {
      return -Errno.ENOTTY.number();
    }
    int group = task.memory().getInt(va);
    synchronized (kernel) {
      if (group < 0) {
        return -Errno.EINVAL.number();
      }
      if (!controls(task)) {
        return -Errno.ENOTTY.number();
      }
      Task member =
          kernel.tasks().stream().filter(t -> t.group() == group).findFirst().orElse(null);
      if (member == null || member.session() != task.session()) {
        return -(member == null ? Errno.ESRCH : Errno.EPERM).number();
      }
      foreground = group;
      return 0;
    }
  }
}
