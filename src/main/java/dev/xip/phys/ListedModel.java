package dev.xip.phys;

import dev.xip.base.Pages;

/**
 * pfn_valid by the list of memory alone: on it, and marked as counted. It shows objection d of 15
 * January 2008 (1200402350.27120.28.camel@cotte.boeblingen.de.ibm.com): until a core_initcall fills
 * the list, RAM is not valid. The mail names the way round it, to take memory for valid while the
 * list is not initialised; the patch below the objection has that in effect, because its list
 * excludes pages and is empty at first. No mail has this version; it is derived from the objection.
 */
public final class ListedModel extends MemSegsModel {
  /**
   * Makes a model whose list is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   * @param lock the lock of the list
   */
  public ListedModel(long maxPfn, ListLock lock) {
    super(maxPfn, lock);
  }

  @Override
  public String name() {
    return "mem_segs alone";
  }

  @Override
  public boolean pfnValid(long pfn) {
    list.lock();
    try {
      MemSegs.Node found = list.find(pfn << Pages.SHIFT);
      return found != null && found.refcounted;
    } finally {
      list.unlock();
    }
  }
}
