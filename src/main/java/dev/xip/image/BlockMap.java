package dev.xip.image;

import java.util.Arrays;

/**
 * Where a file's bytes lie: extents in file order, merged where both file and image go on without a
 * gap, and a {@link Verdict}. What no extent covers is a hole and reads as zeros. Immutable; kept
 * as arrays of numbers, so that a look-up makes no garbage.
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

  /**
   * Returns the verdict.
   *
   * @return whether the bytes can be used in place
   */
  public Verdict verdict() {
    return verdict;
  }

  /**
   * Returns how many extents there are.
   *
   * @return the count
   */
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
   * Finds the last extent that starts at or before a byte, -1 if none does. Extents of one file are
   * mostly of like length, so the search begins where the byte would be if all were.
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

  /** Where an extent starts in the file; past the last one, where no byte is. */
  long start(int index) {
    return index < fileOffsets.length ? fileOffsets[index] : Long.MAX_VALUE;
  }

  /** Where an extent ends in the file. */
  long end(int index) {
    return fileOffsets[index] + lengths[index];
  }

  /** What to add to a byte's place in the file to get its place in the image, in an extent. */
  long distance(int index) {
    return imageOffsets[index] - fileOffsets[index];
  }

  /**
   * Says where a byte lies.
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
   * Says how far the answer of {@link #imageOffset} goes on: to the end of the extent, or of the
   * hole.
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
   * Adds up the extents.
   *
   * @return the bytes that lie in the image
   */
  public long mappedBytes() {
    return Arrays.stream(lengths).sum();
  }

  /**
   * Adds up the parts of the extents that one page-table entry each can map: whole units of image
   * and file alike, where place in the file and place in the image agree.
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
   * Collects extents in file order and merges neighbours. Begins with room for one, which is all
   * that most files have. Not thread safe.
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

    /**
     * Makes the map, and ends the use of this builder.
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
