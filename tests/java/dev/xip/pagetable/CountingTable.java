package dev.xip.pagetable;

import java.lang.foreign.MemorySegment;

/** A page table that counts descents: each begins at the root. */
public final class CountingTable extends PageTable {
  private int descents;

  private CountingTable(
      MemorySegment window, EntryLayout layout, TableSupply supply, PageTable counted) {
    super(window, layout, supply, counted.root());
  }

  public static CountingTable counting(
      MemorySegment window, EntryLayout layout, TableSupply supply) {
    return new CountingTable(window, layout, supply, create(window, layout, supply));
  }

  @Override
  public long root() {
    descents++;
    return super.root();
  }

  /** How many there were since this was last asked. */
  public int descents() {
    int count = descents;
    descents = 0;
    return count;
  }
}
