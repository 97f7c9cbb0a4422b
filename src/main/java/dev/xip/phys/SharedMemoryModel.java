package dev.xip.phys;

import dev.xip.base.Pages;

/**
 * pfn_valid of the patch of 15 January 2008
 * (1200402350.27120.28.camel@cotte.boeblingen.de.ibm.com): memory is there, and the list does not
 * call it shared. Its models differ in what they find on the list. Linux counterpart: the {@code
 * pfn_valid} and {@code pfn_in_shared_memory} of that mail; no release has them.
 */
abstract sealed class SharedMemoryModel extends MemSegsModel
    permits PostedModel, CorrectedModel, IntendedModel {
  SharedMemoryModel(long maxPfn, ListLock lock) {
    super(maxPfn, lock);
  }

  @Override
  public final boolean pfnValid(long pfn) {
    return pfnInKmap(pfn) && !pfnInSharedMemory(pfn);
  }

  private boolean pfnInSharedMemory(long pfn) {
    list.lock();
    try {
      return isShared(pfn << Pages.SHIFT);
    } finally {
      list.unlock();
    }
  }

  /** Whether the list calls the page at a physical address shared. The list is locked. */
  abstract boolean isShared(long address);
}
