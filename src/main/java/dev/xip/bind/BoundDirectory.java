package dev.xip.bind;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.host.HostStat;
import dev.xip.host.OpenFolder;
import dev.xip.image.FileType;
import dev.xip.vfs.Attributes;
import dev.xip.vfs.Directory;
import dev.xip.vfs.FileException;
import dev.xip.vfs.NewNode;
import dev.xip.vfs.Node;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A directory of the host. It keeps no descriptor: each call walks to it from the root of the tree,
 * name by name, and through no link.
 */
final class BoundDirectory extends Directory {
  private static final long HASH_START = 0xcbf2_9ce4_8422_2325L;
  private static final long HASH_FACTOR = 0x100_0000_01b3L;

  private final BoundTree tree;

  BoundDirectory(BoundTree tree, HostStat stat) {
    super(tree, stat.ino(), BoundAttributes.of(stat), stat.nlink());
    this.tree = tree;
  }

  /** What is done in an open folder. */
  interface Action<T> {
    T in(OpenFolder folder) throws IOException;
  }

  /** Does something in this directory. */
  <T> T with(Action<T> action) throws IOException {
    return BoundTree.call(
        name() == null ? FileName.of("/") : name(),
        () -> {
          List<FileName> names = new ArrayList<>();
          for (Directory at = this; at.parent() != null; at = at.parent()) {
            names.addFirst(at.name());
          }
          OpenFolder here = tree.folder();
          try {
            for (FileName each : names) {
              OpenFolder next = here.folder(each);
              closeInner(here);
              here = next;
            }
            if (!names.isEmpty() && here.stat().ino() != number()) {
              throw new FileException(Errno.ENOENT, name() + ": another directory meanwhile");
            }
            return action.in(here);
          } finally {
            closeInner(here);
          }
        });
  }

  private void closeInner(OpenFolder folder) {
    if (folder != tree.folder()) {
      folder.close();
    }
  }

  private HostStat stat() throws IOException {
    return with(OpenFolder::stat);
  }

  @Override
  public Attributes attributes() {
    try {
      return BoundAttributes.of(stat());
    } catch (IOException e) {
      return super.attributes();
    }
  }

  @Override
  public long links() {
    try {
      return stat().nlink();
    } catch (IOException e) {
      return 0;
    }
  }

  @Override
  public long size() {
    try {
      return stat().size();
    } catch (IOException e) {
      return 0;
    }
  }

  @Override
  public void change(UnaryOperator<Attributes> change) throws IOException {
    tree.requireWritable();
    if (!(parent() instanceof BoundDirectory above)) {
      throw new FileException(Errno.EPERM, tree.place() + ": the root of what is bound");
    }
    above.with(in -> BoundAttributes.change(in, name(), change));
  }

  @Override
  public Node find(FileName wanted) throws IOException {
    HostStat stat;
    try {
      stat = with(in -> in.stat(wanted));
    } catch (FileException e) {
      if (e.errno() == Errno.ENOENT) {
        return null;
      }
      throw e;
    }
    return tree.node(this, wanted, stat);
  }

  /** A cookie of a name that stays whatever happens to others. */
  private static long cookie(FileName name) {
    long hash = HASH_START;
    for (byte each : name.bytes()) {
      hash = (hash ^ each & 0xff) * HASH_FACTOR;
    }
    return Math.max(hash >>> 2, FIRST_COOKIE);
  }

  @Override
  public void list(long after, Visitor visitor) throws IOException {
    record Entry(FileName name, long cookie) {}

    with(
        in -> {
          List<Entry> entries = new ArrayList<>();
          for (FileName each : in.names()) {
            long cookie = cookie(each);
            if (cookie > after) {
              entries.add(new Entry(each, cookie));
            }
          }
          entries.sort(Comparator.comparingLong(Entry::cookie));
          for (Entry each : entries) {
            HostStat stat;
            try {
              stat = in.stat(each.name);
            } catch (IOException gone) {
              continue;
            }
            if (!visitor.entry(each.name, stat.ino(), FileType.ofMode(stat.mode()), each.cookie)) {
              break;
            }
          }
          return null;
        });
  }

  @Override
  public Node create(FileName entry, NewNode made) throws IOException {
    tree.requireWritable();
    int mode = made.permissions() & BoundAttributes.PASSED_BITS;
    return with(
        in -> {
          switch (made.type()) {
            case REGULAR -> in.create(entry, mode).close();
            case DIRECTORY -> in.make(entry).close();
            case SYMLINK -> in.symlink(entry, made.target());
            case FIFO -> in.node(entry, FileType.FIFO.mode() | mode, 0);
            default -> throw new FileException(Errno.EPERM, entry + ": a device or socket");
          }
          if (made.type() != FileType.SYMLINK) {
            // The mask of this process is not that of the program.
            in.setMode(entry, mode);
          }
          return tree.node(this, entry, in.stat(entry));
        });
  }

  @Override
  public void link(FileName entry, Node node) throws IOException {
    tree.requireWritable();
    if (!(node instanceof BoundFile file)) {
      throw new FileException(Errno.EPERM, entry + ": no regular file");
    }
    with(
        to ->
            file.at()
                .directory()
                .with(
                    from -> {
                      from.link(file.at().name(), to, entry);
                      return null;
                    }));
  }

  @Override
  public void remove(FileName entry, boolean directory) throws IOException {
    tree.requireWritable();
    if (!with(in -> directory ? in.removeFolder(entry) : in.unlink(entry))) {
      throw new FileException(Errno.ENOENT, "" + entry);
    }
  }

  @Override
  public void rename(FileName entry, Directory to, FileName toEntry, Renaming how)
      throws IOException {
    tree.requireWritable();
    if (how == Renaming.EXCHANGE) {
      throw new FileException(Errno.EINVAL, entry + ": two names of the host are not exchanged");
    }
    with(
        from ->
            ((BoundDirectory) to)
                .with(
                    target -> {
                      if (how == Renaming.KEEP && target.exists(toEntry)) {
                        throw new FileException(Errno.EEXIST, "" + toEntry);
                      }
                      from.rename(entry, target, toEntry);
                      return null;
                    }));
    // Says to the node where it is now.
    to.find(toEntry);
  }

  @Override
  public void setExtended(FileName attribute, byte[] value, Exists exists) throws IOException {
    throw BoundTree.noAttributes(attribute);
  }
}
