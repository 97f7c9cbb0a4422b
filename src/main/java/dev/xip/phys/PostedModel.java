package dev.xip.phys;

/**
 * pfn_valid as posted on 15 January 2008 (1200402350.27120.28.camel@cotte.boeblingen.de.ibm.com),
 * to the letter. The range test of the walk can never be true: no chunk begins at or after the
 * address and ends before it. So the walk, under the mutex, excludes no page, and a page of a
 * segment is valid as before.
 */
public final class PostedModel extends SharedMemoryModel {
  /**
   * Makes a model whose list is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   * @param lock the lock of the list; the mail has the mutex
   */
  public PostedModel(long maxPfn, ListLock lock) {
    super(maxPfn, lock);
  }

  @Override
  public String name() {
    return "mem_segs as posted";
  }

  @Override
  boolean isShared(long address) {
    for (MemSegs.Node each = list.first(); each != null; each = each.next) {
      if (each.start >= address && each.start + each.size - 1 < address) {
        return true;
      }
    }
    return false;
  }
}
