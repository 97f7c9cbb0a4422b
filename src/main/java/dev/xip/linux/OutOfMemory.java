package dev.xip.linux;

import dev.xip.base.Pages;
import dev.xip.phys.FrameAllocator;
import java.util.ArrayList;
import java.util.List;

/**
 * Kills the task that uses most when RAM is used up, so that the others go on. Linux counterpart:
 * mm/oom_kill.c.
 */
final class OutOfMemory {
  /** A page fault goes on if there are as many free pages: it needs a page and its tables. */
  static final long FOR_FAULT = 8;

  /** The same for a program that is loaded. */
  static final long FOR_PROGRAM = 64;

  private static final long PATIENCE_NANOS = 2_000_000_000;

  private record Candidate(Task task, long pages) {}

  private final Kernel kernel;

  /** Guarded by the kernel's monitor, as are the victims. */
  private final List<String> killed = new ArrayList<>();

  /** The tasks that were killed and have given nothing back yet. */
  private final List<Task> victims = new ArrayList<>();

  OutOfMemory(Kernel kernel) {
    this.kernel = kernel;
  }

  /** Those that were killed, in words. Precondition: the kernel's monitor is held. */
  List<String> killed() {
    return List.copyOf(killed);
  }

  /**
   * Waits until RAM is free, and kills a task for it unless one is dying already. Precondition: the
   * caller holds no lock but of a file that it reads or writes.
   *
   * @param task the task that needs memory
   * @param pages how many pages it needs
   * @return whether it may try again; false if it is to end itself, or no memory was freed in time
   */
  boolean relieve(Task task, long pages) {
    FrameAllocator allocator = kernel.manager().memory().allocator();
    if (allocator.available() >= pages) {
      return true;
    }
    Candidate largest = largest();
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    synchronized (kernel) {
      victims.removeIf(Task::hasEnded);
      if (victims.isEmpty() && largest != null && !largest.task.hasEnded()) {
        kill(largest);
      }
      while (allocator.available() < pages && !victims.isEmpty()) {
        long left = deadline - System.nanoTime();
        if (victims.contains(task) || task.signals().isKilled() || left <= 0) {
          return false;
        }
        kernel.waitForChange(left);
        victims.removeIf(Task::hasEnded);
      }
      return largest != null;
    }
  }

  /** The task that uses most; counted without the monitor, since that takes the lock of a space. */
  private Candidate largest() {
    List<Task> tasks;
    synchronized (kernel) {
      tasks = kernel.tasks();
    }
    Candidate largest = null;
    for (Task each : tasks) {
      long pages = each.pages();
      if (largest == null || pages > largest.pages) {
        largest = new Candidate(each, pages);
      }
    }
    return largest;
  }

  /** Kills a task and those that use its memory. */
  private void kill(Candidate largest) {
    String who =
        "process %d (%s) with %d KiB: memory is used up"
            .formatted(largest.task.pid(), largest.task.name(), largest.pages * (Pages.SIZE >> 10));
    killed.add(who);
    for (Task each : kernel.tasks()) {
      if (each.process() == largest.task.process() && !each.hasEnded()) {
        victims.add(each);
        kernel.send(each, SignalInfo.fromKernel(Signal.SIGKILL, who));
      }
    }
  }
}
