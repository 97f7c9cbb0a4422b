package dev.xip.phys;

/**
 * {@link PostedModel} with the range test put right. RAM is on the list as well, so it counts as
 * shared: once the list is filled, pfn_valid is false for every page of the machine. No mail has
 * this version; it is what the patch of 15 January 2008
 * (1200402350.27120.28.camel@cotte.boeblingen.de.ibm.com) would have done with the test alone
 * corrected.
 */
public final class CorrectedModel extends SharedMemoryModel {
  /**
   * Makes a model whose list is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   * @param lock the lock of the list; the mail has the mutex
   */
  public CorrectedModel(long maxPfn, ListLock lock) {
    super(maxPfn, lock);
  }

  @Override
  public String name() {
    return "mem_segs, test put right";
  }

  @Override
  boolean isShared(long address) {
    return list.find(address) != null;
  }
}
