package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import java.io.ByteArrayOutputStream;
import java.io.IOException;

/** One walk along a path. Linux counterpart: {@code link_path_walk} (fs/namei.c). */
final class PathWalk {
  static final FileName DOT = FileName.of(".");
  static final FileName DOT_DOT = FileName.of("..");
  private static final FileName NONE = FileName.of("");

  /** The longest name, NAME_MAX, and the longest path without its NUL. */
  private static final int MOST_NAME = 255;

  private static final int MOST_PATH = 4095;

  /** MAXSYMLINKS. */
  private static final int MOST_LINKS = 40;

  /** What becomes of the last name. */
  enum Last {
    /** A link is followed. */
    FOLLOW,
    /** A link is not followed, unless there is a slash behind it. */
    STAY,
    /** It is not looked up. */
    SKIP
  }

  private final Vfs vfs;
  private Directory here;
  private FileName rest;
  private int next;
  private int links;
  private boolean slash;

  PathWalk(Vfs vfs, Directory from, FileName path) throws FileException {
    this.vfs = vfs;
    if (path.length() == 0) {
      throw new FileException(Errno.ENOENT, "an empty path");
    }
    if (path.length() > MOST_PATH) {
      throw new FileException(Errno.ENAMETOOLONG, "a path of %d bytes".formatted(path.length()));
    }
    this.here = path.at(0) == '/' ? vfs.root() : from;
    this.rest = path;
  }

  /**
   * Walks.
   *
   * @param file whether the last name is to be a regular file, which is made if need be
   */
  Place walk(Last how, boolean file) throws IOException {
    FileName last = NONE;
    while (true) {
      FileName name = nextName();
      if (name == null) {
        return new Place(here, last, here, slash);
      }
      boolean atEnd = next == rest.length();
      slash |= atEnd && rest.at(rest.length() - 1) == '/';
      last = name;
      if (name.equals(DOT_DOT)) {
        here = vfs.above(here);
      } else if (!name.equals(DOT)) {
        if (file && slash) {
          throw new FileException(Errno.EISDIR, name + "/");
        }
        if (atEnd && how == Last.SKIP) {
          return new Place(here, name, null, slash);
        }
        requireLength(name);
        Node found = vfs.find(here, name);
        if (found instanceof Link link && (!atEnd || how == Last.FOLLOW || slash)) {
          Node jump = follow(link);
          if (jump == null) {
            last = NONE;
            continue;
          }
          found = jump;
        }
        if (atEnd) {
          return new Place(here, name, found, slash);
        }
        here = directory(found, name);
      }
    }
  }

  static void requireLength(FileName name) throws FileException {
    if (name.length() > MOST_NAME) {
      throw new FileException(Errno.ENAMETOOLONG, "a name of %d bytes".formatted(name.length()));
    }
  }

  private static Directory directory(Node found, FileName name) throws FileException {
    if (found == null) {
      throw new FileException(Errno.ENOENT, "" + name);
    }
    if (found instanceof Directory directory) {
      return directory;
    }
    throw new FileException(Errno.ENOTDIR, "" + name);
  }

  private FileName nextName() {
    while (next < rest.length() && rest.at(next) == '/') {
      next++;
    }
    int start = next;
    while (next < rest.length() && rest.at(next) != '/') {
      next++;
    }
    int end = next;
    while (next < rest.length() && rest.at(next) == '/') {
      next++;
    }
    return start == end ? null : rest.part(start, end);
  }

  /** Puts the target of a link before the names that are left, or returns where it jumps to. */
  private Node follow(Link link) throws IOException {
    if (++links > MOST_LINKS) {
      throw new FileException(Errno.ELOOP, "more than %d links".formatted(MOST_LINKS));
    }
    Node jump = link.jump();
    if (jump != null) {
      return jump;
    }
    FileName target = link.target();
    if (target.length() == 0) {
      throw new FileException(Errno.ENOENT, "a link that says nothing");
    }
    if (target.at(0) == '/') {
      here = vfs.root();
    }
    if (next < rest.length()) {
      ByteArrayOutputStream both = new ByteArrayOutputStream();
      both.writeBytes(target.bytes());
      both.write('/');
      both.writeBytes(rest.part(next, rest.length()).bytes());
      target = FileName.of(both.toByteArray());
    }
    rest = target;
    next = 0;
    return null;
  }
}
