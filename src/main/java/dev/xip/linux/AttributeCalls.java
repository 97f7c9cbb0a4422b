package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Link;
import dev.xip.vfs.Node;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;

/** System calls that change attributes of files. Linux counterpart: fs/attr.c, fs/xattr.c. */
final class AttributeCalls {
  private static final long UTIME_NOW = 0x3fff_ffff;
  private static final long UTIME_OMIT = 0x3fff_fffe;
  private static final long NANOS = 1_000_000_000;
  private static final long MICROS = 1_000_000;
  private static final int MOST_NAME = 255;
  private static final int MOST_VALUE = 1 << 16;
  private static final String CHANGEABLE = "(?s)(user|trusted|security)[.].*";
  private static final String READABLE = "(?s)(user|trusted|security|system)[.].*";
  private static final int XATTR_CREATE = 1;
  private static final int XATTR_REPLACE = 2;
  private static final int SET_USER = 04000;
  private static final int SET_GROUP_AND_RUN = 02010;
  private static final int SET_GROUP = 02000;

  private final Task task;
  private final PathCalls paths;

  AttributeCalls(Task task, PathCalls paths) {
    this.task = task;
    this.paths = paths;
  }

  /** chmod(2) and its kin; a pipe has nothing to change. */
  long setMode(Node node, int mode) throws IOException {
    if (node instanceof Link) {
      return -Errno.EOPNOTSUPP.number();
    }
    if (node != null) {
      node.change(before -> before.withPermissions(mode));
    }
    return 0;
  }

  /** chown(2) and its kin: a file loses its set-id bits. */
  long setOwner(Node node, int uid, int gid) throws IOException {
    if (node == null) {
      return 0;
    }
    long user = uid == -1 ? -1 : uid & 0xffff_ffffL;
    long group = gid == -1 ? -1 : gid & 0xffff_ffffL;
    boolean file = !(node instanceof Directory);
    node.change(
        before -> {
          int mode = before.mode();
          int lost =
              !file
                  ? 0
                  : SET_USER | ((mode & SET_GROUP_AND_RUN) == SET_GROUP_AND_RUN ? SET_GROUP : 0);
          return before.withOwners(user, group).withPermissions(mode & ~lost);
        });
    return 0;
  }

  /** utimensat(2): a null path is the descriptor's file. */
  long setTimes(long fd, long path, long va, int flags) throws IOException {
    if ((flags & ~PathCalls.FLAGS) != 0) {
      return -Errno.EINVAL.number();
    }
    Instant now = Instant.now();
    Instant accessed = now;
    Instant modified = now;
    if (va != 0) {
      accessed = time(va, now);
      modified = time(va + 16, now);
    }
    Node node = path == 0 ? paths.node(fd) : paths.node(fd, path, flags);
    return node == null ? -Errno.EINVAL.number() : set(node, accessed, modified);
  }

  private static long set(Node node, Instant accessed, Instant modified) throws IOException {
    if (accessed != null || modified != null) {
      node.change(before -> before.withTimes(accessed, modified));
    }
    return 0;
  }

  /** Reads a struct timespec; null if the time is to stay. */
  private Instant time(long va, Instant now) throws IOException {
    long nanos = task.memory().getLong(va + 8);
    if (nanos == UTIME_OMIT) {
      return null;
    }
    return nanos == UTIME_NOW ? now : time(task.memory().getLong(va), nanos);
  }

  private static Instant time(long seconds, long nanos) {
    if (nanos < 0 || nanos >= NANOS) {
      throw new IllegalArgumentException("nanoseconds: " + nanos);
    }
    try {
      return Instant.ofEpochSecond(seconds, nanos);
    } catch (DateTimeException e) {
      return seconds < 0 ? Instant.MIN : Instant.MAX;
    }
  }

  /** futimesat(2) and utimes(2). */
  long setMicros(long fd, long path, long va) throws IOException {
    Instant accessed = Instant.now();
    Instant modified = accessed;
    if (va != 0) {
      accessed = micros(va);
      modified = micros(va + 16);
    }
    Node node = path == 0 ? paths.node(fd) : paths.node(fd, path, 0);
    return node == null ? -Errno.EINVAL.number() : set(node, accessed, modified);
  }

  private Instant micros(long va) throws IOException {
    long micros = task.memory().getLong(va + 8);
    if (micros < 0 || micros >= MICROS) {
      throw new IllegalArgumentException("microseconds: " + micros);
    }
    return time(task.memory().getLong(va), micros * 1000);
  }

  /** utime(2). */
  long setSeconds(long path, long va) throws IOException {
    Instant accessed = Instant.now();
    Instant modified = accessed;
    if (va != 0) {
      accessed = time(task.memory().getLong(va), 0);
      modified = time(task.memory().getLong(va + 8), 0);
    }
    return set(paths.node(path, true), accessed, modified);
  }

  /** getxattr(2) and its kin. */
  long attribute(Node node, long name, long va, long size) throws IOException {
    FileName called = attributeName(name);
    requireUsable(node, called, false);
    byte[] value = node.extended().get(called);
    return value == null ? -Errno.ENODATA.number() : put(value, va, size);
  }

  /**
   * Linux counterpart: {@code xattr_permission}, {@code xattr_resolve_name}. ACLs come from the
   * image alone: a program that cannot set one changes the mode instead.
   */
  private static void requireUsable(Node node, FileName name, boolean change) throws FileException {
    String text = name.toString();
    boolean user = text.startsWith("user.");
    boolean fit =
        node != null && (node.type() == FileType.REGULAR || node.type() == FileType.DIRECTORY);
    Errno refused = null;
    if (user && !fit) {
      refused = change ? Errno.EPERM : Errno.ENODATA;
    } else if (node == null || !text.matches(change ? CHANGEABLE : READABLE)) {
      refused = Errno.EOPNOTSUPP;
    } else if (text.endsWith(".") && text.indexOf('.') == text.length() - 1) {
      refused = Errno.EINVAL;
    }
    if (refused != null) {
      throw new FileException(refused, "attribute " + text);
    }
  }

  private FileName attributeName(long va) throws IOException {
    FileName name = FileName.of(task.memory().string(va, MOST_NAME + 1));
    if (name.length() == 0 || name.length() > MOST_NAME) {
      throw new FileException(Errno.ERANGE, "a name of %d bytes".formatted(name.length()));
    }
    return name;
  }

  /** Writes a value; a size of 0 asks for its length. */
  private long put(byte[] value, long va, long size) throws IOException {
    if (size != 0) {
      if (Long.compareUnsigned(size, value.length) < 0) {
        return -Errno.ERANGE.number();
      }
      task.memory().write(va, value, value.length);
    }
    return value.length;
  }

  /** listxattr(2) and its kin. */
  long attributes(Node node, long va, long size) throws IOException {
    ByteArrayOutputStream names = new ByteArrayOutputStream();
    if (node != null) {
      for (FileName each : node.extended().keySet()) {
        names.writeBytes(each.bytes());
        names.write(0);
      }
    }
    return put(names.toByteArray(), va, size);
  }

  /** setxattr(2) and its kin. */
  long setAttribute(Node node, long name, long va, long size, int flags) throws IOException {
    if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) != 0) {
      return -Errno.EINVAL.number();
    }
    FileName called = attributeName(name);
    if (size < 0 || size > MOST_VALUE) {
      return -Errno.E2BIG.number();
    }
    byte[] value = task.memory().read(va, (int) size);
    return change(
        node,
        called,
        value,
        (flags & XATTR_CREATE) != 0
            ? Node.Exists.NO
            : flags != 0 ? Node.Exists.YES : Node.Exists.EITHER);
  }

  /** removexattr(2) and its kin. */
  long removeAttribute(Node node, long name) throws IOException {
    return change(node, attributeName(name), null, Node.Exists.YES);
  }

  private static long change(Node node, FileName name, byte[] value, Node.Exists exists)
      throws IOException {
    requireUsable(node, name, true);
    node.setExtended(name, value, exists);
    return 0;
  }
}
