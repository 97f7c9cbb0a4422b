package dev.xip.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The signals that others send to this process: SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP and
 * SIGWINCH. While they are taken they have no effect but to be told by {@link HostEvents#await};
 * those that were ignored before stay ignored. One object at a time.
 */
public final class HostSignals implements AutoCloseable {
  private static final int NOTE_BYTES = 8;

  private final int fd;

  private HostSignals(int fd) {
    this.fd = fd;
  }

  /**
   * A signal.
   *
   * @param number its number
   * @param fromTerminal whether a terminal has sent it, for a key or a new size; else a process has
   */
  public record Note(int number, boolean fromTerminal) {}

  /**
   * Takes the signals.
   *
   * @return gives them back when it is closed
   * @throws HostException if the system refuses
   */
  public static HostSignals take() throws HostException {
    int fd = StreamCalls.takeSignals();
    if (fd < 0) {
      throw new HostException("sigaction", "the signals that programs are given", -fd);
    }
    return new HostSignals(fd);
  }

  int fd() {
    return fd;
  }

  /** The next signal that has come; null if there is none. */
  Note next() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment note = arena.allocate(NOTE_BYTES, Integer.BYTES);
      return StreamCalls.read(fd, note.address(), NOTE_BYTES) == NOTE_BYTES
          ? new Note(
              note.get(ValueLayout.JAVA_INT, 0), note.get(ValueLayout.JAVA_INT, Integer.BYTES) != 0)
          : null;
    }
  }

  /**
   * Stops this process, as a signal does that nothing handles, and returns when it goes on. The
   * system ignores the signal if no shell could continue the process, unless it is SIGSTOP.
   *
   * @param signal SIGSTOP, SIGTSTP, SIGTTIN or SIGTTOU
   */
  public void stop(int signal) {
    StreamCalls.stop(signal);
  }

  @Override
  public void close() {
    StreamCalls.giveSignalsBack();
  }
}
