package dev.xip.linux;

import java.nio.ByteBuffer;

/**
 * A signal on its way to a task. Linux counterpart: {@code struct siginfo}.
 *
 * @param number the signal
 * @param code why it was sent, SI_* or a code of the signal
 * @param sender the process that has sent it, or that has ended
 * @param status how the process has ended, for SIGCHLD; the value that came with the signal
 * @param address the address accessed, for a signal of a fault
 * @param reason why, in words
 */
record SignalInfo(int number, int code, int sender, int status, long address, String reason) {
  /** The bytes of struct siginfo. */
  static final int BYTES = 128;

  private static final int SI_USER = 0;
  private static final int SI_KERNEL = 0x80;
  private static final int CLD_EXITED = 1;
  private static final int CLD_KILLED = 2;
  private static final int CLD_STOPPED = 5;
  private static final int CLD_CONTINUED = 6;

  /** A signal that a process sends. */
  static SignalInfo fromProcess(int number, int sender) {
    return new SignalInfo(
        number, SI_USER, sender, 0, 0, "signal %d from process %d".formatted(number, sender));
  }

  /** A signal of the kernel. */
  static SignalInfo fromKernel(int number, String reason) {
    return new SignalInfo(number, SI_KERNEL, 0, 0, 0, reason);
  }

  /** A signal of a fault. */
  static SignalInfo ofFault(int number, int code, long address, String reason) {
    return new SignalInfo(number, code, 0, 0, address, reason);
  }

  /** SIGCHLD, by what wait4 tells. */
  static SignalInfo ofChild(int child, int waitStatus) {
    if (waitStatus == Task.CONTINUED) {
      return ofChild(CLD_CONTINUED, child, Signal.SIGCONT, "goes on");
    }
    if ((waitStatus & 0xff) == Task.STOPPED) {
      return ofChild(CLD_STOPPED, child, waitStatus >> 8, "has stopped");
    }
    int killer = waitStatus & 0x7f;
    return killer != 0
        ? ofChild(CLD_KILLED, child, killer, "has ended")
        : ofChild(CLD_EXITED, child, waitStatus >> 8, "has ended");
  }

  private static SignalInfo ofChild(int code, int child, int status, String what) {
    return new SignalInfo(
        Signal.SIGCHLD, code, child, status, 0, "child %d %s".formatted(child, what));
  }

  /** Writes struct siginfo. */
  void put(ByteBuffer buffer, int at) {
    buffer.putInt(at, number);
    buffer.putInt(at + 8, code);
    if (address != 0) {
      buffer.putLong(at + 16, address);
    } else {
      buffer.putInt(at + 16, sender);
      buffer.putInt(at + 24, status);
    }
  }

  /** The same with another number. */
  SignalInfo number(int other) {
    return new SignalInfo(other, code, sender, status, address, reason);
  }
}
