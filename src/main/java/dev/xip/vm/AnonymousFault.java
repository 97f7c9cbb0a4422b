package dev.xip.vm;

import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;

/**
 * Answers a fault on anonymous memory that has no entry: a read maps the zero page, uncounted; a
 * write, or a read where there is no zero page, maps a new frame. Linux counterpart: {@code
 * do_anonymous_page} (mm/memory.c).
 *
 * <p>Lock held by the caller: the map lock, shared.
 */
final class AnonymousFault {
  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final boolean hasZeroPage;

  AnonymousFault(Mm mm) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
    this.hasZeroPage = manager.rules().has(Rule.ZERO_PAGE);
  }

  FaultResult handle(Vma vma, long va, long slot, boolean write) {
    if (!write && hasZeroPage) {
      long zero = layout.leaf(manager.zeroPfn(), vma.pageAccess());
      return insert(slot, manager.usesSpecialBit() ? layout.withSpecial(zero) : zero, -1);
    }
    vma.anon().prepare();
    long pfn = manager.memory().allocator().allocate(FrameUse.ANONYMOUS);
    if (pfn < 0) {
      return FaultHandler.outOfMemory(va, vma.toString());
    }
    FaultResult result = insert(slot, privateLeaf(layout, vma, pfn), pfn);
    if (result != FaultResult.Handled.MAPPED) {
      manager.memory().allocator().put(pfn);
    }
    return result;
  }

  /** The entry of a private page that was just written: dirty, writable if the mapping is. */
  static long privateLeaf(EntryLayout layout, Vma vma, long pfn) {
    long dirty = layout.withDirty(layout.leaf(pfn, vma.pageAccess()));
    return vma.has(VmaFlags.WRITE) ? layout.withWrite(dirty) : dirty;
  }

  private FaultResult insert(long slot, long entry, long counted) {
    manager.lockEntry(slot);
    try {
      if (!layout.isEmpty(table.get(slot))) {
        return FaultResult.Handled.PRESENT;
      }
      if (counted >= 0) {
        frames.addMapping(counted);
        mm.counters().mapped(true);
      }
      table.set(slot, entry);
      return FaultResult.Handled.MAPPED;
    } finally {
      manager.unlockEntry(slot);
    }
  }
}
