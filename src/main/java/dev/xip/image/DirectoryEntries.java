package dev.xip.image;

import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import java.io.IOException;

/**
 * The entries of one directory, as its format stores them. A name is searched for as the format
 * does it, until searches have taken as long as reading the whole directory does; from then on an
 * index of all names answers. Safe for any number of threads.
 */
public abstract class DirectoryEntries implements NameIndex.Entries {
  /** The directory. */
  protected final Inode directory;

  /** The bytes that searches have read. Not volatile: two threads may both count to the same. */
  private long searched;

  /** Null until searches have read the directory once. */
  private volatile NameIndex index;

  /** Whether it is too damaged or too large to be indexed. */
  private volatile boolean unindexed;

  /** Receives an entry that is in use and was checked. */
  @FunctionalInterface
  protected interface Scan {
    /**
     * Receives it.
     *
     * @param entry its number, see {@link NameIndex.Entries}
     * @return true to go on
     * @throws IOException to end the scan
     */
    boolean entry(long entry) throws IOException;
  }

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

  /**
   * Finds a name in the entries that {@link #scan} passes on.
   *
   * @param key the name, in the form in which names are compared
   * @return the number of the inode that it names, or -1
   * @throws IOException if what is read for it is damaged
   */
  protected final long findKey(FileName key) throws IOException {
    NameIndex known = index;
    if (known == null && searched >= directory.size() && !unindexed) {
      known = buildIndex();
      index = known;
    }
    return known == null ? search(key) : known.find(key);
  }

  /**
   * A damaged directory gets no index: each search reads blocks up to the damage. Nor does one of
   * so many names that their index would take too much of the heap.
   */
  private NameIndex buildIndex() throws IOException {
    NameIndex names = new NameIndex(this, true);
    try {
      boolean whole =
          scan(
              entry -> {
                names.add(entry);
                return !names.isFull();
              });
      if (whole) {
        return names;
      }
    } catch (MalformedDataException damage) {
      // Told of by each search that comes to it.
    }
    unindexed = true;
    return null;
  }

  /**
   * Notes what a search has cost.
   *
   * @param bytes how many bytes of the directory could have been scanned in that time
   */
  protected final void addSearched(int bytes) {
    searched += bytes;
  }

  /**
   * Searches for a name without an index, and notes the cost by {@link #addSearched}.
   *
   * @param key as for {@link #findKey}
   * @return the number of the inode that it names, or -1
   * @throws IOException if what is read for it is damaged
   */
  protected abstract long search(FileName key) throws IOException;

  /**
   * Reads and checks all entries that the directory holds.
   *
   * @param scan receives each that is in use
   * @return whether the scan went on to the end
   * @throws IOException if the directory is damaged, or what the receiver threw
   */
  protected abstract boolean scan(Scan scan) throws IOException;
}
