package dev.xip.image;

import dev.xip.base.ByteView;
import dev.xip.base.FileName;
import dev.xip.base.MalformedDataException;
import java.io.IOException;
import java.util.Random;

/**
 * Hash table from names to the entries of one directory, with open addressing: 8 bytes for each
 * place, at most half of which are taken, and at most a small part of the heap. The first entry of
 * a name counts. Not thread safe while entries are added.
 */
public final class NameIndex {
  /** Bits of a place that hold an entry; those above hold bits of the hash. */
  private static final int ENTRY_BITS = 48;

  private static final long ENTRY = (1L << ENTRY_BITS) - 1;

  /** Random in each JVM, so that no image can hold names made to collide. */
  private static final long KEY = new Random().nextLong() | 1;

  private static final long SEED = new Random().nextLong();

  private final Entries entries;

  /** The most places that an index has: they take a 32nd of the heap. */
  private static final long MOST_PLACES = Runtime.getRuntime().maxMemory() / 32 / Long.BYTES;

  /** The entry with bits of its hash, 0 for an empty place. The length is a power of two. */
  private long[] table = new long[16];

  /**
   * The number of the inode of the entry in each place: a processor that guesses that the name is
   * the right one loads the inode while it still waits for the entry. Null if nothing is found by
   * this index.
   */
  private long[] inodes;

  private int count;

  /**
   * The entries of a directory. A format chooses the number by which it finds one again, 1 to
   * 2^48-1.
   */
  public interface Entries {
    /**
     * Hashes a name.
     *
     * @param entry the number of an entry
     * @return the hash by which its name is found, see {@link #hash(ByteView, long, int)}
     * @throws IOException if the entry is damaged
     */
    int hash(long entry) throws IOException;

    /**
     * Compares the name of an entry with another.
     *
     * @param entry the number of the entry
     * @param key the name that is looked for
     * @return whether the entry has that name
     * @throws IOException if the entry is damaged
     */
    boolean isNamed(long entry, FileName key) throws IOException;

    /**
     * Returns the inode that an entry names.
     *
     * @param entry the number of the entry
     * @return the number of the inode, at least 0
     * @throws IOException if the entry is damaged
     */
    long inode(long entry) throws IOException;

    /**
     * Compares the names of two entries.
     *
     * @param one the number of an entry
     * @param other the number of another
     * @return whether their names count as one
     * @throws IOException if one of them is damaged
     */
    boolean haveOneName(long one, long other) throws IOException;
  }

  /**
   * Makes an empty index.
   *
   * @param entries the directory's entries
   * @param finds whether names will be found by it; if not, it only tells of names that are there
   *     twice, and takes half the memory
   */
  public NameIndex(Entries entries, boolean finds) {
    this.entries = entries;
    this.inodes = finds ? new long[table.length] : null;
  }

  /**
   * Tells whether there is no room for more entries. Those that are added then are left out.
   *
   * @return whether the index takes all the memory that it may
   */
  public boolean isFull() {
    return count == table.length / 2 && 2L * table.length > MOST_PLACES;
  }

  /**
   * Adds an entry, unless there is one of the same name.
   *
   * @param entry its number
   * @return the number of the entry of that name that was added before, -1 if there is none
   * @throws IOException if one of the two entries is damaged
   */
  public long add(long entry) throws IOException {
    int hash = entries.hash(entry);
    int i = place(hash);
    for (; table[i] != 0; i = next(i)) {
      if (mayBe(table[i], hash) && entries.haveOneName(table[i] & ENTRY, entry)) {
        return table[i] & ENTRY;
      }
    }
    if (!isFull()) {
      put(i, hash, entry);
    }
    return -1;
  }

  private void put(int empty, int hash, long entry) throws IOException {
    int i = empty;
    if (count == table.length / 2) {
      grow();
      for (i = place(hash); table[i] != 0; i = next(i)) {}
    }
    table[i] = (long) (hash >>> 16) << ENTRY_BITS | entry;
    if (inodes != null) {
      inodes[i] = entries.inode(entry);
    }
    count++;
  }

  private void grow() throws IOException {
    long[] old = table;
    long[] oldInodes = inodes;
    table = new long[2 * old.length];
    inodes = oldInodes == null ? null : new long[table.length];
    for (int from = 0; from < old.length; from++) {
      if (old[from] != 0) {
        int i = place(entries.hash(old[from] & ENTRY));
        while (table[i] != 0) {
          i = next(i);
        }
        table[i] = old[from];
        if (inodes != null) {
          inodes[i] = oldInodes[from];
        }
      }
    }
  }

  private int place(int hash) {
    return hash & table.length - 1;
  }

  private int next(int place) {
    return place + 1 & table.length - 1;
  }

  private static boolean mayBe(long place, int hash) {
    return place >>> ENTRY_BITS == hash >>> 16;
  }

  /**
   * Finds a name. Precondition: the index was made for that.
   *
   * @param name the name
   * @return the number of the inode that it names, or -1
   * @throws IOException if an entry is no longer what it was
   */
  public long find(FileName name) throws IOException {
    int hash = hash(name);
    for (int i = place(hash); table[i] != 0; i = next(i)) {
      if (mayBe(table[i], hash) && entries.isNamed(table[i] & ENTRY, name)) {
        return inodes[i];
      }
    }
    return -1;
  }

  /**
   * Hashes a name. It equals the hash of the same bytes in an image.
   *
   * @param name the name
   * @return its hash
   */
  public static int hash(FileName name) {
    long hash = SEED + name.length();
    for (int i = 0; i < name.length(); i += Long.BYTES) {
      hash = mixed(hash, name.word(i));
    }
    return folded(hash);
  }

  /**
   * Hashes a name in an image.
   *
   * @param view the image
   * @param at the byte offset of the name
   * @param length its length in bytes
   * @return its hash
   * @throws MalformedDataException if the image ends before
   */
  public static int hash(ByteView view, long at, int length) throws MalformedDataException {
    long hash = SEED + length;
    for (int i = 0; i < length; i += Long.BYTES) {
      hash = mixed(hash, view.word(at + i, length - i));
    }
    return folded(hash);
  }

  /** The two halves of a product of 128 bits: every bit of the word changes both. */
  private static long mixed(long hash, long word) {
    long both = hash ^ word;
    return Math.multiplyHigh(both, KEY) ^ both * KEY;
  }

  private static int folded(long hash) {
    return (int) (hash ^ hash >>> Integer.SIZE);
  }
}
