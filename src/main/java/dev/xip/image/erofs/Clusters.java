package dev.xip.image.erofs;

import java.util.Arrays;

/**
 * The extents of one compressed file in file order, each with what must be done to its bytes. They
 * cover the file without a gap. Immutable; stored as arrays of numbers.
 */
final class Clusters {
  private static final int LENGTH_BITS = 22;
  private static final int LENGTH_MASK = (1 << LENGTH_BITS) - 1;
  private static final int BESIDE_INODE = 1 << 30;
  private static final Form[] FORMS = Form.values();

  private final long size;
  private final long[] starts;
  private final long[] places;

  /** The form, whether the bytes lie beside the inode, and how many are stored. */
  private final int[] kinds;

  /** How the bytes of an extent are stored. */
  enum Form {
    /** Not at all: they are zeros. */
    HOLE,
    /** As they are. */
    PLAIN,
    /**
     * As they are, but rotated so that each has the offset in its block that it has in the file.
     */
    INTERLACED,
    /** Compressed by LZ4. */
    LZ4,
    /** As a piece of the packed file, whose offset takes the place of that in the image. */
    FRAGMENT
  }

  private Clusters(long size, long[] starts, long[] places, int[] kinds) {
    this.size = size;
    this.starts = starts;
    this.places = places;
    this.kinds = kinds;
  }

  /** {@return the number of the extent that holds a byte of the file} */
  int indexOf(long fileOffset) {
    int found = Arrays.binarySearch(starts, fileOffset);
    return found >= 0 ? found : -found - 2;
  }

  /** {@return how many extents there are} */
  int count() {
    return starts.length;
  }

  /** {@return where an extent starts in the file} */
  long start(int index) {
    return starts[index];
  }

  /** {@return the file offset behind an extent} */
  long end(int index) {
    return index + 1 < starts.length ? starts[index + 1] : size;
  }

  /** {@return how the bytes of an extent are stored} */
  Form form(int index) {
    return FORMS[kinds[index] >> LENGTH_BITS & 7];
  }

  /** {@return the byte offset of what is stored} */
  long place(int index) {
    return places[index];
  }

  /** {@return how many bytes are stored} */
  int stored(int index) {
    return kinds[index] & LENGTH_MASK;
  }

  /** {@return whether the bytes are stored beside the inode, wherever that is} */
  boolean isBesideInode(int index) {
    return (kinds[index] & BESIDE_INODE) != 0;
  }

  /** Collects extents in file order. Not thread safe. */
  static final class Builder {
    private long[] starts = new long[4];
    private long[] places = new long[4];
    private int[] kinds = new int[4];
    private int count;

    /**
     * Adds an extent, which ends where the next one starts.
     *
     * @param start where it starts in the file, behind the start of the one before
     * @param form how its bytes are stored
     * @param place the byte offset of what is stored
     * @param stored how many bytes are stored, below 2^22
     * @param besideInode whether they are stored in what the inode lies in, instead of the image
     */
    void add(long start, Form form, long place, int stored, boolean besideInode) {
      if (count == starts.length) {
        starts = Arrays.copyOf(starts, 2 * count);
        places = Arrays.copyOf(places, 2 * count);
        kinds = Arrays.copyOf(kinds, 2 * count);
      }
      starts[count] = start;
      places[count] = place;
      kinds[count] = form.ordinal() << LENGTH_BITS | stored | (besideInode ? BESIDE_INODE : 0);
      count++;
    }

    /** {@return how many extents there are so far} */
    int count() {
      return count;
    }

    Clusters build(long size) {
      return new Clusters(
          size,
          Arrays.copyOf(starts, count),
          Arrays.copyOf(places, count),
          Arrays.copyOf(kinds, count));
    }
  }
}
