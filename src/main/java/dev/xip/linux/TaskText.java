package dev.xip.linux;

import dev.xip.base.Pages;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Vma;
import dev.xip.vm.VmaFlags;

/**
 * A task in numbers, as /proc/PID/stat and its kind tell them. Linux counterpart: fs/proc/array.c.
 */
final class TaskText {
  private static final long TICK = 10_000_000;
  private static final int LONGEST_NAME = 15;

  private final Kernel kernel;
  private final Task task;

  TaskText(Kernel kernel, Task task) {
    this.kernel = kernel;
    this.task = task;
  }

  /** The name as PR_GET_NAME gives it. */
  String name() {
    String name = task.name();
    return name.substring(0, Math.min(name.length(), LONGEST_NAME));
  }

  private String state() {
    synchronized (kernel) {
      return task.isZombie()
          ? "Z (zombie)"
          : task == Kernel.current() ? "R (running)" : "S (sleeping)";
    }
  }

  private AddressSpace space() {
    return task.process().space();
  }

  /** The pages of the mappings that have some of the flags; of all for 0. */
  private long mapped(long flags) {
    long bytes = 0;
    for (Vma each : space().vmas()) {
      bytes += each.has(flags) ? each.range().length() : 0;
    }
    return bytes >>> Pages.SHIFT;
  }

  private long resident() {
    return space().anonymousFrames() + space().fileFrames();
  }

  byte[] stat() {
    ProcessorTimes.Usage own = task.times().usage();
    ProcessorTimes.Usage children = task.times().childrenSeen();
    Attributes attributes = task.attributes();
    int parent;
    int group;
    int session;
    long pending;
    long blocked;
    synchronized (kernel) {
      parent = task.parent() == null ? Kernel.NO_PARENT : task.parent().pid();
      group = task.group();
      session = task.session();
      pending = task.signals().pending();
      blocked = task.signals().blocked();
    }
    String numbers =
        "%d (%s) %c %d %d %d 0 -1 0 %d %d 0 0 %d %d %d %d %d %d 1 0 %d %d %d %s"
            .formatted(
                task.pid(),
                name(),
                state().charAt(0),
                parent,
                group,
                session,
                own.faults(),
                children.faults(),
                own.user() / TICK,
                own.system() / TICK,
                children.user() / TICK,
                children.system() / TICK,
                20 + attributes.nice,
                attributes.nice,
                task.times().begun() / TICK,
                mapped(0) << Pages.SHIFT,
                resident(),
                Long.toUnsignedString(-1));
    return ProcFolder.bytes(
        numbers
            + " 0 0 0 0 0 %d %d 0 0 0 0 0 17 0 %d %d 0 0 0 0 0 0 0 0 0 0 0\n"
                .formatted(pending, blocked, attributes.priority, attributes.policy));
  }

  byte[] memory() {
    return ProcFolder.bytes(
        "%d %d %d %d 0 %d 0\n"
            .formatted(
                mapped(0),
                resident(),
                space().fileFrames(),
                mapped(VmaFlags.EXEC),
                mapped(VmaFlags.WRITE)));
  }

  byte[] status() {
    Attributes attributes = task.attributes();
    Credentials credentials = attributes.credentials;
    StringBuilder text = new StringBuilder();
    text.append("Name:\t%s\nUmask:\t%04o\n".formatted(name(), task.creationMask()));
    text.append("State:\t%s\nTgid:\t%d\nNgid:\t0\n".formatted(state(), task.pid()));
    text.append("Pid:\t%d\n".formatted(task.pid()));
    long ignored = 0;
    long caught = 0;
    long pending;
    long blocked;
    synchronized (kernel) {
      int parent = task.parent() == null ? Kernel.NO_PARENT : task.parent().pid();
      text.append("PPid:\t%d\nTracerPid:\t0\n".formatted(parent));
      for (int i = 1; i <= Signal.LAST; i++) {
        Signals.Action action = task.signals().action(i);
        ignored |= action.handler() == Signals.SIG_IGN ? Signal.bit(i) : 0;
        caught |= action.isHandled() ? Signal.bit(i) : 0;
      }
      pending = task.signals().pending();
      blocked = task.signals().blocked();
    }
    text.append("Uid:").append(numbers(credentials.users));
    text.append("Gid:").append(numbers(credentials.groups));
    text.append("FDSize:\t64\nGroups:");
    for (int each : credentials.more) {
      text.append(each == credentials.more[0] ? '\t' : ' ').append(Integer.toUnsignedString(each));
    }
    text.append('\n');
    line(text, "VmSize", mapped(0));
    line(text, "VmRSS", resident());
    line(text, "RssAnon", space().anonymousFrames());
    line(text, "RssFile", space().fileFrames());
    line(text, "VmData", mapped(VmaFlags.WRITE));
    line(text, "VmStk", mapped(VmaFlags.GROWSDOWN));
    line(text, "VmExe", mapped(VmaFlags.EXEC));
    line(text, "VmPTE", space().tablePages());
    text.append("Threads:\t1\nSigQ:\t0/%d\n".formatted(Signal.LAST));
    text.append("SigPnd:\t%016x\nShdPnd:\t%016x\n".formatted(pending, 0));
    text.append("SigBlk:\t%016x\nSigIgn:\t%016x\n".formatted(blocked, ignored));
    text.append("SigCgt:\t%016x\n".formatted(caught));
    text.append("CapInh:\t%016x\n".formatted(credentials.inheritable));
    text.append("CapPrm:\t%016x\n".formatted(credentials.permitted));
    text.append("CapEff:\t%016x\n".formatted(credentials.effective));
    text.append("CapBnd:\t%016x\nCapAmb:\t%016x\n".formatted(credentials.bounding, 0));
    text.append("NoNewPrivs:\t%d\nSeccomp:\t0\n".formatted(attributes.gainsNothing ? 1 : 0));
    text.append("Cpus_allowed:\t%x\n".formatted(attributes.processors));
    return ProcFolder.bytes(text.toString());
  }

  private static String numbers(int[] ids) {
    StringBuilder text = new StringBuilder();
    for (int each : ids) {
      text.append('\t').append(Integer.toUnsignedString(each));
    }
    return text.append('\n').toString();
  }

  private static void line(StringBuilder text, String name, long pages) {
    text.append("%s:\t%8d kB\n".formatted(name, pages * (Pages.SIZE >> 10)));
  }
}
