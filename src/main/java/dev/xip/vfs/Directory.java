package dev.xip.vfs;

import dev.xip.base.Errno;
import dev.xip.base.FileName;
import dev.xip.image.FileType;
import java.io.IOException;

/**
 * A directory. A tree that nothing can be made in needs {@link #find} and {@link #list} alone.
 * Names given to it are no dots, not empty, at most 255 bytes. Linux counterpart: {@code struct
 * inode_operations} and {@code struct dentry} of directories.
 */
public abstract non-sealed class Directory extends Node {
  /**
   * The first cookie that {@link #list} may give to an entry: {@code .} and {@code ..} have 1 and
   * 2.
   */
  public static final long FIRST_COOKIE = 3;

  private volatile Directory parent;
  private volatile FileName name;

  /**
   * Makes a directory.
   *
   * @param tree its tree
   * @param number its inode number
   * @param attributes its attributes
   * @param links 2 and the number of directories in it
   */
  protected Directory(Tree tree, long number, Attributes attributes, long links) {
    super(tree, number, attributes, links);
  }

  /** {@return the directory that it is in, or was in before it was removed; null for a root} */
  public final Directory parent() {
    return parent;
  }

  /** {@return its name there, null for the root of a tree} */
  public final FileName name() {
    return name;
  }

  /**
   * Says where it is. A tree calls this when it makes or moves it.
   *
   * @param newParent the directory that it is in
   * @param newName its name there
   */
  public final void place(Directory newParent, FileName newName) {
    parent = newParent;
    name = newName;
  }

  /**
   * Finds an entry.
   *
   * @param wanted its name
   * @return the node, null if there is none
   * @throws IOException EIO if the directory or the node cannot be read
   */
  public abstract Node find(FileName wanted) throws IOException;

  /** {@return whether it has no name any more: nothing can be made in it} */
  public final boolean isRemoved() {
    return links() == 0;
  }

  /** Receives the entries of a directory. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Receives one.
     *
     * @param name its name
     * @param number the inode number
     * @param type the type, perhaps not known
     * @param cookie where to go on after it
     * @return whether to go on
     */
    boolean entry(FileName name, long number, FileType type, long cookie);
  }

  /**
   * Lists the entries without dots, in the order of their cookies. An entry has the same cookie as
   * long as it exists, so that a listing that was cut off goes on behind it.
   *
   * @param after the cookie of the last entry that was received
   * @param visitor receives them; it does not wait
   * @throws IOException EIO if the directory cannot be read
   */
  public abstract void list(long after, Visitor visitor) throws IOException;

  /**
   * Makes an entry for a new node.
   *
   * @param entry its name
   * @param made describes the node
   * @return the node
   * @throws IOException EEXIST if the name exists, ENOENT if this directory was removed, ENOSPC,
   *     EROFS
   */
  public Node create(FileName entry, NewNode made) throws IOException {
    throw readOnly(entry);
  }

  /**
   * Makes a file without a name, O_TMPFILE.
   *
   * @param permissions the low twelve bits of its mode
   * @return the file
   * @throws IOException EOPNOTSUPP if the tree makes none
   */
  public RegularFile createNameless(int permissions) throws IOException {
    throw new FileException(Errno.EOPNOTSUPP, "a file without a name");
  }

  /**
   * Makes another entry for a node of this tree.
   *
   * @param entry its name
   * @param node no directory
   * @throws IOException EEXIST if the name exists, ENOENT if this directory was removed, EROFS
   */
  public void link(FileName entry, Node node) throws IOException {
    throw readOnly(entry);
  }

  /**
   * Removes an entry.
   *
   * @param entry its name
   * @param directory whether it must be a directory, which is empty
   * @throws IOException ENOENT, ENOTDIR, EISDIR, ENOTEMPTY, EROFS
   */
  public void remove(FileName entry, boolean directory) throws IOException {
    throw readOnly(entry);
  }

  /**
   * Moves an entry to a directory of the same tree.
   *
   * @param entry its name
   * @param to the directory that it goes to
   * @param toEntry its name there
   * @param how what happens to an entry of that name
   * @throws IOException ENOENT, EEXIST, ENOTDIR, EISDIR, ENOTEMPTY, EINVAL if a directory would be
   *     in itself, EROFS
   */
  public void rename(FileName entry, Directory to, FileName toEntry, Renaming how)
      throws IOException {
    throw readOnly(entry);
  }

  /** What a renaming does to an entry of the new name. */
  public enum Renaming {
    /** It is replaced. */
    REPLACE,
    /** EEXIST. */
    KEEP,
    /** It gets the old name. */
    EXCHANGE
  }

  private static FileException readOnly(FileName entry) {
    return new FileException(Errno.EROFS, entry + ": the directory cannot be changed");
  }

  @Override
  public long size() {
    return 0;
  }
}
