package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.host.Register;
import dev.xip.process.ExecException;
import dev.xip.vm.MapException;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * System calls that make tasks, replace their program, end them and wait for them. Linux
 * counterpart: kernel/fork.c, kernel/exit.c, fs/exec.c.
 */
final class ProcessCalls {
  private static final int EXIT_SIGNAL = 0xff;
  private static final int CLONE_VM = 0x100;
  private static final int CLONE_VFORK = 0x4000;
  private static final int CLONE_PARENT_SETTID = 0x10_0000;
  private static final int CLONE_CHILD_CLEARTID = 0x20_0000;
  private static final int CLONE_CHILD_SETTID = 0x100_0000;
  private static final long CLONE_CLEAR_SIGHAND = 1L << 32;
  private static final long CLONE_KNOWN =
      EXIT_SIGNAL
          | CLONE_VM
          | CLONE_VFORK
          | CLONE_PARENT_SETTID
          | CLONE_CHILD_CLEARTID
          | CLONE_CHILD_SETTID
          | CLONE_CLEAR_SIGHAND;

  /** What vfork is to clone. */
  static final int VFORK = CLONE_VM | CLONE_VFORK;

  private static final int CLONE_ARGS_BYTES = 64;

  /** The bytes of struct clone_args whose meaning the kernel of 2022 knows. */
  private static final int CLONE_ARGS_KNOWN = 88;

  private static final int WNOHANG = 1;
  private static final int WEXITED = 4;
  private static final int WNOWAIT = 0x100_0000;
  private static final int WAITID_EVENTS = 0xe;
  private static final int WAITID_OPTIONS = 0xe100_000f;
  private static final int P_ALL = 0;
  private static final int P_PID = 1;
  private static final int P_PGID = 2;

  /** What waitid fills of struct siginfo. */
  private static final int WAITID_INFO = 28;

  private static final int WUNTRACED = 2;
  private static final int WCONTINUED = 8;
  private static final int WAIT_OPTIONS = 0xe000_000b;
  private static final int LONGEST_STRING = 32 * 4096;
  private static final int MOST_BYTES = 2 << 20;

  private final Task task;

  private final TimeCalls times;

  ProcessCalls(Task task, TimeCalls times) {
    this.task = task;
    this.times = times;
  }

  /**
   * clone(2) without threads, fork(2) and vfork(2).
   *
   * @param stack the child's stack pointer, 0 for that of the parent
   */
  long clone(long flags, long stack, long parentNumber, long childNumber) throws IOException {
    boolean shared = (flags & CLONE_VM) != 0;
    if ((flags & ~CLONE_KNOWN) != 0 || shared != ((flags & CLONE_VFORK) != 0)) {
      return -Errno.ENOSYS.number();
    }
    VirtualProcessor processor = task.kernel().takeProcessor();
    if (processor == null) {
      return -Errno.EAGAIN.number();
    }
    Task child;
    try {
      child = task.fork(processor, shared);
    } catch (MapException e) {
      processor.close();
      return -Errno.ENOMEM.number();
    }
    int number = child.pid();
    int signal = (int) flags & EXIT_SIGNAL;
    child.setExitSignal(signal > Signal.LAST ? 0 : signal);
    if ((flags & CLONE_CLEAR_SIGHAND) != 0) {
      child.signals().exec();
    }
    processor.set(Register.RAX, 0);
    if (stack != 0) {
      processor.set(Register.RSP, stack);
    }
    if ((flags & CLONE_CHILD_SETTID) != 0) {
      put(child, childNumber, number);
    }
    if ((flags & CLONE_PARENT_SETTID) != 0) {
      put(task, parentNumber, number);
    }
    task.kernel().start(child);
    if (shared) {
      task.kernel().waitForMemory(child);
    }
    return number;
  }

  /** clone3(2). */
  long clone(long arguments, long bytes) throws IOException {
    if (bytes < CLONE_ARGS_BYTES || bytes > Pages.SIZE) {
      return -(bytes < CLONE_ARGS_BYTES ? Errno.EINVAL : Errno.E2BIG).number();
    }
    ByteBuffer given =
        ByteBuffer.wrap(task.memory().read(arguments, (int) bytes)).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = CLONE_ARGS_KNOWN; i < bytes; i++) {
      if (given.get(i) != 0) {
        return -Errno.E2BIG.number();
      }
    }
    long flags = given.getLong(0);
    long signal = given.getLong(32);
    long stack = given.getLong(40);
    long stackBytes = given.getLong(48);
    if ((flags & EXIT_SIGNAL) != 0
        || (signal & ~EXIT_SIGNAL) != 0
        || signal > Signal.LAST
        || stack == 0 != (stackBytes == 0)) {
      return -Errno.EINVAL.number();
    }
    return clone(flags | signal, stack + stackBytes, given.getLong(24), given.getLong(16));
  }

  /** An address that cannot be stored to is passed over, as in the kernel. */
  private static void put(Task task, long va, int number) {
    try {
      task.memory().putInt(va, number);
    } catch (MemoryFaultException ignored) {
      // The caller of clone learns the number all the same.
    }
  }

  /** execve(2). */
  long exec(long path, long arguments, long environment) throws IOException {
    String program = task.memory().path(path);
    List<String> words = strings(arguments);
    List<String> variables = strings(environment);
    LoadedProgram loaded;
    try {
      loaded = load(program, words, variables);
    } catch (ExecException e) {
      if (e.isKilled()) {
        task.end(Signal.SIGKILL, e.getMessage());
      }
      return -e.errno().number();
    }
    task.start(loaded);
    synchronized (task.kernel()) {
      task.descriptors().exec();
      task.signals().exec();
      task.timers().exec();
      task.attributes().exec();
    }
    return 0;
  }

  /** Loads a program, and again when RAM was used up and is free. */
  private LoadedProgram load(String program, List<String> words, List<String> variables)
      throws IOException {
    OutOfMemory memory = task.kernel().memory();
    while (true) {
      try {
        return new ProgramLoader(task.kernel(), task.directory()).load(program, words, variables);
      } catch (ExecException e) {
        long free = task.kernel().manager().memory().allocator().available();
        if (free >= OutOfMemory.FOR_PROGRAM || !memory.relieve(task, OutOfMemory.FOR_PROGRAM)) {
          throw e;
        }
      }
    }
  }

  /** The strings that a null ends. */
  private List<String> strings(long vector) throws IOException {
    List<String> strings = new ArrayList<>();
    long bytes = 0;
    UserMemory memory = task.memory();
    for (long at = vector; vector != 0; at += Long.BYTES) {
      long string = memory.getLong(at);
      if (string == 0) {
        break;
      }
      strings.add(memory.string(string, LONGEST_STRING));
      bytes += strings.getLast().length() + Long.BYTES;
      if (bytes > MOST_BYTES) {
        throw new MapException(
            Errno.E2BIG, "execve", "at most %d bytes of strings".formatted(MOST_BYTES), "more");
      }
    }
    return strings;
  }

  /** exit(2) and exit_group(2). */
  long exit(int status) {
    task.end((status & 0xff) << 8, null);
    return 0;
  }

  /** wait4(2). */
  long waitFor(int pid, long status, int options, long usage) throws IOException {
    if ((options & ~WAIT_OPTIONS) != 0) {
      return -Errno.EINVAL.number();
    }
    int number;
    int wait;
    ProcessorTimes.Usage used;
    synchronized (task.kernel()) {
      Task child = find(pid, options | WEXITED);
      if (child == null) {
        return hasChild(pid) ? 0 : -Errno.ECHILD.number();
      }
      number = child.pid();
      used = child.times().usage().plus(child.times().children());
      wait = child.isZombie() ? child.waitStatus() : child.change();
      take(child);
    }
    if (status != 0) {
      task.memory().putInt(status, wait);
    }
    if (usage != 0) {
      times.put(usage, used);
    }
    return number;
  }

  /** waitid(2), but for descriptors of processes. */
  long waitId(int kind, int id, long info, int options, long usage) throws IOException {
    boolean valid = kind == P_ALL || kind == P_PID && id > 0 || kind == P_PGID && id >= 0;
    if (!valid || (options & ~WAITID_OPTIONS) != 0 || (options & WAITID_EVENTS) == 0) {
      return -Errno.EINVAL.number();
    }
    int pid = kind == P_ALL ? -1 : kind == P_PID ? id : -id;
    SignalInfo found = null;
    ProcessorTimes.Usage used = ProcessorTimes.Usage.NONE;
    synchronized (task.kernel()) {
      Task child = find(pid, options);
      if (child == null && !hasChild(pid)) {
        return -Errno.ECHILD.number();
      }
      if (child != null) {
        found =
            SignalInfo.ofChild(child.pid(), child.isZombie() ? child.waitStatus() : child.change());
        used = child.times().usage().plus(child.times().children());
        if ((options & WNOWAIT) == 0) {
          take(child);
        }
      }
    }
    if (info != 0) {
      ByteBuffer struct = ByteBuffer.allocate(SignalInfo.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      if (found != null) {
        found.put(struct, 0);
      }
      task.memory().write(info, struct.array(), WAITID_INFO);
    }
    if (usage != 0 && found != null) {
      times.put(usage, used);
    }
    return 0;
  }

  /** What a child has to tell is told. */
  private void take(Task child) {
    if (child.isZombie()) {
      task.times().add(child.times());
      task.kernel().forget(child);
    } else {
      child.forgetChange();
    }
  }

  /**
   * A child that has ended, stopped or gone on; null if there is none and none is to be waited for.
   */
  private Task find(int pid, int options) throws InterruptedCallException {
    while (true) {
      for (Task child : task.children()) {
        if (matches(child, pid) && isToTell(child, options)) {
          return child;
        }
      }
      if (!hasChild(pid) || (options & WNOHANG) != 0) {
        return null;
      }
      task.kernel().await(task);
    }
  }

  private static boolean isToTell(Task child, int options) {
    int change = child.change();
    if (child.isZombie()) {
      return (options & WEXITED) != 0;
    }
    return change != 0 && (options & (change == Task.CONTINUED ? WCONTINUED : WUNTRACED)) != 0;
  }

  private boolean hasChild(int pid) {
    return task.children().stream().anyMatch(child -> matches(child, pid));
  }

  private boolean matches(Task child, int pid) {
    return pid == -1
        || (pid > 0 ? child.pid() == pid : child.group() == (pid == 0 ? task.group() : -pid));
  }

  /** getppid(2). */
  long parent() {
    synchronized (task.kernel()) {
      return task.parent() == null ? Kernel.NO_PARENT : task.parent().pid();
    }
  }

  /** getpgid(2). */
  long group(int pid) {
    synchronized (task.kernel()) {
      Task of = task.numbered(pid);
      return of == null ? -Errno.ESRCH.number() : of.group();
    }
  }

  /** getsid(2). */
  long session(int pid) {
    synchronized (task.kernel()) {
      Task of = task.numbered(pid);
      return of == null ? -Errno.ESRCH.number() : of.session();
    }
  }

  /** setpgid(2), for the caller and its children. */
  long setGroup(int pid, int group) {
    synchronized (task.kernel()) {
      Task of = task.numbered(pid);
      if (group < 0) {
        return -Errno.EINVAL.number();
      }
      if (of == null || of != task && of.parent() != task) {
        return -Errno.ESRCH.number();
      }
      int wanted = group == 0 ? of.pid() : group;
      if (of != task && of.session() == task.session() && of.attributes().hasExeced) {
        return -Errno.EACCES.number();
      }
      if (of.session() == of.pid()
          || of.session() != task.session()
          || wanted != of.pid() && !hasGroup(wanted)) {
        return -Errno.EPERM.number();
      }
      of.setGroup(wanted);
      return 0;
    }
  }

  private boolean hasGroup(int group) {
    return task.kernel().tasks().stream()
        .anyMatch(t -> t.group() == group && t.session() == task.session());
  }

  /** setsid(2). */
  long startSession() {
    synchronized (task.kernel()) {
      if (task.kernel().tasks().stream().anyMatch(t -> t.group() == task.pid())) {
        return -Errno.EPERM.number();
      }
      task.setSession(task.pid());
      task.setGroup(task.pid());
      return task.pid();
    }
  }
}
