package dev.xip.phys;

import dev.xip.base.SpinLock;

/**
 * The list of {@link MutexListModel} under a spin lock: legal under an entry lock, but all
 * processors contend for one lock at every entry, and loading a segment may no longer sleep while
 * it changes the list. Linux counterpart: {@code dcss_lock} before 2.6.20.
 */
public final class SpinListModel implements MemoryModel {
  private final long maxPfn;
  private final SpinLock lock = new SpinLock("segment list lock");
  private final SegmentList segments = new SegmentList();

  /**
   * Makes a model whose list is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   */
  public SpinListModel(long maxPfn) {
    this.maxPfn = maxPfn;
  }

  @Override
  public String name() {
    return "list, spin lock";
  }

  @Override
  public boolean pfnValid(long pfn) {
    if (pfn < 0 || pfn >= maxPfn) {
      return false;
    }
    lock.lock();
    try {
      return !segments.holds(pfn);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void addSegment(Region segment) {
    lock.lock();
    try {
      segments.add(segment);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void removeSegment(Region segment) {
    lock.lock();
    try {
      segments.remove(segment);
    } finally {
      lock.unlock();
    }
  }
}
