package dev.xip.linux;

import dev.xip.host.ThreadTimes;

/**
 * The processor time of a task, and what its children took that it has waited for. Linux
 * counterpart: {@code struct task_struct} and {@code signal_struct}, as far as {@code utime} and
 * {@code cutime} go.
 */
final class ProcessorTimes {
  /**
   * What a task took.
   *
   * @param user nanoseconds in user mode and in Java
   * @param system nanoseconds in the system mode of the host
   * @param pages the most pages of RAM that were seen in use
   * @param faults the page faults
   */
  record Usage(long user, long system, long pages, long faults) {
    static final Usage NONE = new Usage(0, 0, 0, 0);

    Usage plus(Usage other) {
      return new Usage(
          user + other.user,
          system + other.system,
          Math.max(pages, other.pages),
          faults + other.faults);
    }
  }

  private final Task task;

  /** The thread of the host, 0 before it runs. */
  private volatile int thread;

  /** What it took to its end; null while it runs. */
  private volatile Usage last;

  private long mostPages;
  private final long begun = System.nanoTime();

  /** Guarded by the kernel's monitor. */
  private Usage children = Usage.NONE;

  ProcessorTimes(Task task) {
    this.task = task;
  }

  /** The task begins to run on the calling thread. */
  void start() {
    thread = ThreadTimes.ownThread();
  }

  /** The task has ended on the calling thread. */
  void end() {
    last = usage();
  }

  /** Nanoseconds of processor time. */
  long total() {
    Usage known = last;
    return known != null ? known.user + known.system : thread == 0 ? 0 : ThreadTimes.of(thread);
  }

  /** What the task took so far; user and system are told apart on its own thread alone. */
  Usage usage() {
    Usage known = last;
    if (known != null) {
      return known;
    }
    long total = total();
    long system = ThreadTimes.ownThread() == thread ? Math.min(ThreadTimes.ownSystem(), total) : 0;
    mostPages = Math.max(mostPages, task.pages());
    return new Usage(total - system, system, mostPages, task.tally().faultsAnswered());
  }

  /** What its children took. Precondition: the kernel's monitor is held. */
  Usage children() {
    return children;
  }

  /** The same, for a caller without the monitor. */
  Usage childrenSeen() {
    synchronized (task.kernel()) {
      return children;
    }
  }

  /** When the task was made, in nanoseconds since the boot of the host. */
  long begun() {
    return begun;
  }

  /** A child was waited for. Precondition: the kernel's monitor is held. */
  void add(ProcessorTimes child) {
    children = children.plus(child.usage()).plus(child.children);
  }
}
