package dev.xip.phys;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;

/**
 * s390's own pfn_valid of 2.6.24: is there memory behind the address? It says yes to a loaded
 * segment, which the kernel maps but has no page frames for. That clash made the thread necessary
 * (8 January 2008, 20080108115536.GB460@wotan.suse.de): the same segment may be added as ordinary
 * memory, with page frames, or hold a file system, without; both are in the kernel's mapping. Linux
 * counterpart: {@code pfn_valid} (include/asm-s390/page.h of 2.6.24), which is the instruction LRA.
 *
 * <p>The kernel's mapping is a table of one bit a page. A reader that races with a change sees a
 * page mapped or not, and either was true a moment ago.
 */
public final class LraModel implements MemoryModel {
  /** log2 of the pages of one root: as many bits as a page holds. */
  private static final int ROOT_BITS = 15;

  private final long maxPfn;
  private final long[][] roots;

  /**
   * Makes a model of an empty mapping.
   *
   * @param maxPfn the first frame number that the machine cannot have
   */
  public LraModel(long maxPfn) {
    this.maxPfn = maxPfn;
    this.roots = new long[(int) (maxPfn + (1 << ROOT_BITS) - 1 >>> ROOT_BITS)][];
  }

  @Override
  public String name() {
    return "LRA";
  }

  @Override
  public boolean pfnValid(long pfn) {
    if (pfn < 0 || pfn >= maxPfn) {
      return false;
    }
    long[] root = roots[(int) (pfn >>> ROOT_BITS)];
    return root != null && (root[(int) pfn >>> 6 & (1 << ROOT_BITS - 6) - 1] >>> pfn & 1) != 0;
  }

  @Override
  public void map(AddrRange range) {
    set(range, true);
  }

  @Override
  public void unmap(AddrRange range) {
    set(range, false);
  }

  private synchronized void set(AddrRange range, boolean mapped) {
    long end = range.end() >>> Pages.SHIFT;
    for (long pfn = range.start() >>> Pages.SHIFT; pfn < end; ) {
      long next = Math.min(end, (pfn | 63) + 1);
      int root = (int) (pfn >>> ROOT_BITS);
      if (roots[root] == null) {
        roots[root] = new long[1 << ROOT_BITS - 6];
      }
      long bits = -1L >>> 64 - (next - pfn) << pfn;
      int word = (int) pfn >>> 6 & (1 << ROOT_BITS - 6) - 1;
      roots[root][word] = mapped ? roots[root][word] | bits : roots[root][word] & ~bits;
      pfn = next;
    }
  }
}
