package dev.xip.image.ext;

import dev.xip.base.FileName;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;

/**
 * Hash table from names to the entries of one directory, with open addressing: of names that
 * collide, the first in the directory comes first. Immutable.
 */
final class NameIndex {
  /** Stands for a directory that is too damaged to be indexed. */
  static final NameIndex UNUSABLE = new NameIndex(null, new long[0]);

  /** Bits of a slot that hold the byte offset of an entry; those above hold bits of the hash. */
  private static final int OFFSET_BITS = 48;

  private static final long OFFSET = (1L << OFFSET_BITS) - 1;

  /** Random in each JVM, so that no image can hold names made to collide. */
  private static final long KEY = new Random().nextLong() | 1;

  private final DirectoryBlocks directory;

  /** Slots, 0 for an empty one: no entry lies at the start of an image. A power of two. */
  private final long[] table;

  private NameIndex(DirectoryBlocks directory, long[] table) {
    this.directory = directory;
    this.table = table;
  }

  boolean isUsable() {
    return table.length > 0;
  }

  /**
   * Finds a name.
   *
   * @param name the name
   * @return the number of the inode that it names, or -1
   * @throws IOException if an entry is no longer what it was
   */
  long find(FileName name) throws IOException {
    int hash = hash(name);
    int mask = table.length - 1;
    for (int i = hash & mask; table[i] != 0; i = i + 1 & mask) {
      if (table[i] >>> OFFSET_BITS == hash >>> 16) {
        long inode = directory.inodeIf(table[i] & OFFSET, name);
        if (inode >= 0) {
          return inode;
        }
      }
    }
    return -1;
  }

  /** Hashes a whole name. */
  static int hash(FileName name) {
    long hash = 0;
    for (int i = 0; i < name.length(); i++) {
      hash = hashed(hash, name.at(i));
    }
    return folded(hash);
  }

  /** Adds a byte of a name to its hash, which begins with 0. */
  static long hashed(long hash, int nextByte) {
    return (hash + (nextByte & 0xff)) * KEY;
  }

  /** Reduces the hash of a whole name to 32 bits: the upper half, which every byte changes. */
  static int folded(long hash) {
    return (int) (hash >>> Integer.SIZE);
  }

  /** Collects entries in the order of the directory. Not thread safe. */
  static final class Builder {
    private long[] offsets = new long[64];
    private int[] hashes = new int[64];
    private int count;

    /**
     * Adds an entry.
     *
     * @param hash the {@link #folded} hash of its name
     * @param at its byte offset in the image, below 2^48
     */
    void add(int hash, long at) {
      if (count == offsets.length) {
        offsets = Arrays.copyOf(offsets, 2 * count);
        hashes = Arrays.copyOf(hashes, 2 * count);
      }
      offsets[count] = at;
      hashes[count] = hash;
      count++;
    }

    NameIndex build(DirectoryBlocks directory) {
      long[] table = new long[Integer.highestOneBit(count) << 2];
      for (int entry = 0; entry < count; entry++) {
        int i = hashes[entry] & table.length - 1;
        while (table[i] != 0) {
          i = i + 1 & table.length - 1;
        }
        table[i] = (long) (hashes[entry] >>> 16) << OFFSET_BITS | offsets[entry];
      }
      return new NameIndex(directory, table);
    }
  }
}
