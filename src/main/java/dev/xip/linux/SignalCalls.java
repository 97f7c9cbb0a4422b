package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.host.HostException;
import dev.xip.host.Register;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** System calls about signals. Linux counterpart: kernel/signal.c. */
final class SignalCalls {
  private static final int SS_ONSTACK = 1;
  private static final int SS_DISABLE = 2;
  private static final int SI_TKILL = -6;
  private static final int LEAST_STACK = 2048;

  private final Task task;

  SignalCalls(Task task) {
    this.task = task;
  }

  /** rt_sigaction(2). */
  long action(int signal, long change, long old) throws MemoryFaultException {
    boolean fixed = signal == Signal.SIGKILL || signal == Signal.SIGSTOP;
    if (signal < 1 || signal > Signal.LAST || change != 0 && fixed) {
      return -Errno.EINVAL.number();
    }
    UserMemory memory = task.memory();
    Signals.Action next =
        change == 0
            ? null
            : new Signals.Action(
                memory.getLong(change),
                memory.getLong(change + 8),
                memory.getLong(change + 16),
                memory.getLong(change + 24));
    Signals.Action before;
    synchronized (task.kernel()) {
      before = task.signals().action(signal);
      if (next != null) {
        task.signals().setAction(signal, next);
      }
    }
    if (old != 0) {
      memory.putLong(old, before.handler());
      memory.putLong(old + 8, before.flags());
      memory.putLong(old + 16, before.restorer());
      memory.putLong(old + 24, before.mask());
    }
    return 0;
  }

  /** rt_sigprocmask(2). */
  long mask(int how, long change, long old) throws MemoryFaultException {
    long set = change == 0 ? 0 : task.memory().getLong(change);
    long before;
    synchronized (task.kernel()) {
      before = task.signals().blocked();
      if (change != 0) {
        switch (how) {
          case 0 -> task.signals().setBlocked(before | set);
          case 1 -> task.signals().setBlocked(before & ~set);
          case 2 -> task.signals().setBlocked(set);
          default -> {
            return -Errno.EINVAL.number();
          }
        }
      }
    }
    if (old != 0) {
      task.memory().putLong(old, before);
    }
    return 0;
  }

  /** rt_sigpending(2). */
  long pending(long to) throws MemoryFaultException {
    long set;
    synchronized (task.kernel()) {
      set = task.signals().pending() & task.signals().blocked();
    }
    task.memory().putLong(to, set);
    return 0;
  }

  /** rt_sigsuspend(2). */
  long suspend(long set) throws IOException {
    long mask = task.memory().getLong(set);
    synchronized (task.kernel()) {
      task.signals().suspend(mask);
      return pause();
    }
  }

  /** Waits with another mask until the call is over, unless its address is 0. */
  void suspendFor(long set) throws MemoryFaultException {
    if (set != 0) {
      long mask = task.memory().getLong(set);
      synchronized (task.kernel()) {
        task.signals().suspend(mask);
      }
    }
  }

  /** rt_sigtimedwait(2). */
  long await(long set, long info, long timeout, TimeCalls times) throws IOException {
    long wanted = task.memory().getLong(set);
    long nanos = timeout == 0 ? 0 : times.nanos(timeout, 1);
    if (nanos < 0) {
      return -Errno.EINVAL.number();
    }
    long deadline = timeout == 0 ? Long.MAX_VALUE : System.nanoTime() + nanos;
    SignalInfo taken;
    synchronized (task.kernel()) {
      while ((taken = task.signals().take(wanted)) == null) {
        if (deadline != Long.MAX_VALUE && deadline - System.nanoTime() <= 0) {
          return -Errno.EAGAIN.number();
        }
        task.kernel().await(task, deadline);
      }
    }
    if (info != 0) {
      ByteBuffer struct = ByteBuffer.allocate(SignalInfo.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      taken.put(struct, 0);
      task.memory().write(info, struct.array(), SignalInfo.BYTES);
    }
    return taken.number();
  }

  /** rt_sigqueueinfo(2): a signal with a value. */
  long queue(int pid, int signal, long info) throws MemoryFaultException {
    int code = task.memory().getInt(info + 8);
    int value = task.memory().getInt(info + 24);
    if (signal < 0 || signal > Signal.LAST) {
      return -Errno.EINVAL.number();
    }
    synchronized (task.kernel()) {
      Task to = task.kernel().task(pid);
      if ((code >= 0 || code == SI_TKILL) && pid != task.pid()) {
        return -Errno.EPERM.number();
      }
      if (to == null) {
        return -Errno.ESRCH.number();
      }
      if (signal != 0) {
        String why = "signal %d from process %d".formatted(signal, task.pid());
        task.kernel().send(to, new SignalInfo(signal, code, task.pid(), value, 0, why));
      }
      return 0;
    }
  }

  /** pause(2). */
  long pause() throws InterruptedCallException {
    synchronized (task.kernel()) {
      while (true) {
        task.kernel().await(task);
      }
    }
  }

  /** rt_sigreturn(2): the registers are those of the frame, RAX included. */
  long returned() throws HostException {
    try {
      new SignalFrame(task).pop();
    } catch (MemoryFaultException | HostException e) {
      synchronized (task.kernel()) {
        task.signals()
            .force(SignalInfo.fromKernel(Signal.SIGSEGV, "rt_sigreturn: " + e.getMessage()));
      }
    }
    return task.processor().get(Register.RAX);
  }

  /** sigaltstack(2). */
  long stack(long change, long old) throws MemoryFaultException {
    UserMemory memory = task.memory();
    Signals signals = task.signals();
    boolean on = signals.isOnStack(task.processor().get(Register.RSP));
    long start = signals.stackStart();
    long bytes = signals.stackBytes();
    if (change != 0) {
      int flags = (int) memory.getLong(change + 8);
      boolean none = (flags & SS_DISABLE) != 0;
      long size = memory.getLong(change + 16);
      if (on) {
        return -Errno.EPERM.number();
      }
      if (!none && size < LEAST_STACK) {
        return -Errno.ENOMEM.number();
      }
      signals.setStack(none ? 0 : memory.getLong(change), none ? 0 : size);
    }
    if (old != 0) {
      memory.putLong(old, start);
      memory.putLong(old + 8, bytes == 0 ? SS_DISABLE : on ? SS_ONSTACK : 0);
      memory.putLong(old + 16, bytes);
    }
    return 0;
  }

  /** kill(2). */
  long kill(int pid, int signal) {
    if (signal < 0 || signal > Signal.LAST) {
      return -Errno.EINVAL.number();
    }
    boolean found = false;
    boolean refused = false;
    synchronized (task.kernel()) {
      for (Task each : task.kernel().tasks()) {
        if (pid > 0
            ? each.pid() == pid
            : pid == -1 ? each != task : each.group() == (pid == 0 ? task.group() : -pid)) {
          if (!maySend(each)) {
            refused = true;
            continue;
          }
          found = true;
          if (signal != 0) {
            task.kernel().send(each, SignalInfo.fromProcess(signal, task.pid()));
          }
        }
      }
    }
    return found ? 0 : -(refused ? Errno.EPERM : Errno.ESRCH).number();
  }

  /** Linux counterpart: {@code kill_ok_by_cred}. */
  private boolean maySend(Task to) {
    Credentials own = task.attributes().credentials;
    int[] users = to.attributes().credentials.users;
    return own.may(Credentials.CAP_KILL)
        || own.users[0] == users[0]
        || own.users[0] == users[2]
        || own.users[1] == users[0]
        || own.users[1] == users[2];
  }

  /** tgkill(2) and tkill(2): a process has one thread. */
  long killThread(int process, int thread, int signal) {
    return thread <= 0 || process != thread
        ? -(thread <= 0 ? Errno.EINVAL : Errno.ESRCH).number()
        : kill(thread, signal);
  }
}
