package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.host.HostException;
import dev.xip.host.HostStat;
import dev.xip.host.OpenFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Moves through the folders of a tree of the host with one descriptor, however deep the tree is:
 * down by names without following links, up by {@code ..}. A folder that is not the one seen there
 * before is refused.
 */
final class FolderCursor implements AutoCloseable {
  /**
   * A folder that was seen.
   *
   * @param parent the folder that holds it, null for the root of the tree
   * @param name its name there
   * @param depth how many folders are above it
   * @param dev the device that holds it
   * @param ino its inode number
   */
  record Folder(Folder parent, FileName name, int depth, long dev, long ino) {
    /** Returns the folder of that name in this one, which has just been seen. */
    Folder child(FileName child, HostStat stat) {
      return new Folder(this, child, depth + 1, stat.dev(), stat.ino());
    }

    /** Returns the path of something in this folder from the root of the tree on. */
    FileName path(FileName child) {
      List<FileName> names = new ArrayList<>(List.of(child));
      for (Folder at = this; at.parent != null; at = at.parent) {
        names.add(at.name);
      }
      byte[] path = new byte[names.stream().mapToInt(each -> each.length() + 1).sum() - 1];
      int end = 0;
      for (FileName each : names.reversed()) {
        System.arraycopy(each.bytes(), 0, path, end, each.length());
        end += each.length();
        if (end < path.length) {
          path[end++] = '/';
        }
      }
      return FileName.of(path);
    }
  }

  private final Folder root;
  private Folder at;
  private OpenFolder open;

  private FolderCursor(OpenFolder open, Folder root) {
    this.open = open;
    this.root = root;
    this.at = root;
  }

  /** Opens the root of a tree. */
  static FolderCursor open(Path directory) throws IOException {
    OpenFolder open = OpenFolder.open(directory);
    try {
      HostStat stat = open.stat();
      return new FolderCursor(open, new Folder(null, FileName.of(""), 0, stat.dev(), stat.ino()));
    } catch (HostException e) {
      open.close();
      throw e;
    }
  }

  /** Returns the root of the tree. */
  Folder root() {
    return root;
  }

  /**
   * Goes to a folder.
   *
   * @param target the folder
   * @return the folder, open until the next call
   * @throws MovedException if a folder on the way is not the one seen before
   * @throws HostException if the system refuses
   */
  OpenFolder goTo(Folder target) throws MovedException, HostException {
    List<Folder> down = new ArrayList<>();
    Folder common = target;
    while (common.depth > at.depth) {
      down.add(common);
      common = common.parent;
    }
    while (at != common) {
      if (common.depth == at.depth) {
        down.add(common);
        common = common.parent;
      }
      move(open.parent(), at.parent);
    }
    for (Folder each : down.reversed()) {
      move(open.folder(each.name), each);
    }
    return open;
  }

  private void move(OpenFolder next, Folder expected) throws MovedException, HostException {
    open.close();
    open = next;
    at = expected;
    HostStat stat = next.stat();
    if (stat.ino() != expected.ino || stat.dev() != expected.dev) {
      throw new MovedException();
    }
  }

  /** A folder was moved or replaced. */
  static final class MovedException extends IOException {
    private static final long serialVersionUID = 1L;
  }

  @Override
  public void close() {
    open.close();
  }
}
