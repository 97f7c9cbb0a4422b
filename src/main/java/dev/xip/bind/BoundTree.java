package dev.xip.bind;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.file.PageCache;
import dev.xip.host.HostException;
import dev.xip.host.HostStat;
import dev.xip.host.OpenFolder;
import dev.xip.image.FileType;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.Node;
import dev.xip.vfs.Tree;
import java.io.IOException;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * A directory of the host as a tree. Linux counterpart: a bind mount.
 *
 * <p>Names, attributes and bytes are the host's at the time of each call. What is mapped is a copy
 * in RAM of what the file held when it was mapped. Set-id bits are not passed on to the host, and
 * devices cannot be made.
 */
public final class BoundTree implements Tree {
  private static final long MAGIC = 0x0102_1997;

  private final OpenFolder folder;
  private final boolean readOnly;
  private final PageCache cache;
  private final String place;
  private final long device;
  private final BoundDirectory root;

  /** The nodes in use: a file has one, however often it is opened, locked or mounted on. */
  private final Map<Key, Known> known = new HashMap<>();

  private final ReferenceQueue<Node> unused = new ReferenceQueue<>();

  /** A file as the host tells it from others. */
  private record Key(long device, long number, FileType type) {}

  private static final class Known extends WeakReference<Node> {
    final Key key;

    Known(Key key, Node node, ReferenceQueue<Node> queue) {
      super(node, queue);
      this.key = key;
    }
  }

  /**
   * Opens a directory.
   *
   * @param path the directory; links on the way to it are followed, as for any command
   * @param readOnly whether nothing may be changed
   * @param cache where files that are mapped are copied to
   * @param place where it will be mounted, for the names of mappings
   * @param device a number that no other tree of the name space has
   * @throws IOException if it cannot be opened
   */
  public BoundTree(Path path, boolean readOnly, PageCache cache, String place, long device)
      throws IOException {
    this.folder = OpenFolder.open(path);
    this.readOnly = readOnly;
    this.cache = cache;
    this.place = place;
    this.device = device;
    this.root = new BoundDirectory(this, folder.stat());
  }

  @Override
  public Directory root() {
    return root;
  }

  @Override
  public long device() {
    return device;
  }

  @Override
  public String kind() {
    return "bind";
  }

  @Override
  public Usage usage() {
    return new Usage(MAGIC, 0, 0, 0, 0);
  }

  @Override
  public void close() {
    folder.close();
  }

  /** The node of what is in a directory now. */
  synchronized Node node(BoundDirectory in, FileName name, HostStat stat) {
    for (Reference<?> gone = unused.poll(); gone != null; gone = unused.poll()) {
      known.remove(((Known) gone).key, gone);
    }
    FileType type = FileType.ofMode(stat.mode());
    Key key = new Key(stat.dev(), stat.ino(), type);
    Known before = known.get(key);
    Node node = before == null ? null : before.get();
    if (node == null) {
      node = made(type, stat);
      known.put(key, new Known(key, node, unused));
    } else if (isWithin(in, node)) {
      node = made(type, stat);
    }
    switch (node) {
      case BoundDirectory directory -> directory.place(in, name);
      case BoundFile file -> file.place(in, name);
      case BoundSpecial special -> special.place(in, name);
      case BoundLink link -> link.place(in, name);
      default -> throw new IllegalStateException(node + " is no node of this tree");
    }
    return node;
  }

  private Node made(FileType type, HostStat stat) {
    return switch (type) {
      case DIRECTORY -> new BoundDirectory(this, stat);
      case REGULAR -> new BoundFile(this, stat);
      case SYMLINK -> new BoundLink(this, stat);
      default -> new BoundSpecial(this, stat);
    };
  }

  /** Whether a directory is a node or lies below it, as where the host has mounted it twice. */
  private static boolean isWithin(Directory directory, Node node) {
    for (Directory at = directory; at != null; at = at.parent()) {
      if (at == node) {
        return true;
      }
    }
    return false;
  }

  PageCache cache() {
    return cache;
  }

  @Override
  public boolean isReadOnly() {
    return readOnly;
  }

  String place() {
    return place;
  }

  OpenFolder folder() {
    return folder;
  }

  /** Refuses a change of a tree that is read-only. */
  void requireWritable() throws FileException {
    if (readOnly) {
      throw new FileException(Errno.EROFS, place + ": bound read-only");
    }
  }

  static FileException noAttributes(FileName attribute) {
    return new FileException(Errno.EOPNOTSUPP, attribute + ": extended attributes of the host");
  }

  /** A call of the host. */
  interface Call<T> {
    T run() throws IOException;
  }

  /** Makes a call whose refusal by the host is one of the tree. */
  static <T> T call(FileName name, Call<T> call) throws IOException {
    try {
      return call.run();
    } catch (HostException e) {
      throw new FileException(e.errno(), name + ": " + e.getMessage());
    }
  }
}
