package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import java.io.IOException;

/** One call of {@link Vfs#open}. Linux counterpart: fs/namei.c:path_openat. */
final class OpenCall {
  /** How often a name is looked up again that others make and remove meanwhile. */
  private static final int MOST_TRIES = 100;

  private final Vfs vfs;
  private final Directory from;
  private final FileName path;
  private final int flags;
  private final int permissions;

  OpenCall(Vfs vfs, Directory from, FileName path, int flags, int permissions) {
    this.vfs = vfs;
    this.from = from;
    this.path = path;
    this.flags = flags;
    this.permissions = permissions;
  }

  /** Returns the node, held. */
  Node open() throws IOException {
    if (OpenFlags.isNameless(flags)) {
      return vfs.directory(from, path).createNameless(permissions);
    }
    for (int tries = 0; ; tries++) {
      try {
        return openOnce();
      } catch (FileException e) {
        boolean again = e.errno() == Errno.EEXIST && !OpenFlags.isExclusive(flags);
        if (!again || tries == MOST_TRIES) {
          throw e;
        }
      }
    }
  }

  private Node openOnce() throws IOException {
    boolean create = (flags & OpenFlags.CREATE) != 0;
    boolean follow = (flags & OpenFlags.NO_FOLLOW) == 0 && !OpenFlags.isExclusive(flags);
    PathWalk.Last last = follow ? PathWalk.Last.FOLLOW : PathWalk.Last.STAY;
    Place place = new PathWalk(vfs, from, path).walk(last, create);
    if (create && !place.isEntry()) {
      throw refused(OpenFlags.isExclusive(flags) ? Errno.EEXIST : Errno.EISDIR);
    }
    Node node = place.node();
    boolean made = node == null && create;
    if (made) {
      node = place.parent().create(place.last(), NewNode.of(FileType.REGULAR, permissions));
    }
    if (node == null) {
      throw refused(Errno.ENOENT);
    }
    if (!made) {
      requireOpenable(node, place.slash());
    }
    node.hold();
    boolean opened = false;
    try {
      if (node instanceof RegularFile file && OpenFlags.changes(flags)) {
        boolean truncate = (flags & OpenFlags.TRUNCATE) != 0;
        file.prepareToWrite(!truncate);
        if (truncate && !made) {
          file.truncate(0);
        }
      }
      opened = true;
      return node;
    } finally {
      if (!opened) {
        node.drop();
      }
    }
  }

  private void requireOpenable(Node node, boolean slash) throws FileException {
    boolean directory = node instanceof Directory;
    if (OpenFlags.isExclusive(flags)) {
      throw refused(Errno.EEXIST);
    }
    if (directory && (flags & OpenFlags.CREATE) != 0) {
      throw refused(Errno.EISDIR);
    }
    if (!directory && (slash || (flags & OpenFlags.DIRECTORY) != 0)) {
      throw refused(Errno.ENOTDIR);
    }
    if ((flags & OpenFlags.PATH) == 0) {
      if (node instanceof Link) {
        throw refused(Errno.ELOOP);
      }
      if (directory && OpenFlags.changes(flags)) {
        throw refused(Errno.EISDIR);
      }
    }
  }

  private FileException refused(Errno errno) {
    return new FileException(errno, path.toString());
  }
}
