package dev.xip.phys;

import dev.xip.base.AtomicContext;

/**
 * Every frame number of the machine is valid unless a loaded segment holds it, and the list of
 * segments is walked under the mutex that loading takes. This is what s390 could have done without
 * a special bit, and two objections of January 2008 are in it: the mutex may sleep where {@code
 * vm_normal_page} is called with an entry lock held, and before the list is filled a segment's
 * pages are taken for RAM. Linux counterpart: {@code dcss_lock} around {@code dcss_list}
 * (arch/s390/mm/extmem.c).
 */
public final class MutexListModel implements MemoryModel {
  private final long maxPfn;
  private final Object mutex = new Object();
  private final SegmentList segments = new SegmentList();

  /**
   * Makes a model whose list is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   */
  public MutexListModel(long maxPfn) {
    this.maxPfn = maxPfn;
  }

  @Override
  public String name() {
    return "list, mutex";
  }

  @Override
  public boolean pfnValid(long pfn) {
    if (pfn < 0 || pfn >= maxPfn) {
      return false;
    }
    mightSleep();
    synchronized (mutex) {
      return !segments.holds(pfn);
    }
  }

  @Override
  public void addSegment(Region segment) {
    mightSleep();
    synchronized (mutex) {
      segments.add(segment);
    }
  }

  @Override
  public void removeSegment(Region segment) {
    mightSleep();
    synchronized (mutex) {
      segments.remove(segment);
    }
  }

  /** Checks as {@code mutex_lock} does, even if the mutex is free. */
  private static void mightSleep() {
    AtomicContext.mightSleep("the mutex of the segment list");
  }
}
