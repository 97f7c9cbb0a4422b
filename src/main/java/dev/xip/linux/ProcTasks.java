package dev.xip.linux;

import dev.xip.base.AddrRange;
import dev.xip.base.FileName;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Node;
import dev.xip.vfs.Tree;
import dev.xip.vfs.Vfs;
import dev.xip.vm.MemoryFaultException;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** The directories of /proc about tasks. Linux counterpart: fs/proc/base.c, fs/proc/fd.c. */
final class ProcTasks {
  private static final String DELETED = " (deleted)";
  private static final int FIRST_TASK = 10_000;
  private static final int LINKS = 100;
  private static final int FOLDERS = 200;
  private static final List<String> LIMITS =
      List.of(
          "Max cpu time/seconds",
          "Max file size/bytes",
          "Max data size/bytes",
          "Max stack size/bytes",
          "Max core file size/bytes",
          "Max resident set/bytes",
          "Max processes/processes",
          "Max open files/files",
          "Max locked memory/bytes",
          "Max address space/bytes",
          "Max file locks/locks",
          "Max pending signals/signals",
          "Max msgqueue size/bytes",
          "Max nice priority/",
          "Max realtime priority/",
          "Max realtime timeout/us");

  private final Kernel kernel;

  ProcTasks(Kernel kernel) {
    this.kernel = kernel;
  }

  void fill(ProcFolder.Entries entries) {
    Task own = Kernel.current();
    if (own != null) {
      String pid = Integer.toString(own.pid());
      entries.link("self", LINKS, 0777, () -> FileName.of(pid), null);
      entries.link("thread-self", LINKS + 1, 0777, () -> FileName.of(pid + "/task/" + pid), null);
    }
    List<Task> tasks;
    synchronized (kernel) {
      tasks = kernel.tasks();
    }
    for (Task each : tasks) {
      entries.folder(
          Integer.toString(each.pid()),
          FIRST_TASK + each.pid(),
          inside -> fill(each, inside, true));
    }
  }

  private void fill(Task task, ProcFolder.Entries entries, boolean whole) {
    TaskText text = new TaskText(kernel, task);
    entries.text("stat", text::stat);
    entries.text("status", text::status);
    entries.text("statm", text::memory);
    entries.text("cmdline", () -> strings(task, task.process().argumentBytes()));
    entries.text("environ", () -> strings(task, task.process().environmentBytes()));
    entries.text("comm", () -> ProcFolder.bytes(text.name() + "\n"));
    entries.text("maps", () -> new MapsText(kernel, task).maps());
    entries.text("smaps", () -> new MapsText(kernel, task).smaps());
    entries.text("limits", () -> ProcFolder.bytes(limits(task)));
    entries.text("mounts", () -> ProcFolder.bytes(mounts()));
    entries.text("mountinfo", () -> ProcFolder.bytes(mountInfo()));
    entries.line("oom_score_adj", 0);
    entries.line("oom_score", 0);
    entries.line("wchan", 0);
    Vfs files = kernel.files();
    FileName program = FileName.of(task.path());
    entries.link(
        "exe", LINKS, 0777, () -> program, () -> files.resolve(files.root(), program, true));
    entries.link("cwd", LINKS + 1, 0777, () -> path(task.directory()), task::directory);
    entries.link("root", LINKS + 2, 0777, () -> FileName.of("/"), files::root);
    entries.folder("fd", FOLDERS, inside -> fillDescriptors(task, inside));
    if (whole) {
      String pid = Integer.toString(task.pid());
      entries.folder(
          "task", FOLDERS + 1, inside -> inside.folder(pid, 0, again -> fill(task, again, false)));
    }
  }

  private void fillDescriptors(Task task, ProcFolder.Entries entries) {
    Map<Integer, OpenFile> open;
    synchronized (kernel) {
      open = task.descriptors().files();
    }
    open.forEach(
        (fd, file) -> {
          int access = (file.isReadable() ? 0500 : 0100) | (file.isWritable() ? 0300 : 0100);
          entries.link(
              Integer.toString(fd),
              fd,
              access,
              () -> target(file),
              () -> file.node() != null ? file.node() : new OpenedNode(procTree(), file));
        });
  }

  private Tree procTree() throws IOException {
    Vfs files = kernel.files();
    return files.directory(files.root(), FileName.of("/proc")).tree();
  }

  private FileName target(OpenFile file) throws IOException {
    Vfs files = kernel.files();
    Node node = file.node();
    if (node == null) {
      String kind = file instanceof StreamSocket ? "socket" : "pipe";
      return FileName.of("%s:[%d]".formatted(kind, file.number()));
    }
    if (node instanceof HostNode host) {
      return host.name();
    }
    if (node instanceof Directory directory) {
      return path(directory);
    }
    try {
      Node now = files.resolve(file.openedFrom(), file.openedAs(), true);
      if (now.number() == node.number() && now.tree() == node.tree()) {
        return files.path(file.openedFrom(), file.openedAs());
      }
    } catch (FileException e) {
      // It has lost the name by which it was opened.
    }
    FileName name = file.openedAs();
    String from = name.at(0) == '/' ? "" : path(file.openedFrom()).exactText();
    return FileName.of(from + (from.isEmpty() ? "" : "/") + name.exactText() + DELETED);
  }

  /** The path of a directory, and whether it was removed. */
  private FileName path(Directory directory) throws IOException {
    try {
      return kernel.files().path(directory);
    } catch (FileException e) {
      return FileName.of(Vfs.text(directory.parent(), directory.name()) + DELETED);
    }
  }

  /** Strings on the stack of a task as they are now; none if it has ended. */
  private static byte[] strings(Task task, AddrRange range) {
    try {
      return new UserMemory(task.process().space()).read(range.start(), (int) range.length());
    } catch (MemoryFaultException e) {
      return new byte[0];
    }
  }

  private String limits(Task task) {
    StringBuilder text =
        new StringBuilder(
            "%-25s %-20s %-20s %-10s\n".formatted("Limit", "Soft Limit", "Hard Limit", "Units"));
    synchronized (kernel) {
      Limits limits = task.attributes().limits;
      for (int i = 0; i < Limits.COUNT; i++) {
        String[] names = LIMITS.get(i).split("/", 2);
        text.append(
            "%-25s %-20s %-20s %-10s\n"
                .formatted(names[0], limit(limits.soft(i)), limit(limits.hard(i)), names[1]));
      }
    }
    return text.toString();
  }

  private static String limit(long value) {
    return value == Limits.NONE ? "unlimited" : Long.toUnsignedString(value);
  }

  private String mounts() {
    StringBuilder text = new StringBuilder();
    for (Vfs.Mounted each : kernel.files().mounts()) {
      text.append(
          "xip %s %s %s 0 0\n".formatted(each.path(), each.tree().kind(), mode(each.tree())));
    }
    return text.toString();
  }

  private static String mode(Tree tree) {
    return tree.isReadOnly() ? "ro" : "rw";
  }

  private String mountInfo() {
    StringBuilder text = new StringBuilder();
    int number = 1;
    for (Vfs.Mounted each : kernel.files().mounts()) {
      text.append(
          "%d %d 0:%d / %s %s - %s xip rw\n"
              .formatted(
                  number,
                  number == 1 ? 0 : 1,
                  each.tree().device() & 0xff,
                  each.path(),
                  mode(each.tree()),
                  each.tree().kind()));
      number++;
    }
    return text.toString();
  }
}
