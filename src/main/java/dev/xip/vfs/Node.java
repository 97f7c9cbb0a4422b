package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import java.io.IOException;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * A file of any type, whatever its names. The kinds are {@link Directory}, {@link RegularFile},
 * {@link Link} and {@link Special}: devices by number, fifos, sockets. A tree makes subclasses of
 * them. Linux counterpart: {@code struct inode}.
 *
 * <p>A node belongs to one tree. Its attributes, links and holders are guarded by its monitor,
 * under which no lock of a tree is taken.
 */
public abstract sealed class Node permits Directory, RegularFile, Link, Special {
  private final Tree tree;
  private final long number;
  private Attributes attributes;
  private SortedMap<FileName, byte[]> extended;
  private long links;
  private int holders;
  private boolean released;

  /**
   * Makes a node.
   *
   * @param tree the tree that it belongs to
   * @param number its inode number there
   * @param attributes its attributes
   * @param links how many names it has
   */
  Node(Tree tree, long number, Attributes attributes, long links) {
    this.tree = tree;
    this.number = number;
    this.attributes = attributes;
    this.links = links;
  }

  /** {@return the tree that it belongs to} */
  public final Tree tree() {
    return tree;
  }

  /** {@return the inode number, unique in the tree} */
  public final long number() {
    return number;
  }

  /** {@return the type} */
  public final FileType type() {
    return attributes().type();
  }

  /** {@return the attributes} A tree whose files change elsewhere overrides this. */
  public synchronized Attributes attributes() {
    return attributes;
  }

  /**
   * Changes the attributes. A change is a function, so that no other change is lost.
   *
   * @param change makes new attributes of those before
   * @throws IOException EROFS or EPERM if the tree does not allow it
   */
  public void change(UnaryOperator<Attributes> change) throws IOException {
    synchronized (this) {
      attributes = change.apply(attributes);
    }
  }

  /** {@return how many names it has; for a directory 2 and the directories in it} */
  public synchronized long links() {
    return links;
  }

  /** A name more or fewer; the last one that goes, of a file that is not open, releases it. */
  final void addLinks(int more) {
    synchronized (this) {
      links = Math.max(0, links + more);
    }
    releaseIfUnused();
  }

  /** {@return the size in bytes, as stat(2) tells it} */
  public abstract long size();

  /** {@return how many blocks of 512 bytes it takes up} */
  public long blocks() {
    return 0;
  }

  /**
   * Keeps the content although the last name may go, as an open file does.
   *
   * @throws FileException ENOENT if the last name is gone and nothing held it; not of a directory,
   *     which may be a working directory
   */
  public final synchronized void hold() throws FileException {
    if (released && !(this instanceof Directory)) {
      throw new FileException(Errno.ENOENT, "inode %d has no name any more".formatted(number));
    }
    if (holders == 0) {
      opened();
    }
    holders++;
  }

  /**
   * Called by the first {@link #hold}, before the content is used.
   *
   * @throws FileException if it cannot be opened: it is not held then
   */
  protected void opened() throws FileException {}

  /** Called by the last {@link #drop}, however many names there are. */
  protected void closed() {}

  /** Ends a {@link #hold}. */
  public final void drop() {
    synchronized (this) {
      holders--;
      if (holders == 0) {
        closed();
      }
    }
    releaseIfUnused();
  }

  private void releaseIfUnused() {
    synchronized (this) {
      if (released || holders > 0 || links > 0) {
        return;
      }
      released = true;
    }
    release();
  }

  /** Gives the content back: no name and no open file is left. */
  protected void release() {}

  private SortedMap<FileName, byte[]> loaded() throws IOException {
    if (extended == null) {
      extended = tree.extended(this);
    }
    return extended;
  }

  /**
   * {@return the extended attributes by name; not to be changed}
   *
   * @throws IOException EIO if the image is damaged there
   */
  public synchronized SortedMap<FileName, byte[]> extended() throws IOException {
    return Collections.unmodifiableSortedMap(new TreeMap<>(loaded()));
  }

  /** When an extended attribute may be set. */
  public enum Exists {
    /** Whether or not it exists. */
    EITHER,
    /** Only if it does not exist, XATTR_CREATE. */
    NO,
    /** Only if it exists, XATTR_REPLACE. */
    YES
  }

  /**
   * Sets or removes an extended attribute.
   *
   * @param name its name
   * @param value its value, null to remove it
   * @param exists whether it must exist
   * @throws IOException ENODATA or EEXIST as the last argument demands
   */
  public synchronized void setExtended(FileName name, byte[] value, Exists exists)
      throws IOException {
    boolean there = loaded().containsKey(name);
    if (there ? exists == Exists.NO : exists == Exists.YES) {
      throw new FileException(there ? Errno.EEXIST : Errno.ENODATA, "attribute " + name);
    }
    if (value == null) {
      extended.remove(name);
    } else {
      extended.put(name, value);
    }
    change(before -> before.withTimes(null, null));
  }
}
