package dev.xip.linux;

/** The numbers of signals (arch/x86/include/uapi/asm/signal.h), and what they do by default. */
final class Signal {
  static final int SIGHUP = 1;
  static final int SIGINT = 2;
  static final int SIGILL = 4;
  static final int SIGTRAP = 5;
  static final int SIGBUS = 7;
  static final int SIGFPE = 8;
  static final int SIGKILL = 9;
  static final int SIGSEGV = 11;
  static final int SIGPIPE = 13;
  static final int SIGALRM = 14;
  static final int SIGTERM = 15;
  static final int SIGCHLD = 17;
  static final int SIGCONT = 18;
  static final int SIGSTOP = 19;
  static final int SIGTSTP = 20;
  static final int SIGTTIN = 21;
  static final int SIGTTOU = 22;
  static final int SIGXCPU = 24;
  static final int SIGVTALRM = 26;
  static final int SIGPROF = 27;
  static final int SIGWINCH = 28;

  /** The bits of those that stop a task. */
  static final long STOPS = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU);

  /** The highest number. */
  static final int LAST = 64;

  private static final int SIGURG = 23;

  private Signal() {}

  /** The bit of a signal in a mask. */
  static long bit(int signal) {
    return 1L << signal - 1;
  }

  /** Whether a signal without a handler stops the task. */
  static boolean isStop(int signal) {
    return signal >= SIGSTOP && signal <= SIGTTOU;
  }

  /** Whether processes ask others to end with it. */
  static boolean isRequestToEnd(int signal) {
    return signal == SIGHUP || signal == SIGINT || signal == SIGTERM;
  }

  /** Whether a signal without a handler does nothing. */
  static boolean isIgnoredByDefault(int signal) {
    return signal == SIGCHLD || signal == SIGCONT || signal == SIGURG || signal == SIGWINCH;
  }
}
