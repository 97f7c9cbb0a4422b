package dev.xip.vm;

import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.lang.foreign.MemorySegment;

/**
 * Answers a store through a present entry that does not allow it: the entry becomes writable, or
 * its page is copied into a private frame. Linux counterpart: {@code do_wp_page} (mm/memory.c).
 *
 * <p>Lock held by the caller: the map lock, shared; the entry lock too where a method says so.
 */
final class CopyOnWrite {
  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final FrameAllocator allocator;
  private final boolean reusesWithoutFrame;
  private final boolean checksLocked;

  CopyOnWrite(Mm mm) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
    this.allocator = manager.memory().allocator();
    this.reusesWithoutFrame = manager.rules().has(Rule.SHARED_STORE_IN_PLACE);
    this.checksLocked = manager.rules().has(Rule.LOCKED_COPY_CHECKS_FRAME);
  }

  /**
   * Makes the entry writable if the page need not be copied: if the mapping is shared, or the page
   * is an anonymous frame that no other entry maps. The entry lock is held.
   *
   * @param pfn the page's frame by {@link MemoryManager#normalFrame}
   */
  boolean reuseLocked(Vma vma, long slot, long pte, long pfn) {
    boolean alone = isAnonymous(pfn) && frames.mappings(pfn) == 1;
    boolean shared =
        vma.has(VmaFlags.WRITE | VmaFlags.SHARED)
            && (reusesWithoutFrame || pfn != MemoryManager.NO_FRAME);
    if (!alone && !shared) {
      return false;
    }
    boolean writable = vma.has(VmaFlags.WRITE);
    long seen = pte;
    while (true) {
      long written = layout.withDirty(layout.withYoung(seen));
      if (table.change(slot, seen, writable ? layout.withWrite(written) : written)) {
        return true;
      }
      seen = table.get(slot);
    }
  }

  /**
   * Keeps the old page's frame, if it has one, until it is copied. The entry lock is held.
   *
   * @param old the frame by {@link MemoryManager#normalFrame}
   * @return for {@link #copy}: the file's count of unmappings, which tells whether a page without a
   *     frame was taken out meanwhile
   */
  long holdLocked(Vma vma, long old) {
    if (old != MemoryManager.NO_FRAME) {
      frames.get(old);
    }
    return unmappings(vma);
  }

  private long unmappings(Vma vma) {
    return vma.isAnonymous() ? 0 : mm.mappingsOf(vma.file()).unmappings();
  }

  /**
   * Copies the page and maps the copy, if the entry has not changed meanwhile.
   *
   * @param old the page's frame by {@link MemoryManager#normalFrame}, which was held
   * @param held the answer of {@link #holdLocked}
   */
  FaultResult copy(Vma vma, long va, long slot, long pte, long old, long held) {
    if (!checksLocked && old == MemoryManager.NO_FRAME && vma.has(VmaFlags.LOCKED)) {
      throw new IllegalStateException(
          "BUG: NULL pointer dereference: do_wp_page clears the mlocked state of the page behind"
              + " entry 0x%x at address 0x%x in %s, which has no page frame"
                  .formatted(pte, va, vma));
    }
    vma.anon().prepare();
    long copy = allocator.allocate(FrameUse.ANONYMOUS);
    try {
      if (copy < 0) {
        return FaultHandler.outOfMemory(va, "a private copy in " + vma);
      }
      FaultResult cut = copyPage(vma, va, layout.pfn(pte), copy);
      if (cut != null) {
        allocator.put(copy);
        return cut;
      }
      manager.reached(Step.COPIED);
      return mapCopy(vma, slot, pte, old, copy, held);
    } finally {
      if (old != MemoryManager.NO_FRAME) {
        allocator.put(old);
      }
    }
  }

  /**
   * Copies a page of a file that has no entry yet and maps the copy. Linux counterpart: the copy in
   * {@code __do_fault}, later {@code do_cow_fault} (mm/memory.c).
   *
   * @param from the page's frame number, which stays valid during the call
   */
  FaultResult copyAtOnce(Vma vma, long va, long slot, long from) {
    vma.anon().prepare();
    long copy = allocator.allocate(FrameUse.ANONYMOUS);
    if (copy < 0) {
      return FaultHandler.outOfMemory(va, "a private copy in " + vma);
    }
    FaultResult result = copyPage(vma, va, from, copy);
    if (result == null) {
      result = mapFirst(vma, slot, copy);
    }
    if (result != FaultResult.Handled.COPIED) {
      allocator.put(copy);
    }
    return result;
  }

  /**
   * Lets stores through the entry of a shared page that a fault has just inserted, if it is still
   * there. Linux counterpart: {@code vmf_insert_mixed_mkwrite} (mm/memory.c).
   */
  void allowStore(long slot) {
    manager.lockEntry(slot);
    try {
      long pte;
      do {
        pte = table.get(slot);
      } while (layout.isPresent(pte)
          && !table.change(slot, pte, layout.withWrite(layout.withDirty(layout.withYoung(pte)))));
    } finally {
      manager.unlockEntry(slot);
    }
  }

  /**
   * Maps a private copy where nothing is mapped yet: COPIED, or PRESENT if there is an entry now.
   */
  FaultResult mapFirst(Vma vma, long slot, long copy) {
    manager.lockEntry(slot);
    try {
      if (!layout.isEmpty(table.get(slot))) {
        return FaultResult.Handled.PRESENT;
      }
      frames.addMapping(copy);
      mm.counters().mapped(true);
      mm.counters().copied();
      table.set(slot, AnonymousFault.privateLeaf(layout, vma, copy));
      return FaultResult.Handled.COPIED;
    } finally {
      manager.unlockEntry(slot);
    }
  }

  /**
   * Copies the bytes, whether or not the page has a frame. The kernel fills in zeros if it cannot
   * read them; here a file that was cut on the host gives SIGBUS.
   */
  private FaultResult copyPage(Vma vma, long va, long from, long to) {
    if (from == manager.zeroPfn()) {
      return null;
    }
    MemorySegment window = manager.memory().window();
    if (from > (window.byteSize() >>> Pages.SHIFT) - 1) {
      return FaultHandler.busError(va, "pfn 0x%x lies past the window".formatted(from), null);
    }
    MemorySegment page = window.asSlice(from << Pages.SHIFT, Pages.SIZE);
    MemorySegment.copy(page, 0, manager.memory().ram(), to << Pages.SHIFT, Pages.SIZE);
    return LostPages.of(page) == null ? null : new FaultResult.Refused(mm.lostAt(va));
  }

  /**
   * Replaces the entry. It is empty during the flush, so that no thread reads the old page after
   * another has written the new one; the old page's map count drops last.
   */
  private FaultResult mapCopy(Vma vma, long slot, long pte, long old, long copy, long held) {
    boolean oldCounted = false;
    manager.lockEntry(slot);
    try {
      boolean moved = old == MemoryManager.NO_FRAME && unmappings(vma) != held;
      if (moved || table.get(slot) != pte) {
        allocator.put(copy);
        return FaultResult.Handled.PRESENT;
      }
      mm.flush(table.clear(slot));
      frames.addMapping(copy);
      mm.counters().mapped(true);
      mm.counters().copied();
      table.set(slot, AnonymousFault.privateLeaf(layout, vma, copy));
      if (old != MemoryManager.NO_FRAME) {
        oldCounted = frames.removeMapping(old);
        if (oldCounted) {
          mm.counters().unmapped(isAnonymous(old));
        } else {
          manager.badEntries().reportFrame(mm, old, frames.use(old));
        }
      }
    } finally {
      manager.unlockEntry(slot);
    }
    if (oldCounted) {
      allocator.put(old);
    }
    return FaultResult.Handled.COPIED;
  }

  private boolean isAnonymous(long pfn) {
    return pfn != MemoryManager.NO_FRAME && frames.use(pfn) == FrameUse.ANONYMOUS;
  }
}
