package dev.xip.linux;

import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.cpu.Processors;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.vfs.Directory;
import dev.xip.vfs.Vfs;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The tasks that run out of one image, and what they have in common. Each has a thread and a
 * virtual processor.
 *
 * <p>The monitor of this object guards all that one task can change of another: the tree of tasks,
 * signals, descriptors, pipes. A task waits on it, and a change notifies all. Page faults and
 * copies of a program's memory happen without it.
 */
final class Kernel {
  /** The most tasks at once; fork then gives EAGAIN. */
  static final int MOST_TASKS = 128;

  /** The parent of the first task, and of those whose parent has ended. */
  static final int NO_PARENT = 1;

  private static final int FIRST = 2;
  static final int LAST = 32767;

  /** The task of a thread. */
  private static final ThreadLocal<Task> CURRENT = new ThreadLocal<>();

  private final MemoryManager manager;
  private final Processors processors;
  private final Vfs files;
  private final Program program;

  /** Null if no account is wanted. */
  private final Audit audit;

  private final Map<Integer, Task> tasks = new TreeMap<>();
  private final Map<Integer, Integer> missing = new TreeMap<>();
  private final FileLocks wholeLocks = new FileLocks();
  private final FileLocks rangeLocks = new FileLocks();
  private final Futexes futexes = new Futexes();
  private final AtomicInteger pipes = new AtomicInteger();
  private final OutOfMemory memory = new OutOfMemory(this);

  /** Makes timers go off; null if there was none yet. */
  private ScheduledThreadPoolExecutor alarms;

  private final JobControl jobs = new JobControl(this);

  /** Set before the first task starts. */
  private HostLink host;

  private Task first;
  private List<Terminal> terminals = List.of();
  private int lastNumber = FIRST - 1;
  private long lastInode;
  private int running;
  private long started;
  private final Tally tally = new Tally();

  /** Why the run cannot go on, or null. */
  private Throwable failure;

  Kernel(MemoryManager manager, Processors processors, Vfs files, Program program) {
    this.manager = manager;
    this.processors = processors;
    this.files = files;
    this.program = program;
    this.audit = program.accounted() ? new Audit(manager, program.maps()) : null;
  }

  MemoryManager manager() {
    return manager;
  }

  /** The locks of flock(2). */
  FileLocks wholeLocks() {
    return wholeLocks;
  }

  /** The locks of fcntl(2). */
  FileLocks rangeLocks() {
    return rangeLocks;
  }

  Vfs files() {
    return files;
  }

  /** The first address past those of user mode. Linux counterpart: {@code TASK_SIZE_MAX}. */
  long addressLimit() {
    return manager.addressLimit() - Pages.SIZE;
  }

  /** The tasks that wait at words of memory. Precondition: the monitor is held. */
  Futexes futexes() {
    return futexes;
  }

  /** How many pipes have an open end. */
  AtomicInteger pipes() {
    return pipes;
  }

  /** What ends tasks when RAM is used up. */
  OutOfMemory memory() {
    return memory;
  }

  /** What makes timers go off. Precondition: the monitor is held. */
  ScheduledThreadPoolExecutor alarms() {
    if (alarms == null) {
      alarms =
          new ScheduledThreadPoolExecutor(1, Thread.ofPlatform().daemon().name("alarms").factory());
      alarms.setRemoveOnCancelPolicy(true);
    }
    return alarms;
  }

  JobControl jobs() {
    return jobs;
  }

  HostLink host() {
    return host;
  }

  /** The task that the run is about. */
  Task first() {
    return first;
  }

  /** The controlling terminal of a task; null if there is none. */
  Terminal terminalOf(Task task) {
    return terminals.stream().filter(t -> t.controls(task)).findFirst().orElse(null);
  }

  /** The group that keys concern. Precondition: the monitor is held. */
  int foreground() {
    int group = terminals.isEmpty() ? 0 : terminals.getFirst().foreground();
    return group == 0 ? first.group() : group;
  }

  /** The task whose thread calls; null if it is that of none. */
  static Task current() {
    return CURRENT.get();
  }

  /** How many tasks there were. */
  synchronized long started() {
    return started;
  }

  /** Whether lines are wanted for {@link #trace}. */
  boolean isTraced() {
    return program.trace() != null;
  }

  void trace(Task task, String line) {
    if (program.trace() != null) {
      program.trace().accept("%5d %s".formatted(task.pid(), line));
    }
  }

  /**
   * Runs the program and all that it starts. Tasks that are left when it ends are killed.
   *
   * @throws CannotExecuteException if it cannot be started
   * @throws IOException if the system refuses
   */
  ProgramResult run() throws IOException {
    Devices.makeIn(files);
    ProcTree.mountIn(this);
    Directory directory = workingDirectory();
    try (HostLink link = new HostLink(this, program.streams().signals())) {
      host = link;
      return run(newFirst(load(directory), directory));
    }
  }

  private ProgramResult run(Task task) {
    long begin = System.nanoTime();
    synchronized (this) {
      start(task);
      host.start();
      boolean timedOut = waitForEnd(begin);
      if (alarms != null) {
        alarms.shutdownNow();
      }
      if (failure != null) {
        throw new IllegalStateException("a task has failed: " + failure.getMessage(), failure);
      }
      int wait = task.waitStatus();
      int status = (wait & 0x7f) == 0 ? wait >> 8 : 128 + (wait & 0x7f);
      return new ProgramResult(
          status,
          task.reason(),
          timedOut,
          started,
          tally.systemCalls(),
          tally.faultsAnswered(),
          Map.copyOf(missing),
          memory.killed(),
          audit == null ? null : audit.end(tally, System.nanoTime() - begin));
    }
  }

  private Directory workingDirectory() throws IOException {
    return files.directory(files.root(), FileName.of(program.directory()));
  }

  private LoadedProgram load(Directory directory) throws CannotExecuteException {
    try {
      return new ProgramLoader(this, directory)
          .load(program.path(), program.arguments(), program.environment());
    } catch (IOException e) {
      throw new CannotExecuteException(program.path(), e);
    }
  }

  private Task newFirst(LoadedProgram loaded, Directory directory) throws IOException {
    VirtualProcessor processor = null;
    boolean whole = false;
    try {
      processor = processors.take();
      Descriptors descriptors = new Descriptors(this);
      Task task;
      synchronized (this) {
        terminals = program.streams().open(this, descriptors);
        task =
            new Task(this, processor, nextNumber(), descriptors, new Signals(), new Attributes());
        first = task;
        if (!terminals.isEmpty()) {
          terminals.getFirst().control(task);
        }
      }
      task.setDirectory(directory);
      task.start(loaded);
      whole = true;
      return task;
    } finally {
      if (!whole) {
        if (processor != null) {
          processor.close();
        }
        loaded.process().close();
      }
    }
  }

  /** Returns whether the time limit has ended it. */
  private boolean waitForEnd(long begin) {
    boolean timedOut = false;
    while (running > 0) {
      long left = program.limit() == null ? Long.MAX_VALUE : leftOf(program.limit(), begin);
      if (left <= 0 && !first.isZombie()) {
        timedOut = true;
      }
      if (failure != null || first.isZombie() || timedOut) {
        killAll(timedOut ? "the time is up" : "the first program has ended");
        left = Long.MAX_VALUE;
      }
      try {
        wait(left == Long.MAX_VALUE ? 0 : left);
      } catch (InterruptedException e) {
        sendGroup(first.group(), SignalInfo.fromKernel(Signal.SIGINT, "interrupted"));
      }
    }
    return timedOut;
  }

  /** The milliseconds of a limit that are left, rounded up. */
  private static long leftOf(Duration limit, long begin) {
    return limit.minusNanos(System.nanoTime() - begin).plusNanos(999_999).toMillis();
  }

  /** Ends all tasks. Precondition: the monitor is held. */
  void killAll(String reason) {
    for (Task task : tasks()) {
      send(task, SignalInfo.fromKernel(Signal.SIGKILL, reason));
    }
  }

  /** Counts frames for the account, if one is wanted. */
  void sample() {
    if (audit != null) {
      audit.sample();
    }
  }

  /** Looks at the memory of a task before it is given back, if an account is wanted. */
  void look(Task task, AddressSpace space) {
    if (audit != null) {
      boolean alone = isAlone() && task.isEnding();
      audit.look(space, "%d %s".formatted(task.pid(), task.path()), alone);
    }
  }

  private synchronized boolean isAlone() {
    return running == 1;
  }

  /** A processor for a new task; null if there are too many. */
  VirtualProcessor takeProcessor() throws IOException {
    synchronized (this) {
      if (tasks.size() >= MOST_TASKS) {
        return null;
      }
    }
    return processors.take();
  }

  /** An inode number for a pipe or socket. */
  synchronized long nextInode() {
    return ++lastInode;
  }

  synchronized int nextNumber() {
    do {
      lastNumber = lastNumber == LAST ? FIRST : lastNumber + 1;
    } while (tasks.containsKey(lastNumber) || isGroup(lastNumber));
    return lastNumber;
  }

  private boolean isGroup(int number) {
    return tasks.values().stream().anyMatch(t -> t.group() == number || t.session() == number);
  }

  /** Lets a new task run on a thread of its own. */
  synchronized void start(Task task) {
    tasks.put(task.pid(), task);
    running++;
    started++;
    notifyAll();
    Thread.ofPlatform().name("task " + task.pid()).start(() -> runToEnd(task));
  }

  private void runToEnd(Task task) {
    Throwable why = null;
    CURRENT.set(task);
    try {
      task.run();
    } catch (IOException | RuntimeException | Error e) {
      why = e;
      task.end(Signal.SIGKILL, e.toString());
    }
    int wait = task.waitStatus();
    trace(
        task,
        (wait & 0x7f) == 0
            ? "+++ exit status %d +++".formatted(wait >> 8)
            : "+++ killed: %s +++".formatted(task.reason()));
    try {
      task.free();
    } catch (IOException | RuntimeException | Error e) {
      why = why == null ? e : why;
    }
    synchronized (this) {
      failure = failure == null ? why : failure;
      running--;
      tally.add(task.tally());
      task.missing().forEach((number, times) -> missing.merge(number, times, Integer::sum));
      leaveTree(task);
      notifyAll();
    }
  }

  /** Linux counterpart: {@code exit_notify} (kernel/exit.c). */
  private void leaveTree(Task task) {
    task.becomeZombie();
    for (Task child : List.copyOf(task.children())) {
      child.setParent(null);
      int death = child.attributes().deathSignal;
      if (death != 0) {
        send(child, SignalInfo.fromProcess(death, task.pid()));
      }
      jobs.left(child, task);
      if (child.isZombie()) {
        forget(child);
      }
    }
    jobs.left(task, null);
    Terminal terminal = terminalOf(task);
    if (terminal != null && task.session() == task.pid()) {
      terminal.giveUp();
    }
    Task parent = task.parent();
    if (parent == null) {
      forget(task);
      return;
    }
    Signals.Action action = parent.signals().action(Signal.SIGCHLD);
    if (task.exitSignal() != 0) {
      SignalInfo info = SignalInfo.ofChild(task.pid(), task.waitStatus());
      send(parent, info.number(task.exitSignal()));
    }
    if (action.handler() == Signals.SIG_IGN || (action.flags() & Signals.SA_NOCLDWAIT) != 0) {
      forget(task);
    }
  }

  /** A task that has ended is waited for no longer. Precondition: the monitor is held. */
  void forget(Task task) {
    task.setParent(null);
    tasks.remove(task.pid());
  }

  /** The task with a number; null if there is none. Precondition: the monitor is held. */
  Task task(int pid) {
    return tasks.get(pid);
  }

  /** All tasks, by number. Precondition: the monitor is held. */
  List<Task> tasks() {
    return new ArrayList<>(tasks.values());
  }

  /** Waits until a child has stopped using its parent's memory, as vfork does. */
  synchronized void waitForMemory(Task child) {
    while (child.borrows()) {
      waitForChange();
    }
  }

  /** Waits until something changes, whatever the signals. Precondition: the monitor is held. */
  void waitForChange() {
    waitForChange(0);
  }

  /** The same, for some nanoseconds at most; 0 for no limit. */
  void waitForChange(long nanos) {
    try {
      wait(nanos / 1_000_000, (int) (nanos % 1_000_000));
    } catch (InterruptedException e) {
      throw new IllegalStateException("the thread of a task gets no interrupt of Java", e);
    }
  }

  /** Sends a signal to all tasks of a group. Precondition: the monitor is held. */
  void sendGroup(int group, SignalInfo info) {
    for (Task task : tasks()) {
      if (task.group() == group) {
        send(task, info);
      }
    }
  }

  /** Sends a signal; does nothing if the task has ended. */
  synchronized void send(Task task, SignalInfo info) {
    if (!task.hasEnded()) {
      jobs.prepare(task, info.number());
      task.signals().add(info);
      if (task.signals().isDeliverable()) {
        task.processor().interrupt();
      }
      // One that is blocked ends a wait for it.
      notifyAll();
    }
  }

  /**
   * Waits until something changes. Precondition: the monitor is held.
   *
   * @throws InterruptedCallException if a signal has to be acted upon
   */
  void await(Task task) throws InterruptedCallException {
    await(task, Long.MAX_VALUE);
  }

  /** The same, until a time of {@link System#nanoTime} at the latest. */
  void await(Task task, long deadline) throws InterruptedCallException {
    if (task.signals().isDeliverable()) {
      throw new InterruptedCallException();
    }
    long left = deadline == Long.MAX_VALUE ? 0 : deadline - System.nanoTime();
    if (left > 0 || deadline == Long.MAX_VALUE) {
      waitForChange(left);
    }
  }
}
