package dev.xip.linux;

/**
 * Stops and continues tasks. Linux counterpart: {@code do_signal_stop}, {@code prepare_signal}
 * (kernel/signal.c), {@code will_become_orphaned_pgrp} (kernel/exit.c).
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class JobControl {
  private final Kernel kernel;

  JobControl(Kernel kernel) {
    this.kernel = kernel;
  }

  /** A signal is sent: one that continues removes those that stop, and the reverse. */
  void prepare(Task task, int signal) {
    if (Signal.isStop(signal)) {
      task.signals().drop(Signal.bit(Signal.SIGCONT));
    } else if (signal == Signal.SIGCONT) {
      task.signals().drop(Signal.STOPS);
      if (task.stoppedBy() != 0) {
        task.resume();
        tellParent(task);
      }
    }
  }

  /** Stops the calling task until it is continued or killed. */
  void stop(Task task, int signal) {
    task.stop(signal);
    tellParent(task);
    boolean all = kernel.tasks().stream().allMatch(t -> t.isZombie() || t.stoppedBy() != 0);
    if (all || task == kernel.first() && signal != Signal.SIGSTOP) {
      kernel.host().stop(signal);
    }
    while (task.stoppedBy() != 0 && !task.signals().isKilled()) {
      kernel.waitForChange();
    }
  }

  /** Tells how a task has stopped or that it goes on. */
  private void tellParent(Task task) {
    Task parent = task.parent();
    if (parent != null) {
      Signals.Action action = parent.signals().action(Signal.SIGCHLD);
      if (action.handler() != Signals.SIG_IGN && (action.flags() & Signals.SA_NOCLDSTOP) == 0) {
        kernel.send(parent, SignalInfo.ofChild(task.pid(), task.change()));
      }
    }
    kernel.notifyAll();
  }

  /**
   * Whether no parent of a member could continue a group, so that a terminal does not stop it. The
   * parent of the first task is the host's shell.
   */
  boolean isOrphaned(int group) {
    return isOrphaned(group, null);
  }

  private boolean isOrphaned(int group, Task except) {
    for (Task each : kernel.tasks()) {
      if (each.group() == group && each != except && !each.isZombie() && isHeld(each)) {
        return false;
      }
    }
    return true;
  }

  private boolean isHeld(Task task) {
    Task parent = task.parent();
    return parent == null
        ? task == kernel.first() && kernel.host().hasJobControl()
        : parent.group() != task.group() && parent.session() == task.session();
  }

  /**
   * A task ends or loses its parent: if that leaves its group to itself, stopped members are told
   * and go on.
   *
   * @param father the parent that has ended; null if the task itself has
   */
  void left(Task task, Task father) {
    Task parent = father == null ? task.parent() : father;
    int group = task.group();
    if (parent != null
        && parent.group() != group
        && parent.session() == task.session()
        && isOrphaned(group, father == null ? task : null)
        && kernel.tasks().stream().anyMatch(t -> t.group() == group && t.stoppedBy() != 0)) {
      String reason = "group %d is orphaned".formatted(group);
      kernel.sendGroup(group, SignalInfo.fromKernel(Signal.SIGHUP, reason));
      kernel.sendGroup(group, SignalInfo.fromKernel(Signal.SIGCONT, reason));
    }
  }
}
