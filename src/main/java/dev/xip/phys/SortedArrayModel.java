package dev.xip.phys;

import dev.xip.base.Pages;
import java.util.Arrays;

/**
 * Every frame number of the machine is valid unless a loaded segment holds it, found by binary
 * search in a sorted array. A change publishes a new array, so readers take no lock and never wait.
 * No look-up of segments does better; its cost still grows with their number, and it still answers
 * wrongly before it is filled. It stands for the run-time structure of memory regions that the mail
 * of 16 January 2008 found reasonable (20080116042205.GB29681@wotan.suse.de); no mail has a patch.
 */
public final class SortedArrayModel implements MemoryModel {
  private final long maxPfn;

  /**
   * Alternating starts and ends of segments, ascending; segments are disjoint. Replaced, never
   * changed, by writers that hold this object's monitor.
   */
  private volatile long[] bounds = {};

  /**
   * Makes a model whose array is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   */
  public SortedArrayModel(long maxPfn) {
    this.maxPfn = maxPfn;
  }

  @Override
  public String name() {
    return "sorted array";
  }

  @Override
  public boolean pfnValid(long pfn) {
    // After an odd number of bounds a segment has begun and not ended.
    return pfn >= 0 && pfn < maxPfn && (boundsUpTo(bounds, pfn) & 1) == 0;
  }

  /** The number of bounds that are not above a pfn. */
  private static int boundsUpTo(long[] bounds, long pfn) {
    int low = 0;
    int high = bounds.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (bounds[middle] <= pfn) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  @Override
  public synchronized void addChunk(MemoryChunk chunk) {
    if (chunk.refcounted()) {
      return;
    }
    long[] old = bounds;
    long first = chunk.range().start() >>> Pages.SHIFT;
    int at = boundsUpTo(old, first);
    long[] more = new long[old.length + 2];
    System.arraycopy(old, 0, more, 0, at);
    more[at] = first;
    more[at + 1] = chunk.range().end() >>> Pages.SHIFT;
    System.arraycopy(old, at, more, at + 2, old.length - at);
    bounds = more;
  }

  @Override
  public synchronized void removeChunk(MemoryChunk chunk) {
    if (chunk.refcounted()) {
      return;
    }
    long[] old = bounds;
    int at = boundsUpTo(old, chunk.range().start() >>> Pages.SHIFT) - 1;
    long[] less = Arrays.copyOf(old, old.length - 2);
    System.arraycopy(old, at + 2, less, at, less.length - at);
    bounds = less;
  }
}
