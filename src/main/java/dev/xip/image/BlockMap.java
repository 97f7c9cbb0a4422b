package dev.xip.image;

import java.util.Arrays;

/**
 * Where a file's bytes lie in the image: extents in file order, those contiguous in both merged,
 * and a {@link Verdict}. Bytes that no extent covers are a hole and read as zeros. Immutable;
 * stored as arrays of numbers, so that a look-up does not allocate.
 */
public final class BlockMap {
  private final Verdict verdict;
  private final long[] fileOffsets;
  private final long[] imageOffsets;
  private final long[] lengths;
  private final double extentsPerByte;

  private BlockMap(Verdict verdict, long[] fileOffsets, long[] imageOffsets, long[] lengths) {
    this.verdict = verdict;
    this.fileOffsets = fileOffsets;
    this.imageOffsets = imageOffsets;
    this.lengths = lengths;
    int last = fileOffsets.length - 1;
    this.extentsPerByte = last < 1 ? 0 : last / (double) (fileOffsets[last] - fileOffsets[0]);
  }

  /**
   * Makes a map without extents.
   *
   * @param verdict why there are none, or {@link Verdict#IN_PLACE} for a file that is all hole
   * @return the map
   */
  public static BlockMap empty(Verdict verdict) {
    return new Builder().build(verdict);
  }

  /** {@return whether the bytes can be used in place, or why not} */
  public Verdict verdict() {
    return verdict;
  }

  /** The same extents with another verdict. */
  BlockMap with(Verdict other) {
    return new BlockMap(other, fileOffsets, imageOffsets, lengths);
  }

  /** {@return the number of extents} */
  public int extentCount() {
    return fileOffsets.length;
  }

  /**
   * Returns one extent.
   *
   * @param index its number, from 0
   * @return the extent
   */
  public Extent extent(int index) {
    return new Extent(fileOffsets[index], imageOffsets[index], lengths[index]);
  }

  /**
   * Finds the extent that holds a byte, or the first one after it.
   *
   * @param fileOffset a byte offset in the file
   * @return the extent's number, {@link #extentCount} if none follows
   */
  public int indexAtOrAfter(long fileOffset) {
    int before = lastAtOrBefore(fileOffset);
    return before >= 0 && fileOffset < fileOffsets[before] + lengths[before] ? before : before + 1;
  }

  /**
   * Finds the last extent that starts at or before a byte, -1 if none does. Interpolation search,
   * as the extents of one file are mostly of similar length.
   */
  private int lastAtOrBefore(long fileOffset) {
    int count = fileOffsets.length;
    if (count == 0 || fileOffset < fileOffsets[0]) {
      return -1;
    }
    int low = (int) Math.min(count - 1, (fileOffset - fileOffsets[0]) * extentsPerByte);
    int high = low + 1;
    for (int step = 1; fileOffsets[low] > fileOffset; step *= 2) {
      high = low;
      low = Math.max(0, low - step);
    }
    for (int step = 1; high < count && fileOffsets[high] <= fileOffset; step *= 2) {
      low = high;
      high = Math.min(count, high + step);
    }
    int found = Arrays.binarySearch(fileOffsets, low, Math.max(high, low + 1), fileOffset);
    return found >= 0 ? found : -found - 2;
  }

  /** The file offset at which an extent starts; {@link Long#MAX_VALUE} past the last one. */
  long start(int index) {
    return index < fileOffsets.length ? fileOffsets[index] : Long.MAX_VALUE;
  }

  /** The file offset behind an extent. */
  long end(int index) {
    return fileOffsets[index] + lengths[index];
  }

  /** The image offset minus the file offset, the same for each byte of an extent. */
  long distance(int index) {
    return imageOffsets[index] - fileOffsets[index];
  }

  /**
   * Translates a file offset.
   *
   * @param fileOffset a byte offset in the file
   * @return its byte offset in the image, or -1 in a hole
   */
  public long imageOffset(long fileOffset) {
    int index = indexAtOrAfter(fileOffset);
    return index < fileOffsets.length && fileOffset >= fileOffsets[index]
        ? imageOffsets[index] + (fileOffset - fileOffsets[index])
        : -1;
  }

  /**
   * Returns the distance to the end of the extent or hole that holds a byte.
   *
   * @param fileOffset a byte offset in the file
   * @return the number of bytes, {@link Long#MAX_VALUE} less the offset in the last hole
   */
  public long runLength(long fileOffset) {
    int index = indexAtOrAfter(fileOffset);
    if (index == fileOffsets.length) {
      return Long.MAX_VALUE - fileOffset;
    }
    return fileOffset >= fileOffsets[index]
        ? fileOffsets[index] + lengths[index] - fileOffset
        : fileOffsets[index] - fileOffset;
  }

  /**
   * Counts the bytes that page-table entries of one unit each can map: whole units that are aligned
   * in the file and in the image.
   *
   * @param unit a power of two in bytes
   * @return the bytes, a multiple of the unit
   * @throws IllegalArgumentException if the unit is no power of two
   */
  public long alignedBytes(long unit) {
    if (Long.bitCount(unit) != 1 || unit < 0) {
      throw new IllegalArgumentException("unit 0x%x: expected a power of two".formatted(unit));
    }
    long sum = 0;
    for (int i = 0; i < fileOffsets.length; i++) {
      long first = Math.ceilDiv(fileOffsets[i], unit) * unit;
      boolean agrees = (distance(i) & unit - 1) == 0;
      sum += agrees ? Math.max(0, end(i) - first & -unit) : 0;
    }
    return sum;
  }

  /**
   * Collects extents in file order and merges neighbours. Has room for one at first, enough for
   * most files. Not thread safe.
   */
  public static final class Builder {
    private long[] fileOffsets = new long[1];
    private long[] imageOffsets = new long[1];
    private long[] lengths = new long[1];
    private int count;

    /** Makes an empty builder. */
    public Builder() {}

    /**
     * Adds a run.
     *
     * @param fileOffset where it starts in the file, in bytes, not before the last one's end
     * @param imageOffset where it starts in the image, in bytes
     * @param length its length in bytes, at least 1
     * @throws IllegalArgumentException if the runs are out of order
     */
    public void add(long fileOffset, long imageOffset, long length) {
      int last = count - 1;
      if (count > 0 && fileOffset < fileOffsets[last] + lengths[last]) {
        throw new IllegalArgumentException(
            "extent at file offset 0x%x overlaps the one before".formatted(fileOffset));
      }
      if (count > 0
          && fileOffset == fileOffsets[last] + lengths[last]
          && imageOffset == imageOffsets[last] + lengths[last]) {
        lengths[last] += length;
        return;
      }
      if (count == fileOffsets.length) {
        fileOffsets = Arrays.copyOf(fileOffsets, count * 2);
        imageOffsets = Arrays.copyOf(imageOffsets, count * 2);
        lengths = Arrays.copyOf(lengths, count * 2);
      }
      fileOffsets[count] = fileOffset;
      imageOffsets[count] = imageOffset;
      lengths[count] = length;
      count++;
    }

    /** {@return the number of extents so far} */
    public int extentCount() {
      return count;
    }

    /**
     * Makes the map. The builder must not be used afterwards.
     *
     * @param verdict whether the bytes can be used in place
     * @return the map
     */
    public BlockMap build(Verdict verdict) {
      if (count < fileOffsets.length) {
        fileOffsets = Arrays.copyOf(fileOffsets, count);
        imageOffsets = Arrays.copyOf(imageOffsets, count);
        lengths = Arrays.copyOf(lengths, count);
      }
      return new BlockMap(verdict, fileOffsets, imageOffsets, lengths);
    }
  }
}
