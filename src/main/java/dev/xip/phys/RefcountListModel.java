package dev.xip.phys;

import dev.xip.base.Pages;

/**
 * {@code mixedmap_refcount_pfn}: a mark on the list of memory chunks says "refcount this one". The
 * mark was proposed on 21 December 2007 (20071221104701.GE28484@wotan.suse.de), which named the
 * function; it was posted on 8 January 2008 (1199784963.25114.31.camel@cotte.boeblingen.de.ibm.com)
 * as a walk of {@code mem_segs} under {@code vmem_mutex}. That patch has no mark and the range test
 * of {@link PostedModel}, so it counts every page; here the walk does what both mails want. A page
 * that is on no chunk is counted, as in the patch. Outside VM_MIXEDMAP s390's own pfn_valid ({@link
 * LraModel}) is asked as before.
 */
public final class RefcountListModel extends MemSegsModel {
  /**
   * Makes a model whose list is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   */
  public RefcountListModel(long maxPfn) {
    super(maxPfn, ListLock.MUTEX);
  }

  @Override
  public String name() {
    return "mixedmap_refcount_pfn";
  }

  /** Answers as {@link LraModel} does. */
  @Override
  public boolean pfnValid(long pfn) {
    return pfnInKmap(pfn);
  }

  /**
   * Tells whether a page of a mapping with MIXEDMAP is counted.
   *
   * @param pfn a page frame number
   * @return false if the chunk that it lies in is marked as not counted
   * @throws dev.xip.base.SleepingInAtomicException if the caller may not sleep
   */
  public boolean mixedmapRefcountPfn(long pfn) {
    list.lock();
    try {
      MemSegs.Node found = list.find(pfn << Pages.SHIFT);
      return found == null || found.refcounted;
    } finally {
      list.unlock();
    }
  }
}
