package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;

/**
 * The three ways to put an entry into an empty slot of a mapping of a file. A precondition that
 * does not hold is the kernel's BUG. Nothing is flushed: the slot was empty. Linux counterpart:
 * vm_insert_pfn, vm_insert_mixed and vm_insert_page (mm/memory.c).
 */
final class Insertion {
  private final AddressSpace space;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;

  Insertion(AddressSpace space) {
    this.space = space;
    this.manager = space.manager();
    this.table = space.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
  }

  /** Inserts a special entry, for which nothing is ever counted. */
  InsertResult insertPfn(Vma vma, long va, long pfn) {
    boolean pfnMap = vma.has(VmaFlags.PFNMAP);
    boolean mixed = vma.has(VmaFlags.MIXEDMAP);
    require(pfnMap || mixed, vma, "PFNMAP or MIXEDMAP must be set");
    require(!(pfnMap && mixed), vma, "PFNMAP and MIXEDMAP exclude each other");
    require(!(pfnMap && VmaFlags.isCow(vma.flags())), vma, "PFNMAP may not be copied on write");
    require(!(mixed && manager.pfnValid(pfn)), vma, "in MIXEDMAP a pfn may have no page frame");
    if (!vma.range().contains(va)) {
      return InsertResult.EFAULT;
    }
    return insertRaw(vma, va, pfn);
  }

  /**
   * Inserts a special entry whether or not there is a page frame, or, where entries have no special
   * bit, a counted one if there is.
   */
  InsertResult insertMixed(Vma vma, long va, long pfn) {
    require(vma.has(VmaFlags.MIXEDMAP), vma, "MIXEDMAP must be set");
    if (!vma.range().contains(va)) {
      return InsertResult.EFAULT;
    }
    if (!manager.usesSpecialBit() && manager.pfnValid(pfn)) {
      return insertFrame(vma, va, pfn);
    }
    return insertRaw(vma, va, pfn);
  }

  /**
   * Inserts entries for pages side by side into those slots of one table that are empty, as {@link
   * #insertMixed} does for one page.
   *
   * @param va the address of one of the pages: how it ended is said for this one
   * @param pfn the frame number there
   * @param before how many pages below it get an entry as well
   * @param after how many pages above
   */
  InsertResult insertMixedRun(Vma vma, long va, long pfn, int before, int after) {
    if (before + after == 0 || !manager.usesSpecialBit()) {
      return insertMixedEach(vma, va, pfn, before, after);
    }
    require(vma.has(VmaFlags.MIXEDMAP), vma, "MIXEDMAP must be set");
    long windowPages = manager.memory().windowBytes() >>> Pages.SHIFT;
    if (pfn < before || pfn >= windowPages - after) {
      return InsertResult.EINVAL;
    }
    long slot = table.slotOrCreate(va);
    if (slot == PageTable.NO_SLOT) {
      return InsertResult.ENOMEM;
    }
    if (slot == PageTable.HUGE) {
      return InsertResult.EBUSY;
    }
    long first = layout.withSpecial(layout.leaf(pfn - before, vma.pageAccess()));
    manager.lockEntry(slot);
    try {
      boolean empty = layout.isEmpty(table.get(slot));
      table.block().fill(slot - 8L * before, before + 1 + after, first);
      return empty ? InsertResult.INSERTED : InsertResult.EBUSY;
    } finally {
      manager.unlockEntry(slot);
    }
  }

  private InsertResult insertMixedEach(Vma vma, long va, long pfn, int before, int after) {
    InsertResult result = InsertResult.EBUSY;
    for (int i = -before; i <= after; i++) {
      InsertResult each = insertMixed(vma, va + i * Pages.SIZE, pfn + i);
      if (i == 0) {
        result = each;
      }
    }
    return result;
  }

  /** Inserts a normal entry and counts it. */
  InsertResult insertFrame(Vma vma, long va, long pfn) {
    if (!vma.range().contains(va)) {
      return InsertResult.EFAULT;
    }
    if (!isFrame(pfn)) {
      return InsertResult.EINVAL;
    }
    require(!vma.has(VmaFlags.PFNMAP), vma, "a page frame may not be inserted into PFNMAP");
    require(vma.has(VmaFlags.MIXEDMAP), vma, "MIXEDMAP is set with the map lock held exclusively");
    if (frames.use(pfn) == FrameUse.ANONYMOUS) {
      return InsertResult.EINVAL;
    }
    return insert(va, layout.leaf(pfn, vma.pageAccess()), pfn);
  }

  /** Whether there is a page frame of that number that somebody uses. */
  boolean isFrame(long pfn) {
    return frames.contains(pfn) && frames.references(pfn) > 0;
  }

  private InsertResult insertRaw(Vma vma, long va, long pfn) {
    if (pfn < 0 || pfn >= manager.memory().windowBytes() >>> Pages.SHIFT) {
      return InsertResult.EINVAL;
    }
    long entry = layout.leaf(pfn, vma.pageAccess());
    return insert(
        va, manager.usesSpecialBit() ? layout.withSpecial(entry) : entry, MemoryManager.NO_FRAME);
  }

  private InsertResult insert(long va, long entry, long counted) {
    long slot = table.slotOrCreate(va);
    if (slot == PageTable.NO_SLOT) {
      return InsertResult.ENOMEM;
    }
    if (slot == PageTable.HUGE) {
      return InsertResult.EBUSY;
    }
    manager.lockEntry(slot);
    try {
      if (!layout.isEmpty(table.get(slot))) {
        return InsertResult.EBUSY;
      }
      if (counted != MemoryManager.NO_FRAME) {
        frames.get(counted);
        frames.addMapping(counted);
        space.counters().mapped(false);
      }
      table.set(slot, entry);
    } finally {
      manager.unlockEntry(slot);
    }
    return InsertResult.INSERTED;
  }

  private static void require(boolean rule, Vma vma, String what) {
    if (!rule) {
      throw new IllegalStateException("BUG: %s: %s".formatted(vma, what));
    }
  }
}
