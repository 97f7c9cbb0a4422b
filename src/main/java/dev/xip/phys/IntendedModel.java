package dev.xip.phys;

/**
 * What the patch of 15 January 2008 (1200402350.27120.28.camel@cotte.boeblingen.de.ibm.com) was
 * meant to say: memory is there, and it is no segment. It needs a mark on the list that tells
 * segments from RAM. All four objections of that mail hold: the mutex sleeps where {@code
 * vm_normal_page} is called (a), each question walks the list (b) and calls up from core code (c),
 * and the list is asked before it is filled (d), which is harmless only because it excludes pages:
 * see {@link ListedModel}. Under a spin lock the first is gone. No release has it.
 */
public final class IntendedModel extends SharedMemoryModel {
  private final ListLock lock;

  /**
   * Makes a model whose list is empty.
   *
   * @param maxPfn the first frame number that the machine cannot have
   * @param lock the lock of the list
   */
  public IntendedModel(long maxPfn, ListLock lock) {
    super(maxPfn, lock);
    this.lock = lock;
  }

  @Override
  public String name() {
    return lock == ListLock.MUTEX ? "mem_segs, mutex" : "mem_segs, spin lock";
  }

  @Override
  boolean isShared(long address) {
    MemSegs.Node found = list.find(address);
    return found != null && !found.refcounted;
  }
}
