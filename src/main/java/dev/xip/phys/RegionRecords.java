package dev.xip.phys;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.host.Reservation;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The records that regions brought along, in the same array as those of RAM: which frames have one,
 * and which pages of the array have memory. Changes are made under the monitor of {@link
 * PageFrames}; questions need no lock.
 */
final class RegionRecords {
  private final Reservation reservation;

  /** The first frame behind the records of RAM. */
  private final long ramEnd;

  /** Alternating first frames and ends of the regions, in no order. Replaced, never changed. */
  private volatile long[] bounds = {};

  /** The pages of the reservation that have memory. */
  private final BitSet pages = new BitSet();

  /**
   * Begins without regions.
   *
   * @param reservation where the records lie, those of RAM first, which have their memory
   * @param ramEnd the first frame behind the records of RAM
   */
  RegionRecords(Reservation reservation, long ramEnd) {
    this.reservation = reservation;
    this.ramEnd = ramEnd;
    pages.set(0, (int) Pages.covering(ramEnd * PageFrames.RECORD_BYTES));
  }

  /** {@return whether a frame belongs to a region} */
  boolean contain(long pfn) {
    long[] all = bounds;
    for (int i = 0; i < all.length; i += 2) {
      if (all[i] <= pfn && pfn < all[i + 1]) {
        return true;
      }
    }
    return false;
  }

  /** {@return the number of frames of regions behind the records of RAM} */
  long framesBehindRam() {
    long frames = 0;
    long[] all = bounds;
    for (int i = 0; i < all.length; i += 2) {
      frames += all[i + 1] - Math.clamp(ramEnd, all[i], all[i + 1]);
    }
    return frames;
  }

  /** {@return the first frame behind all regions; 0 without any} */
  long limit() {
    return Arrays.stream(bounds).max().orElse(0);
  }

  /** Gives memory to the records of a region. */
  void add(long first, long end) throws HostException {
    int page = (int) (first * PageFrames.RECORD_BYTES >>> Pages.SHIFT);
    int pageEnd = (int) Pages.covering(end * PageFrames.RECORD_BYTES);
    while ((page = pages.nextClearBit(page)) < pageEnd) {
      int taken = pages.nextSetBit(page);
      int runEnd = taken < 0 ? pageEnd : Math.min(taken, pageEnd);
      long bytes = (long) (runEnd - page) << Pages.SHIFT;
      reservation.mapAnonymous((long) page << Pages.SHIFT, bytes, Access.READ_WRITE);
      pages.set(page, runEnd);
    }
    long[] added = Arrays.copyOf(bounds, bounds.length + 2);
    added[added.length - 2] = first;
    added[added.length - 1] = end;
    bounds = added;
  }

  /**
   * Takes a region's records away, and the memory of those pages that hold no others. Precondition:
   * the records are zero.
   */
  void remove(long first, long end) throws HostException {
    int at = 0;
    while (bounds[at] != first) {
      at += 2;
    }
    long[] left = Arrays.copyOf(bounds, bounds.length - 2);
    System.arraycopy(bounds, at + 2, left, at, left.length - at);
    bounds = left;
    long start = Pages.roundUp(first * PageFrames.RECORD_BYTES);
    long unused = Pages.roundDown(end * PageFrames.RECORD_BYTES) - start;
    if (first >= ramEnd && unused > 0) {
      reservation.mapZeros(start, unused);
      pages.clear((int) (start >>> Pages.SHIFT), (int) (start + unused >>> Pages.SHIFT));
    }
  }
}
