package dev.xip.cpu;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.host.GuestPages;
import dev.xip.pagetable.KernelEntries;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.MapException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel half of the addresses, which all spaces share: one table that slot 511 of each root
 * links. It maps RAM at {@link #DIRECT} and {@link GuestPages} at their place, all for the kernel
 * alone but the page of user code.
 */
final class KernelHalf {
  /** The address of physical address 0. */
  private static final long DIRECT = 0xffff_ff80_0000_0000L;

  private static final int LARGE_SHIFT = 21;
  private static final int TABLE_SHIFT = 30;

  /** The slot that covers the pages, in the top table and the one below. */
  private static final int PAGES_SLOT = 511;

  private final PhysicalMemory memory;
  private final List<Long> frames = new ArrayList<>();
  private final long top;
  private final long emptyRoot;

  /**
   * Builds it in frames of RAM.
   *
   * @throws MapException ENOMEM if there are none
   */
  KernelHalf(PhysicalMemory memory) throws MapException {
    this.memory = memory;
    this.top = allocate();
    this.emptyRoot = allocate();
    for (long physical = 0; physical < memory.ram().byteSize(); physical += 1L << TABLE_SHIFT) {
      mapRam(physical, Math.min(memory.ram().byteSize() - physical, 1L << TABLE_SHIFT));
    }
    mapPages();
    link(emptyRoot);
  }

  /** Takes a frame of zeros, for as long as this exists; returns its physical address. */
  long allocate() throws MapException {
    long pfn = memory.allocator().allocate(FrameUse.KERNEL);
    if (pfn < 0) {
      throw new MapException(Errno.ENOMEM, "kernel half", "a free frame of RAM", "none");
    }
    frames.add(pfn);
    return pfn << Pages.SHIFT;
  }

  private void mapRam(long physical, long bytes) throws MapException {
    long table = allocate();
    set(top, (int) (physical >>> TABLE_SHIFT), KernelEntries.table(table));
    for (int i = 0; (long) i << LARGE_SHIFT < bytes; i++) {
      set(table, i, KernelEntries.largeData(physical + ((long) i << LARGE_SHIFT)));
    }
  }

  private void mapPages() throws MapException {
    long middle = allocate();
    long leaves = allocate();
    set(top, PAGES_SLOT, KernelEntries.table(middle));
    set(middle, PAGES_SLOT, KernelEntries.table(leaves));
    mapPage(leaves, GuestPages.STUBS, KernelEntries.code(copy(GuestPages.STUBS)));
    mapPage(leaves, GuestPages.TABLES, KernelEntries.constants(copy(GuestPages.TABLES)));
    mapPage(leaves, GuestPages.USER, KernelEntries.userCode(copy(GuestPages.USER)));
  }

  private long copy(long offset) throws MapException {
    long page = allocate();
    memory(page).copyFrom(GuestPages.pages().asSlice(offset, Pages.SIZE));
    return page;
  }

  private void mapPage(long leaves, long offset, long leaf) {
    set(leaves, (int) (offset >>> Pages.SHIFT), leaf);
  }

  private void set(long table, int index, long entry) {
    memory(table).setAtIndex(ValueLayout.JAVA_LONG, index, entry);
  }

  /** A page of RAM as writable memory. */
  MemorySegment memory(long physical) {
    return PhysicalMemory.storable(memory.window().asSlice(physical, Pages.SIZE));
  }

  /** Links it into a root table. */
  void link(PageTable table) {
    link(table.root() << Pages.SHIFT);
  }

  private void link(long root) {
    set(root, KernelEntries.LAST_SLOT, KernelEntries.table(top));
  }

  /** The physical address of a root table without any user address. */
  long emptyRoot() {
    return emptyRoot;
  }

  /** The address at which the kernel accesses RAM. */
  static long direct(long physical) {
    return DIRECT + physical;
  }

  /** Frees all frames. Precondition: no processor exists any more, and no root links it. */
  void free() {
    frames.forEach(memory.allocator()::put);
    frames.clear();
  }
}
