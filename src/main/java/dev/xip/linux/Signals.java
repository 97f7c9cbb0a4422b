package dev.xip.linux;

import java.util.Arrays;

/**
 * What a task does at signals, and those that wait for it. Linux counterpart: {@code struct
 * sighand_struct}, {@code struct sigpending}.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class Signals {
  static final long SIG_DFL = 0;
  static final long SIG_IGN = 1;
  static final long SA_NOCLDSTOP = 1;
  static final long SA_NOCLDWAIT = 2;
  static final long SA_ONSTACK = 0x0800_0000;
  static final long SA_RESTART = 0x1000_0000;
  static final long SA_NODEFER = 0x4000_0000;
  static final long SA_RESETHAND = 0x8000_0000L;

  /** No signal can be kept from these. */
  private static final long UNBLOCKABLE = Signal.bit(Signal.SIGKILL) | Signal.bit(Signal.SIGSTOP);

  /**
   * What happens at a signal. Linux counterpart: {@code struct sigaction}.
   *
   * @param handler the handler's address, {@link #SIG_DFL} or {@link #SIG_IGN}
   * @param flags SA_*
   * @param restorer where the handler returns to
   * @param mask the signals that wait meanwhile
   */
  record Action(long handler, long flags, long restorer, long mask) {
    static final Action DEFAULT = new Action(SIG_DFL, 0, 0, 0);

    boolean isHandled() {
      return handler != SIG_DFL && handler != SIG_IGN;
    }
  }

  private final Action[] actions = new Action[Signal.LAST + 1];
  private final SignalInfo[] infos = new SignalInfo[Signal.LAST + 1];
  private long blocked;
  private long pending;

  /** The mask to go back to when a handler has run that sigsuspend waited for; null if none. */
  private Long suspended;

  /** The alternate stack, of 0 bytes if there is none. */
  private long stackStart;

  private long stackBytes;

  Signals() {
    Arrays.fill(actions, Action.DEFAULT);
  }

  /** Those of a child: nothing is pending. */
  Signals forked() {
    Signals child = new Signals();
    System.arraycopy(actions, 0, child.actions, 0, actions.length);
    child.blocked = blocked;
    child.stackStart = stackStart;
    child.stackBytes = stackBytes;
    return child;
  }

  /** The program is replaced: its handlers and its stack are gone. */
  void exec() {
    for (int i = 1; i <= Signal.LAST; i++) {
      if (actions[i].isHandled()) {
        actions[i] = Action.DEFAULT;
      }
    }
    setStack(0, 0);
  }

  Action action(int signal) {
    return actions[signal];
  }

  void setAction(int signal, Action action) {
    actions[signal] = action;
    if (isIgnored(signal)) {
      pending &= ~Signal.bit(signal);
    }
  }

  private boolean isIgnored(int signal) {
    long handler = actions[signal].handler();
    return handler == SIG_IGN || handler == SIG_DFL && Signal.isIgnoredByDefault(signal);
  }

  long blocked() {
    return blocked;
  }

  void setBlocked(long mask) {
    blocked = mask & ~UNBLOCKABLE;
  }

  /** Waits with another mask until a handler has run. */
  void suspend(long mask) {
    if (suspended == null) {
      suspended = blocked;
    }
    setBlocked(mask);
  }

  /** The mask that a handler's return goes back to. */
  long maskToRestore() {
    long mask = suspended == null ? blocked : suspended;
    suspended = null;
    return mask;
  }

  long stackStart() {
    return stackStart;
  }

  long stackBytes() {
    return stackBytes;
  }

  void setStack(long start, long bytes) {
    stackStart = start;
    stackBytes = bytes;
  }

  boolean isOnStack(long rsp) {
    return stackBytes != 0 && rsp - stackStart > 0 && rsp - stackStart <= stackBytes;
  }

  /** Notes a signal, unless it does nothing. */
  void add(SignalInfo info) {
    long bit = Signal.bit(info.number());
    if ((blocked & bit) == 0 && isIgnored(info.number()) || (pending & bit) != 0) {
      return;
    }
    infos[info.number()] = info;
    pending |= bit;
  }

  /** Notes the signal of a fault, which ends a task that blocks or ignores it. */
  void force(SignalInfo info) {
    int signal = info.number();
    if ((blocked & Signal.bit(signal)) != 0 || actions[signal].handler() == SIG_IGN) {
      actions[signal] = Action.DEFAULT;
      blocked &= ~Signal.bit(signal);
    }
    infos[signal] = info;
    pending |= Signal.bit(signal);
  }

  /** Forgets signals that wait. */
  void drop(long mask) {
    pending &= ~mask;
  }

  /** Whether a signal would have no effect now: it is blocked or ignored. */
  boolean isKept(int signal) {
    return (blocked & Signal.bit(signal)) != 0 || actions[signal].handler() == SIG_IGN;
  }

  /** The signals that wait, also those that are blocked. */
  long pending() {
    return pending;
  }

  /** Whether SIGKILL waits. */
  boolean isKilled() {
    return (pending & Signal.bit(Signal.SIGKILL)) != 0;
  }

  boolean isDeliverable() {
    return (pending & ~blocked) != 0;
  }

  /** Takes a signal of a set, also one that is blocked; null if none waits. */
  SignalInfo take(long set) {
    long waiting = pending & set;
    if (waiting == 0) {
      return null;
    }
    int signal = Long.numberOfTrailingZeros(waiting) + 1;
    pending &= ~Signal.bit(signal);
    return infos[signal];
  }

  /** Takes the next signal that is not blocked and does something; null if there is none. */
  SignalInfo take() {
    while (isDeliverable()) {
      int signal = isKilled() ? Signal.SIGKILL : Long.numberOfTrailingZeros(pending & ~blocked) + 1;
      pending &= ~Signal.bit(signal);
      if (!isIgnored(signal)) {
        return infos[signal];
      }
    }
    return null;
  }
}
