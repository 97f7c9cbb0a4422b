package dev.xip.phys;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;

/**
 * One array of page frames from 0 to the end of the highest bank of RAM: a number is valid if it is
 * below that end. A hole between two banks is valid too, because the array covers it: its frames
 * are reserved, and a segment there is counted in them. Linux counterpart: {@code CONFIG_FLATMEM}
 * (asm-generic/memory_model.h).
 */
public final class FlatModel implements MemoryModel {
  /** The first frame number past the array; 0 until RAM is known. */
  private volatile long maxPfn;

  /** Makes a model that knows of no RAM. */
  public FlatModel() {}

  @Override
  public String name() {
    return "flat";
  }

  @Override
  public boolean pfnValid(long pfn) {
    return pfn >= 0 && pfn < maxPfn;
  }

  @Override
  public void addRam(AddrRange bank) {
    maxPfn = Math.max(maxPfn, bank.end() >>> Pages.SHIFT);
  }
}
