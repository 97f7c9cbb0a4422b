package dev.xip.linux;

import dev.xip.vfs.Node;
import java.util.Map;
import java.util.TreeMap;

/**
 * The file descriptors of a task. Linux counterpart: {@code struct files_struct}.
 *
 * <p>Lock held by the caller: the monitor of the {@link Kernel}.
 */
final class Descriptors {
  /** One more than the highest descriptor, whatever RLIMIT_NOFILE is. */
  static final int LIMIT = 4096;

  /** The limit of the first task. */
  static final int USUAL_LIMIT = 1024;

  private static final class Entry {
    final OpenFile file;
    boolean closedAtExec;

    Entry(OpenFile file, boolean closedAtExec) {
      this.file = file;
      this.closedAtExec = closedAtExec;
    }
  }

  private final Map<Integer, Entry> entries = new TreeMap<>();
  private final Kernel kernel;
  private int limit = USUAL_LIMIT;

  Descriptors(Kernel kernel) {
    this.kernel = kernel;
  }

  /** Those of a child, which name the same files. */
  Descriptors forked() {
    Descriptors child = new Descriptors(kernel);
    child.limit = limit;
    entries.forEach((fd, entry) -> child.put(fd, entry.file, entry.closedAtExec));
    return child;
  }

  /** One more than the highest descriptor that can be added, RLIMIT_NOFILE. */
  int limit() {
    return limit;
  }

  void setLimit(int limit) {
    this.limit = limit;
  }

  /** The files by descriptor. */
  Map<Integer, OpenFile> files() {
    Map<Integer, OpenFile> files = new TreeMap<>();
    entries.forEach((fd, entry) -> files.put(fd, entry.file));
    return files;
  }

  /** The file of a descriptor; null if there is none. */
  OpenFile file(long fd) {
    Entry entry = entry(fd);
    return entry == null ? null : entry.file;
  }

  private Entry entry(long fd) {
    return entries.get((int) fd);
  }

  /** Gives a file the lowest free descriptor from one on; -1 if there is none. */
  int add(OpenFile file, int from, boolean closedAtExec) {
    int fd = from;
    while (entries.containsKey(fd)) {
      fd++;
    }
    if (fd >= limit) {
      return -1;
    }
    put(fd, file, closedAtExec);
    return fd;
  }

  /** Makes a descriptor name a file, and no longer the one before. */
  void put(int fd, OpenFile file, boolean closedAtExec) {
    file.get();
    Entry before = entries.put(fd, new Entry(file, closedAtExec));
    if (before != null) {
      drop(before.file);
    }
  }

  boolean isClosedAtExec(long fd) {
    return entry(fd).closedAtExec;
  }

  void setClosedAtExec(long fd, boolean closed) {
    entry(fd).closedAtExec = closed;
  }

  /** Whether there was such a descriptor. */
  boolean close(long fd) {
    Entry entry = entries.remove((int) fd);
    if (entry != null) {
      drop(entry.file);
    }
    return entry != null;
  }

  /** The program is replaced. */
  void exec() {
    entries.values().stream().filter(e -> e.closedAtExec).forEach(e -> drop(e.file));
    entries.values().removeIf(e -> e.closedAtExec);
  }

  void closeAll() {
    entries.values().forEach(e -> drop(e.file));
    entries.clear();
  }

  /** A descriptor less: the process loses its locks on the file, the last one those of the file. */
  private void drop(OpenFile file) {
    Node node = file.node();
    boolean last = file.put();
    if (node != null) {
      boolean released = kernel.rangeLocks().releaseAll(node, this);
      if (last) {
        released |= kernel.rangeLocks().releaseAll(node, file);
        released |= kernel.wholeLocks().releaseAll(node, file);
      }
      if (released) {
        kernel.notifyAll();
      }
    }
  }
}
