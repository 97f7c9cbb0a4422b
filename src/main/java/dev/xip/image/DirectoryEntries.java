package dev.xip.image;

import dev.xip.base.FileName;
import java.io.IOException;

/** The entries of one directory, as its format stores them. Safe for any number of threads. */
public abstract class DirectoryEntries {
  /** The directory. */
  protected final Inode directory;

  /**
   * Prepares the reading of a directory.
   *
   * @param directory its inode
   */
  protected DirectoryEntries(Inode directory) {
    this.directory = directory;
  }

  /** Tells whether this is the directory of an inode. */
  final boolean isOf(Inode inode) {
    return inode.number() == directory.number()
        && inode.offset() == directory.offset()
        && inode.size() == directory.size();
  }

  /**
   * Passes every entry to a visitor.
   *
   * @param visitor receives them, {@code .} and {@code ..} included, and may stop
   * @throws IOException if the directory is damaged, or what the visitor threw
   */
  public abstract void list(DirEntryVisitor visitor) throws IOException;

  /**
   * Finds a name.
   *
   * @param name the name
   * @return the number of the inode that it names, or -1
   * @throws IOException if what is read for it is damaged
   */
  public abstract long find(FileName name) throws IOException;
}
