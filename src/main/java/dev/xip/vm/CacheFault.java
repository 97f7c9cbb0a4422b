package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.mapping.CachedPages;
import dev.xip.mapping.NoFrameException;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Answers a fault on a page of a file that goes through a page cache and has no entry: maps the
 * page's frame, counted, or for a store into a private mapping a copy of it at once. The page is
 * locked from the check of the file's size until the entry is in, so truncation finds the entry, or
 * the fault the shorter file. Linux counterpart: {@code do_read_fault}, {@code do_cow_fault},
 * {@code do_shared_fault} and {@code do_fault_around} (mm/memory.c).
 *
 * <p>Lock held by the caller: the map lock, shared.
 */
final class CacheFault {
  /** Linux counterpart: {@code fault_around_bytes}. */
  private static final int AROUND_PAGES = 16;

  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final FrameAllocator allocator;
  private final CopyOnWrite copyOnWrite;
  private final boolean mapsAround;

  CacheFault(Mm mm, CopyOnWrite copyOnWrite) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
    this.allocator = manager.memory().allocator();
    this.copyOnWrite = copyOnWrite;
    this.mapsAround = manager.rules().has(Rule.CACHE_FAULT_AROUND);
  }

  /**
   * Answers a fault where nothing is mapped.
   *
   * @param va the page's address
   * @param slot the slot of its entry
   */
  FaultResult handle(Vma vma, long va, long slot, boolean write) {
    try {
      if (write && !vma.has(VmaFlags.SHARED)) {
        return copy(vma, va, slot);
      }
      return !write && mapsAround && mapAround(vma, va, slot)
          ? FaultResult.Handled.MAPPED
          : map(vma, va, slot, write);
    } catch (NoFrameException e) {
      return FaultHandler.outOfMemory(va, "a page of " + vma.file().name());
    } catch (IOException e) {
      return FaultHandler.busError(va, e.getMessage(), e);
    }
  }

  /**
   * Maps those pages around an address that are in the cache and not locked, in the group of 16
   * pages that begins at a multiple of its size or where the mapping does. Returns whether the page
   * itself is mapped now.
   */
  private boolean mapAround(Vma vma, long va, long slot) {
    long bytes = AROUND_PAGES * Pages.SIZE;
    long start = Math.max(va & -bytes, vma.range().start());
    long tableEnd = (start | (1L << layout.shift(Level.PMD)) - 1) + 1;
    long end = Math.min(Math.min(start + bytes, vma.range().end()), tableEnd);
    long at = slot - (va - start >>> Pages.SHIFT << 3);
    manager.lockEntry(slot);
    try {
      for (long each = start; each < end; each += Pages.SIZE, at += 8) {
        if (layout.isEmpty(table.get(at))) {
          CachedPages.Page page = vma.cache().tryLock(vma.pageAt(each));
          if (page != null) {
            setEntry(at, layout.leaf(page.pfn(), vma.pageAccess()), page.pfn());
            page.unlock();
          }
        }
      }
      return !layout.isEmpty(table.get(slot));
    } finally {
      manager.unlockEntry(slot);
    }
  }

  private FaultResult map(Vma vma, long va, long slot, boolean write) throws IOException {
    CachedPages.Page page = vma.cache().lock(vma.pageAt(va));
    if (page == null) {
      return FileFault.pastEnd(vma, va, vma.pageAt(va));
    }
    try {
      manager.reached(Step.TRANSLATED);
      long entry = layout.leaf(page.pfn(), vma.pageAccess());
      return insert(slot, write ? layout.withDirty(entry) : entry, page.pfn());
    } finally {
      page.unlock();
    }
  }

  private FaultResult insert(long slot, long entry, long pfn) {
    manager.lockEntry(slot);
    try {
      if (!layout.isEmpty(table.get(slot))) {
        return FaultResult.Handled.PRESENT;
      }
      setEntry(slot, entry, pfn);
      return FaultResult.Handled.MAPPED;
    } finally {
      manager.unlockEntry(slot);
    }
  }

  /** Puts an entry for a page of the cache into an empty slot. The entry lock is held. */
  private void setEntry(long slot, long entry, long pfn) {
    frames.get(pfn);
    frames.addMapping(pfn);
    mm.counters().mapped(false);
    table.set(slot, entry);
  }

  /** Maps a private copy. The frame for it is taken first, as no page lock is held then. */
  private FaultResult copy(Vma vma, long va, long slot) throws IOException {
    vma.anon().prepare();
    long copy = allocator.allocateUncleared(FrameUse.ANONYMOUS);
    if (copy < 0) {
      return FaultHandler.outOfMemory(va, "a private copy in " + vma);
    }
    boolean mapped = false;
    CachedPages.Page page = null;
    try {
      page = vma.cache().lock(vma.pageAt(va));
      if (page == null) {
        return FileFault.pastEnd(vma, va, vma.pageAt(va));
      }
      manager.reached(Step.TRANSLATED);
      MemorySegment ram = manager.memory().ram();
      MemorySegment.copy(ram, page.pfn() << Pages.SHIFT, ram, copy << Pages.SHIFT, Pages.SIZE);
      FaultResult result = copyOnWrite.mapFirst(vma, slot, copy);
      mapped = result == FaultResult.Handled.COPIED;
      return result;
    } finally {
      if (page != null) {
        page.unlock();
      }
      if (!mapped) {
        allocator.put(copy);
      }
    }
  }
}
