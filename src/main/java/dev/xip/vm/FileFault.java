package dev.xip.vm;

import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Translation;
import java.io.IOException;

/**
 * Answers a fault on a page of a file that has no entry: a special entry for a page that lies in
 * memory, a block for a hole that a shared mapping could write to, the sparse page for any other
 * hole. The entry is as the mapping has it, so a store faults again. Linux counterpart: {@code
 * xip_file_fault} (mm/filemap_xip.c).
 */
final class FileFault {
  private static final long MAY_WRITE = VmaFlags.WRITE | VmaFlags.MAYWRITE;
  private static final long MAY_SHARE = VmaFlags.SHARED | VmaFlags.MAYSHARE;

  private final AddressSpace space;
  private final MemoryManager manager;
  private final Insertion insertion;

  FileFault(AddressSpace space) {
    this.space = space;
    this.manager = space.manager();
    this.insertion = new Insertion(space);
  }

  FaultResult handle(Vma vma, long va, boolean write) {
    Mappable file = vma.file();
    long page = vma.pageAt(va);
    FileMappings mappings = space.mappingsOf(file);
    try {
      while (true) {
        FaultResult result = insertPlace(vma, va, page, mappings);
        if (result != null) {
          return result;
        }
        if ((vma.flags() & MAY_WRITE) != 0 && (vma.flags() & MAY_SHARE) != 0 && file.isWritable()) {
          file.allocate(page);
          mappings.holeFilled(page);
          continue;
        }
        result = insertSparse(vma, va, page, mappings);
        if (result != null) {
          return result;
        }
      }
    } catch (IOException e) {
      return FaultHandler.busError(va, e.getMessage(), e);
    }
  }

  /** Inserts the entry for a page that lies somewhere; null for a hole. */
  private FaultResult insertPlace(Vma vma, long va, long page, FileMappings mappings)
      throws IOException {
    long stamp = lock(mappings);
    try {
      if (isPastEnd(vma.file(), page)) {
        return pastEnd(vma, va, page);
      }
      Translation place = vma.file().translate(page);
      if (place.isHole()) {
        return null;
      }
      manager.reached(Step.TRANSLATED);
      return inserted(va, insertion.insertMixed(vma, va, place.pfn()));
    } finally {
      unlock(mappings, stamp);
    }
  }

  /** Inserts the sparse page; null if the page is no hole any more. */
  private FaultResult insertSparse(Vma vma, long va, long page, FileMappings mappings)
      throws IOException {
    SparsePage sparse = manager.sparsePage();
    if (manager.rules().sparsePageGuarded()) {
      sparse.beginInsert();
    }
    try {
      long stamp = lock(mappings);
      try {
        if (isPastEnd(vma.file(), page)) {
          return pastEnd(vma, va, page);
        }
        if (manager.rules().sparsePageGuarded() && !vma.file().translate(page).isHole()) {
          return null;
        }
        manager.reached(Step.HOLE_SEEN);
        return inserted(va, insertion.insertFrame(vma, va, sparse.pfn()));
      } finally {
        unlock(mappings, stamp);
      }
    } finally {
      if (manager.rules().sparsePageGuarded()) {
        sparse.endInsert();
      }
    }
  }

  private long lock(FileMappings mappings) {
    return manager.rules().faultHoldsFileLock() ? mappings.lockShared() : 0;
  }

  private void unlock(FileMappings mappings, long stamp) {
    if (manager.rules().faultHoldsFileLock()) {
      mappings.unlockShared(stamp);
    }
  }

  private static boolean isPastEnd(Mappable file, long page) {
    return page >= Pages.covering(file.size());
  }

  private static FaultResult pastEnd(Vma vma, long va, long page) {
    return FaultHandler.busError(
        va,
        "page 0x%x of %s: expected one of its 0x%x pages"
            .formatted(page, vma.file().name(), Pages.covering(vma.file().size())),
        null);
  }

  /** Two threads may come for one page: the second finds it done. */
  private static FaultResult inserted(long va, InsertResult result) {
    return switch (result) {
      case INSERTED -> FaultResult.Handled.MAPPED;
      case EBUSY -> FaultResult.Handled.PRESENT;
      case ENOMEM -> FaultHandler.outOfMemory(va, "a page table");
      case EFAULT, EINVAL ->
          throw new IllegalStateException("BUG: %s at address 0x%x".formatted(result, va));
    };
  }
}
