package dev.xip.linux;

import dev.xip.base.Errno;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Node;
import java.io.IOException;

/** The system calls about files by their numbers: the part of {@link SystemCalls} with paths. */
final class FileSystemCalls {
  /** No call of that number is here. */
  static final long MISSING = Long.MIN_VALUE;

  private static final long CWD = PathCalls.AT_FDCWD;
  private static final int AT_REMOVEDIR = 0x200;
  private static final int O_CREAT_WRONLY_TRUNC = 0x241;

  private final PathCalls paths;
  private final FileCalls files;
  private final StatCalls stats;
  private final DirectoryCalls directories;
  private final AttributeCalls attributes;
  private final CopyCalls copies;
  private final LockCalls locks;

  FileSystemCalls(Task task) {
    this.paths = new PathCalls(task);
    this.files = new FileCalls(task, paths);
    this.stats = new StatCalls(task, paths);
    this.directories = new DirectoryCalls(task, paths);
    this.attributes = new AttributeCalls(task, paths);
    this.copies = new CopyCalls(task, paths);
    this.locks = new LockCalls(task, paths);
  }

  /** fcntl(2) with a command about locks. */
  long lock(long fd, int command, long va) throws IOException {
    return locks.control(fd, command, va);
  }

  /** Performs a call; {@link #MISSING} if there is none of its number. */
  long call(int number, long a, long b, long c, long d, long e, long f) throws IOException {
    return switch (number) {
      case 2 -> files.open(CWD, a, (int) b, (int) c);
      case 85 -> files.open(CWD, a, O_CREAT_WRONLY_TRUNC, (int) b);
      case 257 -> files.open(a, b, (int) c, (int) d);
      case 8 -> files.seek(a, b, (int) c);
      case 21 -> files.access(CWD, a, (int) b, 0);
      case 269 -> files.access(a, b, (int) c, 0);
      case 439 -> files.access(a, b, (int) c, (int) d);
      // sync: all is in memory.
      case 162 -> 0;
      case 74, 75, 306 -> files.sync(a);
      case 76 -> files.truncate(a, b);
      case 77 -> files.truncateOpen(a, b);
      case 221 -> files.advise(a, (int) d);
      case 285 -> files.allocate(a, (int) b, c, d);
      case 73 -> locks.flock(a, (int) b);
      case 40 -> copies.send(a, b, c, d);
      case 326 -> copies.copyRange(a, b, c, d, e, (int) f);
      case 4 -> stats.stat(a, b, true);
      case 5 -> stats.stat(a, b);
      case 6 -> stats.stat(a, b, false);
      case 262 -> stats.stat(a, b, c, (int) d);
      case 332 -> stats.statx(a, b, (int) c, (int) d, e);
      case 137 -> stats.fileSystem(a, b);
      case 138 -> stats.openFileSystem(a, b);
      case 89 -> stats.readLink(CWD, a, b, c);
      case 267 -> stats.readLink(a, b, c, d);
      default -> callOfDirectory(number, a, b, c, d, e);
    };
  }

  private long callOfDirectory(int number, long a, long b, long c, long d, long e)
      throws IOException {
    return switch (number) {
      case 79 -> directories.working(a, b);
      case 80 -> directories.change(a);
      case 81 -> directories.changeToOpen(a);
      case 82 -> directories.rename(CWD, a, CWD, b, 0);
      case 264 -> directories.rename(a, b, c, d, 0);
      case 316 -> directories.rename(a, b, c, d, (int) e);
      case 83 -> directories.makeDirectory(CWD, a, (int) b);
      case 258 -> directories.makeDirectory(a, b, (int) c);
      case 84 -> directories.remove(CWD, a, AT_REMOVEDIR);
      case 87 -> directories.remove(CWD, a, 0);
      case 263 -> directories.remove(a, b, (int) c);
      case 86 -> directories.link(CWD, a, CWD, b, 0);
      case 265 -> directories.link(a, b, c, d, (int) e);
      case 88 -> directories.makeLink(a, CWD, b);
      case 266 -> directories.makeLink(a, b, c);
      case 133 -> directories.makeNode(CWD, a, (int) b, c);
      case 259 -> directories.makeNode(a, b, (int) c, d);
      case 217 -> directories.list(a, b, c);
      default -> callOfAttribute(number, a, b, c, d, e);
    };
  }

  private long callOfAttribute(int number, long a, long b, long c, long d, long e)
      throws IOException {
    return switch (number) {
      case 90 -> attributes.setMode(paths.node(a, true), (int) b);
      case 91 -> attributes.setMode(open(a), (int) b);
      case 268 -> attributes.setMode(paths.node(a, b, 0), (int) c);
      case 452 -> attributes.setMode(paths.node(a, b, (int) d), (int) c);
      case 92 -> attributes.setOwner(paths.node(a, true), (int) b, (int) c);
      case 93 -> attributes.setOwner(open(a), (int) b, (int) c);
      case 94 -> attributes.setOwner(paths.node(a, false), (int) b, (int) c);
      case 260 -> attributes.setOwner(paths.node(a, b, (int) e), (int) c, (int) d);
      case 132 -> attributes.setSeconds(a, b);
      case 235 -> attributes.setMicros(CWD, a, b);
      case 261 -> attributes.setMicros(a, b, c);
      case 280 -> attributes.setTimes(a, b, c, (int) d);
      case 188 -> attributes.setAttribute(paths.node(a, true), b, c, d, (int) e);
      case 189 -> attributes.setAttribute(paths.node(a, false), b, c, d, (int) e);
      case 190 -> attributes.setAttribute(open(a), b, c, d, (int) e);
      case 191 -> attributes.attribute(paths.node(a, true), b, c, d);
      case 192 -> attributes.attribute(paths.node(a, false), b, c, d);
      case 193 -> attributes.attribute(open(a), b, c, d);
      case 194 -> attributes.attributes(paths.node(a, true), b, c);
      case 195 -> attributes.attributes(paths.node(a, false), b, c);
      case 196 -> attributes.attributes(open(a), b, c);
      case 197 -> attributes.removeAttribute(paths.node(a, true), b);
      case 198 -> attributes.removeAttribute(paths.node(a, false), b);
      case 199 -> attributes.removeAttribute(open(a), b);
      default -> MISSING;
    };
  }

  /** The node of a descriptor that is not opened with O_PATH. */
  private Node open(long fd) throws IOException {
    OpenFile file = paths.file(fd);
    if (file instanceof OpenPath) {
      throw new FileException(Errno.EBADF, "a descriptor of a path");
    }
    return file.node();
  }
}
