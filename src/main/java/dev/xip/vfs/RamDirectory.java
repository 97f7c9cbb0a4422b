package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import java.io.IOException;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * A directory of a {@link RamTree}. Its entries are those of the image, read when they are needed
 * first, and then changed here alone. Guarded by the tree's monitor.
 */
final class RamDirectory extends Directory {
  private static final FileName DOT = FileName.of(".");
  private static final FileName DOT_DOT = FileName.of("..");

  /** Linux counterpart: {@code BOGO_DIRENT_SIZE} (mm/shmem.c). */
  private static final int ENTRY_BYTES = 20;

  /** A name and what it names; the node of an inode of the image is made when it is needed. */
  private static final class Entry {
    final FileName name;
    final long cookie;
    FileType type;
    long number;
    Node node;

    Entry(FileName name, long cookie) {
      this.name = name;
      this.cookie = cookie;
    }

    void set(Node named) {
      node = named;
      number = named.number();
      type = named.type();
    }
  }

  private final RamTree tree;

  /** What it was made from, or null. */
  private final Inode below;

  /** Null before they are read. */
  private Map<FileName, Entry> byName;

  private final TreeMap<Long, Entry> byCookie = new TreeMap<>();
  private long nextCookie = FIRST_COOKIE;

  RamDirectory(RamTree tree, long number, Inode below, Attributes attributes, long links) {
    super(tree, number, attributes, Math.max(2, links));
    this.tree = tree;
    this.below = below;
  }

  private void load() throws IOException {
    if (byName != null) {
      return;
    }
    byName = new HashMap<>();
    if (below == null) {
      return;
    }
    boolean whole = false;
    try {
      tree.image()
          .list(
              below,
              (name, number, type) -> {
                if (!name.equals(DOT) && !name.equals(DOT_DOT) && !byName.containsKey(name)) {
                  Entry entry = add(FileName.of(name.bytes()));
                  entry.number = number;
                  entry.type = type;
                }
                return true;
              });
      whole = true;
    } finally {
      if (!whole) {
        byName = null;
        byCookie.clear();
      }
    }
  }

  private Entry add(FileName name) {
    Entry entry = new Entry(name, nextCookie++);
    byName.put(name, entry);
    byCookie.put(entry.cookie, entry);
    return entry;
  }

  private void drop(Entry entry) {
    byName.remove(entry.name);
    byCookie.remove(entry.cookie);
  }

  private Node node(Entry entry) throws IOException {
    if (entry.node == null) {
      entry.set(tree.fromImage(entry.number));
    }
    if (entry.node instanceof RamFile file) {
      file.called(this, entry.name);
    } else if (entry.node instanceof RamDirectory directory
        && directory.parent() == null
        && directory != tree.root()) {
      directory.place(this, entry.name);
    }
    return entry.node;
  }

  private Entry require(FileName name) throws IOException {
    load();
    Entry entry = byName.get(name);
    if (entry == null) {
      throw new FileException(Errno.ENOENT, "" + name);
    }
    return entry;
  }

  private void requireRoom(FileName name) throws IOException {
    load();
    if (byName.containsKey(name)) {
      throw new FileException(Errno.EEXIST, "" + name);
    }
    requireAlive();
  }

  private void requireAlive() throws FileException {
    if (isRemoved()) {
      throw new FileException(Errno.ENOENT, name() + " was removed");
    }
  }

  private void touch() throws IOException {
    change(before -> before.withTimes(null, Instant.now()));
  }

  private static void touchChanged(Node node) throws IOException {
    node.change(before -> before.withTimes(null, null));
  }

  @Override
  public Node find(FileName wanted) throws IOException {
    synchronized (tree) {
      load();
      Entry entry = byName.get(wanted);
      return entry == null ? null : node(entry);
    }
  }

  @Override
  public void list(long after, Visitor visitor) throws IOException {
    synchronized (tree) {
      load();
      for (Entry each : byCookie.tailMap(after, false).values()) {
        if (!visitor.entry(each.name, each.number, each.type, each.cookie)) {
          return;
        }
      }
    }
  }

  @Override
  public Node create(FileName entry, NewNode made) throws IOException {
    synchronized (tree) {
      requireRoom(entry);
      Node node = tree.made(made, this);
      FileName kept = FileName.of(entry.bytes());
      Entry added = add(kept);
      added.set(node);
      node(added);
      if (node instanceof RamDirectory) {
        addLinks(1);
      }
      touch();
      return node;
    }
  }

  @Override
  public RegularFile createNameless(int permissions) throws IOException {
    synchronized (tree) {
      requireAlive();
      RamFile file = (RamFile) tree.made(NewNode.of(FileType.REGULAR, permissions), this);
      file.setNameless(true);
      file.hold();
      file.addLinks(-1);
      return file;
    }
  }

  @Override
  public void link(FileName entry, Node node) throws IOException {
    synchronized (tree) {
      requireRoom(entry);
      if (node instanceof Directory) {
        throw new FileException(Errno.EPERM, entry + ": a second name for a directory");
      }
      if (node.links() == 0 && !(node instanceof RamFile file && file.isNameless())) {
        throw new FileException(Errno.ENOENT, entry + ": the file has no name any more");
      }
      if (node instanceof RamFile file) {
        file.setNameless(false);
      }
      add(FileName.of(entry.bytes())).set(node);
      node.addLinks(1);
      touchChanged(node);
      touch();
    }
  }

  @Override
  public void remove(FileName entry, boolean directory) throws IOException {
    synchronized (tree) {
      Entry found = require(entry);
      Node node = node(found);
      requireKind(node, entry, directory);
      drop(found);
      unlink(node);
      touch();
    }
  }

  private static void requireKind(Node node, FileName name, boolean directory) throws IOException {
    if (directory && !(node instanceof Directory)) {
      throw new FileException(Errno.ENOTDIR, "" + name);
    }
    if (!directory && node instanceof Directory) {
      throw new FileException(Errno.EISDIR, "" + name);
    }
    if (node instanceof RamDirectory full && !full.isEmpty()) {
      throw new FileException(Errno.ENOTEMPTY, "" + name);
    }
  }

  private boolean isEmpty() throws IOException {
    load();
    return byName.isEmpty();
  }

  /** A node has lost its entry in this directory. */
  private void unlink(Node node) throws IOException {
    touchChanged(node);
    if (node instanceof RamDirectory) {
      node.addLinks(Integer.MIN_VALUE);
      addLinks(-1);
    } else {
      node.addLinks(-1);
    }
  }

  @Override
  public void rename(FileName entry, Directory toAny, FileName toEntry, Renaming how)
      throws IOException {
    RamDirectory to = (RamDirectory) toAny;
    synchronized (tree) {
      Entry from = require(entry);
      to.load();
      Entry there = to.byName.get(toEntry);
      if (there != null && how == Renaming.KEEP) {
        throw new FileException(Errno.EEXIST, "" + toEntry);
      }
      if (there == null && how == Renaming.EXCHANGE) {
        throw new FileException(Errno.ENOENT, "" + toEntry);
      }
      Node node = node(from);
      Node other = there == null ? null : to.node(there);
      requireOutside(to, node, Errno.EINVAL);
      requireOutside(this, other, how == Renaming.EXCHANGE ? Errno.EINVAL : Errno.ENOTEMPTY);
      if (node == other) {
        return;
      }
      to.requireAlive();
      if (how == Renaming.EXCHANGE) {
        exchange(from, to, there);
      } else {
        if (other != null) {
          requireKind(other, toEntry, node instanceof Directory);
          to.drop(there);
          to.unlink(other);
        }
        drop(from);
        Entry added = to.add(FileName.of(toEntry.bytes()));
        added.set(node);
        moved(node, to, added.name);
      }
      touchChanged(node);
      touch();
      to.touch();
    }
  }

  private void exchange(Entry from, RamDirectory to, Entry there) throws IOException {
    Node node = from.node;
    Node other = there.node;
    from.set(other);
    there.set(node);
    moved(node, to, there.name);
    to.moved(other, this, from.name);
    touchChanged(other);
  }

  /** A node has gone from this directory to another one, or to another name. */
  private void moved(Node node, RamDirectory to, FileName name) {
    if (node instanceof RamDirectory directory) {
      directory.place(to, name);
      addLinks(-1);
      to.addLinks(1);
    }
  }

  /** Fails if a directory is a node or lies below it. */
  private static void requireOutside(Directory directory, Node node, Errno errno)
      throws FileException {
    for (Directory each = directory; each != null; each = each.parent()) {
      if (each == node) {
        throw new FileException(errno, each.name() + ": a directory in itself");
      }
    }
  }

  @Override
  public long size() {
    if (below != null) {
      return below.size();
    }
    synchronized (tree) {
      return (2L + (byName == null ? 0 : byName.size())) * ENTRY_BYTES;
    }
  }

  @Override
  public long blocks() {
    return below == null ? 0 : below.sectors();
  }

  @Override
  protected void release() {
    tree.forget(this);
  }
}
