package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.HostException;
import dev.xip.host.Register;
import dev.xip.vm.MemoryFaultException;

/**
 * Acts upon the signals of a task before it goes on in user mode. Linux counterpart: {@code
 * get_signal} (kernel/signal.c), arch/x86/kernel/signal.c.
 */
final class SignalDelivery {
  private static final int SYSCALL_BYTES = 2;

  private final Task task;

  /** The number of the call that a signal has ended, or -1. */
  private int interrupted = -1;

  /** Whether the next call is one that a stop has ended, which waits as long as it would have. */
  private boolean again;

  /** Until when the last call waited, of {@link System#nanoTime}. */
  private long deadline;

  SignalDelivery(Task task) {
    this.task = task;
  }

  /** Until when a call waits that is made now, or again after a stop. */
  long deadline(long computed) {
    if (!again) {
      deadline = computed;
    }
    return deadline;
  }

  /** A call is over: its number if a signal has ended it while it waited, or -1. */
  void callEnded(int number) {
    interrupted = number;
    again = false;
  }

  /** Ends the task or enters handlers, the last of which runs first. */
  void deliver() throws HostException {
    while (!task.isEnding()) {
      SignalInfo info;
      Signals.Action action;
      long mask;
      synchronized (task.kernel()) {
        Signals signals = task.signals();
        info = signals.take();
        if (info == null) {
          break;
        }
        int signal = info.number();
        action = signals.action(signal);
        if (!action.isHandled() && Signal.isStop(signal)) {
          stop(signal);
          continue;
        }
        if (!action.isHandled()) {
          task.end(signal, info.reason());
          return;
        }
        if ((action.flags() & Signals.SA_RESETHAND) != 0) {
          signals.setAction(signal, Signals.Action.DEFAULT);
        }
        mask = signals.maskToRestore();
        long own = (action.flags() & Signals.SA_NODEFER) == 0 ? Signal.bit(signal) : 0;
        signals.setBlocked(signals.blocked() | action.mask() | own);
      }
      endCall((action.flags() & Signals.SA_RESTART) != 0 && SystemCalls.isRestarted(interrupted));
      again = false;
      enter(info, action, mask);
    }
    again |= interrupted >= 0;
    endCall(!SystemCalls.isEndedByStop(interrupted));
    synchronized (task.kernel()) {
      task.signals().setBlocked(task.signals().maskToRestore());
    }
  }

  /** Precondition: the kernel's monitor is held. */
  private void stop(int signal) {
    Kernel kernel = task.kernel();
    if (signal == Signal.SIGSTOP || !kernel.jobs().isOrphaned(task.group())) {
      kernel.trace(task, "--- stopped by signal %d ---".formatted(signal));
      kernel.jobs().stop(task, signal);
    }
  }

  /** Gives EINTR to a call that was interrupted, or lets the program make it again. */
  private void endCall(boolean restart) {
    VirtualProcessor processor = task.processor();
    if (interrupted >= 0) {
      if (restart) {
        processor.set(Register.RAX, interrupted);
        processor.set(Register.RIP, processor.get(Register.RIP) - SYSCALL_BYTES);
      } else {
        processor.set(Register.RAX, -Errno.EINTR.number());
      }
      interrupted = -1;
    }
  }

  private void enter(SignalInfo info, Signals.Action action, long mask) throws HostException {
    task.kernel().trace(task, "--- %s ---".formatted(info.reason()));
    try {
      new SignalFrame(task).push(info, action, mask);
    } catch (MemoryFaultException e) {
      String why = "no stack for signal %d: %s".formatted(info.number(), e);
      if (info.number() == Signal.SIGSEGV) {
        task.end(Signal.SIGSEGV, why);
        return;
      }
      synchronized (task.kernel()) {
        task.signals().setBlocked(mask);
        task.signals().force(SignalInfo.fromKernel(Signal.SIGSEGV, why));
      }
    }
  }
}
