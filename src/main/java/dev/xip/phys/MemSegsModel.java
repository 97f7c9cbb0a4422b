package dev.xip.phys;

import dev.xip.base.AddrRange;

/**
 * The kernel's mapping and the list of memory chunks, as the patches of January 2008 for s390 use
 * them. RAM is on the list from {@link BootStep#MEMORY_CHUNKS} on; pfn_valid is asked before.
 */
abstract sealed class MemSegsModel implements MemoryModel
    permits SharedMemoryModel, RefcountListModel, ListedModel {
  private final LraModel kernelMap;

  /** {@code mem_segs}. */
  final MemSegs list;

  MemSegsModel(long maxPfn, ListLock lock) {
    kernelMap = new LraModel(maxPfn);
    list = new MemSegs(lock);
  }

  /**
   * Whether the address is in the kernel's mapping: the old pfn_valid. Linux counterpart: {@code
   * __pfn_in_kmap} of the patch of 15 January.
   */
  final boolean pfnInKmap(long pfn) {
    return kernelMap.pfnValid(pfn);
  }

  @Override
  public final int chunksWalked() {
    return list.size();
  }

  @Override
  public final void map(AddrRange range) {
    kernelMap.map(range);
  }

  @Override
  public final void unmap(AddrRange range) {
    kernelMap.unmap(range);
  }

  @Override
  public final void addChunk(MemoryChunk chunk) {
    list.add(chunk);
  }

  @Override
  public final void removeChunk(MemoryChunk chunk) {
    list.remove(chunk);
  }
}
