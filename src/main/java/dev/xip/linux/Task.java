package dev.xip.linux;

import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.HostException;
import dev.xip.host.Register;
import dev.xip.process.ModelledProcess;
import dev.xip.vfs.Directory;
import dev.xip.vm.AddressSpace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A process of one thread: memory, a virtual processor, descriptors, signals, and its place in the
 * tree. Its own thread calls it, except where the kernel's monitor guards. Linux counterpart:
 * {@code struct task_struct}.
 */
final class Task {
  /** What wait4 tells of a task that goes on. */
  static final int CONTINUED = 0xffff;

  /** The low byte of what wait4 tells of a task that has stopped; the signal is the next. */
  static final int STOPPED = 0x7f;

  private final Kernel kernel;
  private final VirtualProcessor processor;
  private final long flushesBefore;
  private final long tableStoresBefore;
  private final int pid;
  private final Descriptors descriptors;
  private final Signals signals;
  private final SystemCalls calls;
  private final UserMode userMode;
  private final SignalDelivery delivery;
  private final Attributes attributes;
  private final ProcessorTimes times = new ProcessorTimes(this);
  private final Timers timers;
  private volatile ModelledProcess process;
  private UserMemory memory;
  private Heap heap;
  private String path;

  private Directory directory;

  /** The rights that new files lack, umask(2). */
  private int creationMask = 022;

  private String name;
  private final Tally tally = new Tally();

  /** The parent whose memory this uses and which waits for that to end, or null. */
  private Task lender;

  /**
   * The tree, its groups and sessions: guarded by the kernel's monitor, as are {@link #ended} and
   * {@link #zombie}.
   */
  private Task parent;

  private final List<Task> children = new ArrayList<>();
  private int group;
  private int session;
  private int exitSignal = Signal.SIGCHLD;
  private boolean ended;
  private boolean zombie;

  /** The signal that has stopped it, 0 if it is not. Guarded by the kernel's monitor. */
  private int stoppedBy;

  /** The last stop or its end, if wait4 has not told it; else 0. Guarded likewise. */
  private int change;

  /** Whether it uses the memory of its parent. Guarded by the kernel's monitor. */
  private boolean borrows;

  /** How it has ended, as wait4 tells it; null while it runs. */
  private Integer waitStatus;

  private String reason;

  Task(
      Kernel kernel,
      VirtualProcessor processor,
      int pid,
      Descriptors descriptors,
      Signals signals,
      Attributes attributes) {
    this.kernel = kernel;
    this.processor = processor;
    this.flushesBefore = processor.flushes();
    this.tableStoresBefore = processor.tableStores();
    this.pid = pid;
    this.group = pid;
    this.session = pid;
    this.descriptors = descriptors;
    this.signals = signals;
    this.attributes = attributes;
    this.timers = new Timers(this);
    this.calls = new SystemCalls(this);
    this.userMode = new UserMode(this, calls);
    this.delivery = new SignalDelivery(this);
    this.directory = kernel.files().root();
  }

  Kernel kernel() {
    return kernel;
  }

  VirtualProcessor processor() {
    return processor;
  }

  /** The task with a number, this one for 0; null for none. Precondition: the monitor is held. */
  Task numbered(int number) {
    return number == 0 ? this : kernel.task(number);
  }

  int pid() {
    return pid;
  }

  Descriptors descriptors() {
    return descriptors;
  }

  Signals signals() {
    return signals;
  }

  Attributes attributes() {
    return attributes;
  }

  ProcessorTimes times() {
    return times;
  }

  Timers timers() {
    return timers;
  }

  /** The pages of RAM that its memory takes, shared ones and tables included. For any thread. */
  long pages() {
    ModelledProcess now = process;
    if (now == null) {
      return 0;
    }
    AddressSpace space = now.space();
    return space.anonymousFrames() + space.fileFrames() + space.tablePages();
  }

  /** Whether RLIMIT_AS allows so many bytes more to be mapped. */
  boolean mayMap(long bytes) {
    long limit = attributes.limits.soft(Limits.AS);
    if (limit < 0 || bytes <= 0) {
      return true;
    }
    long mapped = process.space().vmas().stream().mapToLong(vma -> vma.range().length()).sum();
    return bytes <= limit && mapped <= limit - bytes;
  }

  /** Obeys limits that have changed. Precondition: the kernel's monitor is held. */
  void obeyLimits() {
    Limits limits = attributes.limits;
    long files = limits.soft(Limits.NOFILE);
    descriptors.setLimit(files < 0 ? Descriptors.LIMIT : (int) files);
    long stack = limits.soft(Limits.STACK);
    process.space().limitStack(stack < 0 ? Long.MAX_VALUE : stack);
    timers.obey(limits);
  }

  SignalDelivery delivery() {
    return delivery;
  }

  UserMemory memory() {
    return memory;
  }

  ModelledProcess process() {
    return process;
  }

  Heap heap() {
    return heap;
  }

  /** The path of the program. */
  String path() {
    return path;
  }

  /** The working directory. */
  Directory directory() {
    return directory;
  }

  void setDirectory(Directory working) {
    directory = working;
  }

  int creationMask() {
    return creationMask;
  }

  void setCreationMask(int mask) {
    creationMask = mask;
  }

  /** What the program is called, as PR_SET_NAME has set it last. */
  String name() {
    return name;
  }

  void setName(String name) {
    this.name = name;
  }

  Tally tally() {
    return tally;
  }

  Map<Integer, Integer> missing() {
    return calls.missing();
  }

  Task parent() {
    return parent;
  }

  /** Precondition: the kernel's monitor is held. */
  void setParent(Task next) {
    if (parent != null) {
      parent.children.remove(this);
    }
    parent = next;
    if (next != null) {
      next.children.add(this);
    }
  }

  List<Task> children() {
    return children;
  }

  int group() {
    return group;
  }

  void setGroup(int group) {
    this.group = group;
  }

  int session() {
    return session;
  }

  void setSession(int session) {
    this.session = session;
  }

  int exitSignal() {
    return exitSignal;
  }

  void setExitSignal(int signal) {
    exitSignal = signal;
  }

  /** Whether no signal reaches it any more. */
  boolean hasEnded() {
    return ended;
  }

  /** Whether it has only its number, for the parent to wait for. */
  boolean isZombie() {
    return zombie;
  }

  void becomeZombie() {
    zombie = true;
  }

  int stoppedBy() {
    return stoppedBy;
  }

  void stop(int signal) {
    stoppedBy = signal;
    change = signal << 8 | STOPPED;
  }

  void resume() {
    stoppedBy = 0;
    change = CONTINUED;
  }

  /** How it was last stopped or continued, as wait4 tells it; 0 if that was told. */
  int change() {
    return change;
  }

  void forgetChange() {
    change = 0;
  }

  boolean borrows() {
    return borrows;
  }

  int waitStatus() {
    return waitStatus;
  }

  /** Why a signal has ended it, in words; null if none did. */
  String reason() {
    return reason;
  }

  /** The last exception that has become a signal. */
  ProcessorException exception() {
    return userMode.exception();
  }

  /** Ends it as soon as the call or the fault is over. */
  void end(int status, String why) {
    waitStatus = status;
    reason = why;
  }

  boolean isEnding() {
    return waitStatus != null;
  }

  /** Makes a program that was loaded the one that runs, and gives the memory before back. */
  void start(LoadedProgram program) throws IOException {
    ModelledProcess before = process;
    processor.use(program.process().space());
    processor.clear();
    processor.set(Register.RIP, program.entry());
    processor.set(Register.RSP, program.stack());
    process = program.process();
    useMemory();
    synchronized (kernel) {
      obeyLimits();
    }
    heap = new Heap(process.space(), program.heapStart(), program.heapStart());
    path = program.canonical();
    name = program.name();
    giveBack(before);
  }

  private void useMemory() {
    memory =
        new UserMemory(process.space(), () -> kernel.memory().relieve(this, OutOfMemory.FOR_FAULT));
  }

  /** A child as fork makes it, with a copy of all, or for vfork with this memory. */
  Task fork(VirtualProcessor other, boolean shared) throws IOException {
    int number = kernel.nextNumber();
    ModelledProcess copy = shared ? process : process.fork("%s %d".formatted(name, number));
    boolean whole = false;
    try {
      other.use(copy.space());
      other.copyState(processor);
      Task child;
      synchronized (kernel) {
        child =
            new Task(
                kernel, other, number, descriptors.forked(), signals.forked(), attributes.forked());
        child.setParent(this);
        child.group = group;
        child.session = session;
        child.borrows = shared;
        child.process = copy;
        child.obeyLimits();
      }
      child.lender = shared ? this : null;
      child.useMemory();
      child.heap = shared ? heap : heap.forked(copy.space());
      child.path = path;
      child.directory = directory;
      child.creationMask = creationMask;
      child.name = name;
      whole = true;
      return child;
    } finally {
      if (!whole && !shared) {
        other.leave();
        copy.close();
      }
    }
  }

  /** Gives memory back that no processor of this task uses any more. */
  private void giveBack(ModelledProcess before) {
    if (lender != null) {
      lender = null;
      synchronized (kernel) {
        borrows = false;
        kernel.notifyAll();
      }
    } else if (before != null) {
      kernel.look(this, before.space());
      before.close();
    }
  }

  /** Runs until it ends. */
  void run() throws IOException {
    times.start();
    try {
      userMode.run();
    } finally {
      times.end();
    }
  }

  /** Gives everything back but the number. */
  void free() throws HostException {
    synchronized (kernel) {
      descriptors.closeAll();
      timers.end();
    }
    processor.leave();
    tally.paid(processor.flushes() - flushesBefore, processor.tableStores() - tableStoresBefore);
    giveBack(process);
    synchronized (kernel) {
      // From here on no signal interrupts the processor, which another task may take.
      ended = true;
    }
    processor.close();
  }
}
