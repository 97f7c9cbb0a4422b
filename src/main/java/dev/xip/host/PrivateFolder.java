package dev.xip.host;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;

/**
 * A folder that only its owner may enter, under a random name: other users can neither see nor
 * replace what is made in it until it is moved out. It is removed with all its contents when it is
 * closed or the JVM is told to stop.
 */
public final class PrivateFolder implements AutoCloseable {
  /** So long the folder is emptied again because files are created in it meanwhile. */
  private static final long LONGEST_REMOVAL = TimeUnit.SECONDS.toNanos(5);

  private final OpenFolder parent;
  private final FileName name;
  private final OpenFolder folder;
  private final Leftovers.Leftover leftover = this::remove;
  private boolean closed;

  private PrivateFolder(OpenFolder parent, FileName name) throws IOException {
    this.parent = parent;
    this.name = name;
    this.folder = parent.make(name);
    Leftovers.add(leftover);
  }

  /**
   * Makes a private folder.
   *
   * @param parent where; it must stay open until this is closed
   * @param start what its name begins with
   * @return the folder, to be closed
   * @throws IOException if the system refuses
   */
  public static PrivateFolder in(OpenFolder parent, String start) throws IOException {
    PrivateFolder made =
        Leftovers.step(() -> new PrivateFolder(parent, OpenFolder.randomName(start)));
    try {
      made.folder.removeAccessLists();
      return made;
    } catch (IOException e) {
      made.close();
      throw e;
    }
  }

  /** {@return the open folder, of mode 0700, valid until this is closed} */
  public OpenFolder folder() {
    return folder;
  }

  /** {@return the random name, valid as long as no other user moves the folder} */
  public FileName name() {
    return name;
  }

  /**
   * Returns a path that leads to a name in the folder through its descriptor, for this process and
   * for programs that it starts, even if the folder is moved.
   *
   * @param file the name
   * @return the path, valid until this is closed
   */
  public Path path(FileName file) {
    String descriptor = "/proc/%d/fd/%d".formatted(ProcessHandle.current().pid(), folder.fd());
    return Path.of(descriptor).resolve(HostPaths.of(file));
  }

  /** Removes the folder and all its contents; a second time does nothing. */
  @Override
  public void close() throws IOException {
    Leftovers.step(
        () -> {
          if (!closed) {
            closed = true;
            Leftovers.forget(leftover);
            try {
              remove();
            } finally {
              folder.close();
            }
          }
          return null;
        });
  }

  /**
   * Renames it first, so that a thread that still creates files in it by its name fails. One that
   * does so through the descriptor, or a program of ours that is ending, may create a file between
   * the look into the folder and its removal: then it is emptied again.
   */
  private void remove() throws IOException {
    FileName aside = OpenFolder.randomName(".xip-");
    boolean moved = isOurs(name);
    if (moved) {
      parent.rename(name, parent, aside);
    }
    long start = System.nanoTime();
    while (true) {
      try {
        empty(folder);
        if (moved && isOurs(aside)) {
          parent.removeFolder(aside);
        }
        return;
      } catch (HostException e) {
        boolean changed = e.errno() == Errno.ENOTEMPTY || e.errno() == Errno.ENOENT;
        if (!changed || System.nanoTime() - start > LONGEST_REMOVAL) {
          throw e;
        }
      }
    }
  }

  /** Whether the name is still this folder's: another user may have replaced it. */
  private boolean isOurs(FileName where) throws HostException {
    HostStat ours = folder.stat();
    HostStat there = parent.exists(where) ? parent.stat(where) : null;
    return there != null && there.dev() == ours.dev() && there.ino() == ours.ino();
  }

  /** A folder on the path down, and its names that are still to be removed. */
  private record Level(long ino, FileName name, Iterator<FileName> rest) {}

  /**
   * Removes all contents of a folder, however deep, with two descriptors. Other users cannot move
   * what is in it, so {@code ..} leads back to the folder that was entered from.
   */
  private static void empty(OpenFolder top) throws IOException {
    Deque<Level> levels = new ArrayDeque<>();
    OpenFolder now = top;
    try {
      levels.push(level(top, null));
      while (true) {
        Iterator<FileName> rest = levels.peek().rest;
        if (rest.hasNext()) {
          FileName name = rest.next();
          if (now.stat(name).isDirectory()) {
            now.setMode(name, 0700);
            now = replaced(now, now.folder(name), top);
            levels.push(level(now, name));
          } else {
            now.unlink(name);
          }
        } else if (levels.size() == 1) {
          return;
        } else {
          FileName name = levels.pop().name;
          now = replaced(now, levels.size() == 1 ? top : now.parent(), top);
          if (now.stat().ino() != levels.peek().ino) {
            throw new HostException("openat", "path=" + now.name(), Errno.EBUSY);
          }
          now.removeFolder(name);
        }
      }
    } finally {
      replaced(now, top, top);
    }
  }

  private static Level level(OpenFolder folder, FileName name) throws HostException {
    return new Level(folder.stat().ino(), name, folder.names().iterator());
  }

  private static OpenFolder replaced(OpenFolder old, OpenFolder by, OpenFolder top) {
    if (old != top && old != by) {
      old.close();
    }
    return by;
  }
}
