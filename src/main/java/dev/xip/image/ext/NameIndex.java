package dev.xip.image.ext;

import dev.xip.base.FileName;
import java.io.IOException;
import java.util.Random;

/**
 * Hash table from names to the entries of one directory, with open addressing: 8 bytes for each
 * place, at most half of which are taken. The first entry of a name counts. Not thread safe while
 * entries are added.
 */
final class NameIndex {
  /** Bits of a place that hold the byte offset of an entry; those above hold bits of the hash. */
  private static final int OFFSET_BITS = 48;

  private static final long OFFSET = (1L << OFFSET_BITS) - 1;

  /** Random in each JVM, so that no image can hold names made to collide. */
  private static final long KEY = new Random().nextLong() | 1;

  private final DirectoryBlocks directory;

  /** 0 for an empty place: no entry lies at the start of an image. The length is a power of two. */
  private long[] table = new long[16];

  private int count;

  /** Makes an empty index of a directory. */
  NameIndex(DirectoryBlocks directory) {
    this.directory = directory;
  }

  /**
   * Adds an entry, unless there is one of the same name.
   *
   * @param at its byte offset in the image, below 2^48
   * @return the byte offset of the entry of that name that was added before, -1 if there is none
   * @throws IOException if one of the two entries is damaged
   */
  long add(long at) throws IOException {
    if (count == table.length / 2) {
      grow();
    }
    int hash = directory.hash(at);
    int i = hash & table.length - 1;
    for (; table[i] != 0; i = i + 1 & table.length - 1) {
      if (mayBe(table[i], hash) && directory.haveOneName(table[i] & OFFSET, at)) {
        return table[i] & OFFSET;
      }
    }
    table[i] = (long) (hash >>> 16) << OFFSET_BITS | at;
    count++;
    return -1;
  }

  private void grow() throws IOException {
    long[] old = table;
    table = new long[2 * old.length];
    for (long each : old) {
      if (each != 0) {
        int i = directory.hash(each & OFFSET) & table.length - 1;
        while (table[i] != 0) {
          i = i + 1 & table.length - 1;
        }
        table[i] = each;
      }
    }
  }

  private static boolean mayBe(long place, int hash) {
    return place >>> OFFSET_BITS == hash >>> 16;
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
    for (int i = hash & table.length - 1; table[i] != 0; i = i + 1 & table.length - 1) {
      if (mayBe(table[i], hash)) {
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
}
