package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.DeviceMemory;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import java.io.IOException;

/**
 * Answers a fault on a page of a file in place that has no entry: inserts a special entry for a
 * page that lies in memory, has the file allocate a block for a hole if the mapping is shared and
 * could write, and inserts the sparse page for any other hole. The entry has the rights of {@link
 * Vma#pageAccess}, so a store faults again, unless the rules say that a private one copies the page
 * at once. A read fault maps the pages around it as well, as far as they lie in memory. Linux
 * counterpart: {@code xip_file_fault} (mm/filemap_xip.c), {@code do_fault_around} (mm/memory.c).
 *
 * <p>Lock held by the caller: the map lock, shared.
 */
final class FileFault {
  private static final long MAY_WRITE = VmaFlags.WRITE | VmaFlags.MAYWRITE;
  private static final long MAY_SHARE = VmaFlags.SHARED | VmaFlags.MAYSHARE;

  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final Insertion insertion;
  private final CopyOnWrite copyOnWrite;
  private final HugeLeaves hugeLeaves;

  /** The bytes that one table of the lowest level covers. */
  private final long tableBytes;

  /** How many pages a read fault maps. */
  private final int aroundPages;

  private final boolean holdsFileLock;
  private final boolean sparsePageGuarded;
  private final boolean toleratesSecond;
  private final boolean copiesPagesAtOnce;
  private final boolean copiesHolesAtOnce;
  private final boolean storesAtOnce;
  private final boolean holesShowZeroPage;

  FileFault(Mm mm, Insertion insertion, CopyOnWrite copyOnWrite) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.insertion = insertion;
    this.copyOnWrite = copyOnWrite;
    this.hugeLeaves = mm.hugeLeaves();
    this.tableBytes = 1L << manager.layout().shift(Level.PMD);
    Rules rules = manager.rules();
    this.aroundPages = rules.faultAroundPages();
    this.holdsFileLock = rules.has(Rule.FAULT_HOLDS_FILE_LOCK);
    this.sparsePageGuarded = rules.has(Rule.SPARSE_PAGE_GUARDED);
    this.toleratesSecond = rules.has(Rule.SECOND_INSERTER_TOLERATED);
    this.copiesPagesAtOnce = rules.has(Rule.PRIVATE_STORE_COPIES_AT_ONCE);
    this.storesAtOnce = rules.has(Rule.SHARED_STORE_TAKES_ONE_FAULT);
    this.holesShowZeroPage = rules.has(Rule.HOLES_SHOW_ZERO_PAGE);
    this.copiesHolesAtOnce = rules.has(Rule.PRIVATE_HOLE_COPIED_AT_ONCE);
  }

  /**
   * Answers a fault where nothing is mapped.
   *
   * @param va the page's address
   * @param slot the slot of its entry
   */
  FaultResult handle(Vma vma, long va, long slot, boolean write) {
    Mappable file = vma.file();
    long page = vma.pageAt(va);
    FileMappings mappings = mm.mappingsOf(file);
    boolean copy = write && !vma.has(VmaFlags.SHARED);
    try {
      if (file instanceof DeviceMemory memory) {
        return handleDevice(memory, vma, va, mappings);
      }
      while (true) {
        FaultResult result =
            copy && copiesPagesAtOnce
                ? copyPlace(vma, va, slot, mappings)
                : insertPlace(vma, va, slot, write ? 1 : aroundPages, mappings);
        if (result != null) {
          boolean stored = write && vma.has(VmaFlags.WRITE | VmaFlags.SHARED);
          if (storesAtOnce && stored && result == FaultResult.Handled.MAPPED) {
            copyOnWrite.allowStore(slot);
          }
          return result;
        }
        if ((vma.flags() & MAY_WRITE) != 0 && (vma.flags() & MAY_SHARE) != 0 && file.isWritable()) {
          file.allocate(page);
          mappings.holeFilled(page);
          continue;
        }
        result = insertSparse(vma, va, slot, copy && copiesHolesAtOnce, mappings);
        if (result != null) {
          return result;
        }
      }
    } catch (IOException e) {
      return FaultHandler.busError(va, e.getMessage(), e);
    }
  }

  /**
   * Enters a page of a device's memory, or refuses if mmap has entered it and the device has taken
   * it back. Linux counterpart: a driver's fault handler, with {@code vm_insert_pfn}.
   */
  private FaultResult handleDevice(DeviceMemory memory, Vma vma, long va, FileMappings mappings)
      throws IOException {
    if (memory.isEnteredAtOnce()) {
      return FaultHandler.busError(va, memory.name() + " has taken the page back", null);
    }
    long page = vma.pageAt(va);
    long stamp = lock(mappings);
    try {
      if (isPastEnd(memory, page)) {
        return pastEnd(vma, va, page);
      }
      PageRun place = memory.translate(page);
      Errno result = place.isHole() ? Errno.EINVAL : insertion.insertPfn(vma, va, place.pfn());
      return result == Errno.EINVAL
          ? FaultHandler.busError(
              va, "page 0x%x of %s has no place".formatted(page, memory.name()), null)
          : inserted(va, result);
    } finally {
      unlock(mappings, stamp);
    }
  }

  /**
   * Maps the page by a huge leaf if mapping, file and alignment allow it; null if not. Linux
   * counterpart: {@code dax_iomap_pmd_fault} (fs/dax.c).
   */
  FaultResult handleHuge(Vma vma, long va, long stop) {
    long size = hugeLeaves.sizeAt(vma, va, stop, Long.MAX_VALUE);
    if (size == 0) {
      return null;
    }
    FileMappings mappings = mm.mappingsOf(vma.file());
    long stamp = lock(mappings);
    try {
      for (; size != 0; size = hugeLeaves.sizeAt(vma, va, stop, size)) {
        long start = va & -size;
        long page = vma.pageAt(start);
        if (page + (size >>> Pages.SHIFT) <= Pages.covering(vma.file().size())) {
          PageRun place = vma.file().translate(page);
          manager.reached(Step.TRANSLATED);
          if (!place.isHole()
              && place.pages() >= size >>> Pages.SHIFT
              && hugeLeaves.insert(vma, start, stop, size, place.pfn()) > 0) {
            return FaultResult.Handled.MAPPED;
          }
        }
      }
      return null;
    } catch (IOException e) {
      // Some page cannot be reached. The fault on the single page finds out whether it is this one.
      return null;
    } finally {
      unlock(mappings, stamp);
    }
  }

  /**
   * Inserts the entry for a page; null if it is a hole.
   *
   * @param group the size in pages of the aligned group around the page; the part of it that
   *     belongs to the mapping and lies in one run with the page is mapped as well
   */
  private FaultResult insertPlace(Vma vma, long va, long slot, int group, FileMappings mappings)
      throws IOException {
    long page = vma.pageAt(va);
    long stamp = lock(mappings);
    try {
      long pages = Pages.covering(vma.file().size());
      if (page >= pages) {
        return pastEnd(vma, va, page);
      }
      AddrRange range = vma.range();
      long bytes = group * Pages.SIZE;
      long start = Math.max(va & -bytes, range.start());
      long end = Math.min((va & -bytes) + bytes, range.end());
      int before = (int) (va - start >>> Pages.SHIFT);
      long after = Math.min(end - va >>> Pages.SHIFT, pages - page) - 1;
      FaultResult result = before == 0 ? null : insertAround(vma, va, slot, before, after);
      if (result != null) {
        return result;
      }
      PageRun place = vma.file().translate(page);
      return place.isHole() ? null : insertRun(vma, va, slot, place, 0, after);
    } finally {
      unlock(mappings, stamp);
    }
  }

  /** Maps a private copy of a page; null if it is a hole. */
  private FaultResult copyPlace(Vma vma, long va, long slot, FileMappings mappings)
      throws IOException {
    long page = vma.pageAt(va);
    long stamp = lock(mappings);
    try {
      if (isPastEnd(vma.file(), page)) {
        return pastEnd(vma, va, page);
      }
      PageRun place = vma.file().translate(page);
      return place.isHole() ? null : copyOnWrite.copyAtOnce(vma, va, slot, place.pfn());
    } finally {
      unlock(mappings, stamp);
    }
  }

  /**
   * Inserts entries for a page and {@code before} pages before it; null unless one run holds them.
   */
  private FaultResult insertAround(Vma vma, long va, long slot, int before, long after) {
    try {
      PageRun place = vma.file().translate(vma.pageAt(va) - before);
      return place.isHole() || place.pages() <= before
          ? null
          : insertRun(vma, va, slot, place, before, after);
    } catch (IOException e) {
      // A page before this one cannot be reached.
      return null;
    }
  }

  /**
   * Inserts entries for a page of a run, {@code before} pages before it and those after it, as far
   * as the run goes.
   */
  private FaultResult insertRun(
      Vma vma, long va, long slot, PageRun place, int before, long after) {
    manager.reached(Step.TRANSLATED);
    int inRun = (int) Math.min(after, place.pages() - before - 1);
    long pfn = place.pfn() + before;
    Errno result = insertion.insertMixedRun(vma, va, slot, pfn, before, inRun);
    if (result == Errno.EBUSY && !toleratesSecond) {
      throw new IllegalStateException(
          "BUG: xip_file_fault at address 0x%x in %s: another thread has inserted the entry"
              .formatted(va, vma));
    }
    return inserted(va, result);
  }

  /**
   * Fills the entries of a range as far as its pages lie in memory.
   *
   * @param holes whether to go on past holes
   * @return the address after the last page filled: a hole, the end of the file or of the range, or
   *     where RAM for tables ran out
   * @throws IOException if the file cannot say where a page lies
   */
  long fill(Vma vma, long start, long end, boolean holes) throws IOException {
    FileMappings mappings = mm.mappingsOf(vma.file());
    long stamp = lock(mappings);
    try {
      long pages = Pages.covering(vma.file().size()) - vma.pageAt(start);
      long limit = pages < end - start >>> Pages.SHIFT ? start + (pages << Pages.SHIFT) : end;
      long va = start;
      while (va < limit) {
        PageRun place = vma.file().translate(vma.pageAt(va));
        long runEnd = va + (Math.min(place.pages(), limit - va >>> Pages.SHIFT) << Pages.SHIFT);
        if (place.isHole() ? !holes : !fillRun(vma, va, runEnd, place.pfn())) {
          break;
        }
        va = runEnd;
      }
      return va;
    } finally {
      unlock(mappings, stamp);
    }
  }

  /** Fills a run table by table; false if RAM for tables ran out. */
  private boolean fillRun(Vma vma, long start, long end, long pfn) {
    for (long va = start; va < end; ) {
      long at = pfn + (va - start >>> Pages.SHIFT);
      long stop = table.descend(va);
      long huge = hugeLeaves.insert(vma, va, stop, end - va, at);
      if (huge > 0) {
        va += huge;
        continue;
      }
      long next = Math.min(end, (va | tableBytes - 1) + 1);
      int after = (int) (next - va >>> Pages.SHIFT) - 1;
      long slot = table.slotOrCreate(va, Level.PTE, stop);
      if (insertion.insertMixedRun(vma, va, slot, at, 0, after) == Errno.ENOMEM) {
        return false;
      }
      va = next;
    }
    return true;
  }

  /**
   * Inserts the sparse page; null if the page is no hole any more.
   *
   * @param copy whether a private copy of it is mapped instead
   */
  private FaultResult insertSparse(Vma vma, long va, long slot, boolean copy, FileMappings mappings)
      throws IOException {
    long page = vma.pageAt(va);
    SparsePage sparse = manager.sparsePage();
    if (sparsePageGuarded) {
      sparse.beginInsert();
    }
    try {
      long stamp = lock(mappings);
      try {
        if (isPastEnd(vma.file(), page)) {
          return pastEnd(vma, va, page);
        }
        if (sparsePageGuarded && !vma.file().translate(page).isHole()) {
          return null;
        }
        manager.reached(Step.HOLE_SEEN);
        return copy
            ? copyOnWrite.copyAtOnce(vma, va, slot, sparse.pfn())
            : inserted(
                va,
                holesShowZeroPage
                    ? insertion.insertMixed(vma, va, slot, manager.zeroPfn())
                    : insertion.insertFrame(vma, va, slot, sparse.pfn()));
      } finally {
        unlock(mappings, stamp);
      }
    } finally {
      if (sparsePageGuarded) {
        sparse.endInsert();
      }
    }
  }

  private long lock(FileMappings mappings) {
    return holdsFileLock ? mappings.lockShared() : 0;
  }

  private void unlock(FileMappings mappings, long stamp) {
    if (holdsFileLock) {
      mappings.unlockShared(stamp);
    }
  }

  private static boolean isPastEnd(Mappable file, long page) {
    return page >= Pages.covering(file.size());
  }

  static FaultResult pastEnd(Vma vma, long va, long page) {
    return FaultHandler.busError(
        va,
        "page 0x%x of %s: expected one of its 0x%x pages"
            .formatted(page, vma.file().name(), Pages.covering(vma.file().size())),
        null);
  }

  /** Two threads may fault on one page: the second finds the entry there (EBUSY). */
  private static FaultResult inserted(long va, Errno result) {
    return switch (result) {
      case OK -> FaultResult.Handled.MAPPED;
      case EBUSY -> FaultResult.Handled.PRESENT;
      case ENOMEM -> FaultHandler.outOfMemory(va, "a page table");
      default -> throw new IllegalStateException("BUG: %s at address 0x%x".formatted(result, va));
    };
  }
}
