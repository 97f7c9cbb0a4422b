package dev.xip.vm;

import dev.xip.base.LockOrder;
import dev.xip.base.Pages;
import dev.xip.base.RankedLock;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Mapper;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The address spaces that map one file, for truncation and for a filled hole. A space is listed
 * before its first entry for the file can appear and until its last one is gone; which of its
 * addresses show a page is found in its list of mappings. Linux counterpart: {@code i_mmap} and its
 * lock (include/linux/fs.h).
 *
 * <p>A child of fork is listed after its parent, so a truncation that finds no entry in the child
 * has either removed the parent's entry before fork copied it, or finds the copy afterwards.
 *
 * <p>Lock held by the caller: the map lock of a space, or none for truncation and filled holes.
 */
final class FileMappings implements Mapper {
  private final MemoryManager manager;
  private final Mappable file;
  private final RankedLock lock;

  /** In the order of listing; guarded by the lock. */
  private final List<Mm> spaces = new ArrayList<>();

  /**
   * Incremented after pages were taken out of all spaces, and before their blocks can be used
   * again.
   */
  private final AtomicLong unmappings = new AtomicLong();

  FileMappings(MemoryManager manager, Mappable file) {
    this.manager = manager;
    this.file = file;
    this.lock =
        new RankedLock(LockOrder.Rank.FILE_MAPPINGS, "the lock of the mappings of " + file.name());
  }

  Mappable file() {
    return file;
  }

  /**
   * Keeps truncation and hole removal of this file out while entries for it move or are inserted.
   */
  long lockShared() {
    return lock.readLock();
  }

  void unlockShared(long stamp) {
    lock.unlockRead(stamp);
  }

  private long lockExclusively() {
    return lock.writeLock();
  }

  void add(Mm mm) {
    long stamp = lockExclusively();
    try {
      spaces.add(mm);
    } finally {
      lock.unlockWrite(stamp);
    }
  }

  /** Takes a space off the list. */
  void remove(Mm mm) {
    long stamp = lockExclusively();
    try {
      spaces.remove(mm);
    } finally {
      lock.unlockWrite(stamp);
    }
  }

  /**
   * Waits until every truncation or hole removal that may have seen an older list of mappings has
   * ended: the tables that it went through may be freed then.
   */
  void settle() {
    lock.unlockWrite(lockExclusively());
  }

  /**
   * Counts how often pages were taken out. A page without a page frame cannot be held by a
   * reference while it is copied; copy on write asks before, under the entry lock, and afterwards.
   * If the answers agree, the page was not used for anything else meanwhile. An unchanged entry
   * does not prove it: the page may have been taken out and mapped again.
   */
  long unmappings() {
    return unmappings.get();
  }

  @Override
  public void unmap(long firstPage, long pages, boolean evenCopies) {
    Zapper.Which which = evenCopies ? Zapper.Which.PAGES : Zapper.Which.FILE_PAGES;
    long lastPage = pages > Long.MAX_VALUE - firstPage ? Long.MAX_VALUE : firstPage + pages;
    forEachPart(
        firstPage,
        lastPage,
        (mm, vma, start, end) -> {
          try (MmuGather gather = new MmuGather(mm)) {
            mm.zapper().zap(vma, start, end, which, gather);
          }
        });
    unmappings.incrementAndGet();
  }

  @Override
  public void holeFilled(long page) {
    manager.sparsePage().removeFrom(this, page);
  }

  /** Receives the part of a mapping that shows the pages of a range. */
  @FunctionalInterface
  interface PartVisitor {
    void part(Mm mm, Vma vma, long start, long end);
  }

  /**
   * Calls the visitor for every address range that shows pages in a range, with insertions locked
   * out.
   */
  void forEachPart(long firstPage, long lastPage, PartVisitor visitor) {
    long stamp = lockExclusively();
    try {
      for (Mm mm : spaces) {
        for (Vma vma : mm.vmas().toList()) {
          long vmaPages = vma.range().length() >>> Pages.SHIFT;
          long from = Math.max(firstPage - vma.pageOffset(), 0);
          long to = Math.min(lastPage - vma.pageOffset(), vmaPages);
          if (vma.file() == file && from < to) {
            long start = vma.range().start();
            visitor.part(mm, vma, start + (from << Pages.SHIFT), start + (to << Pages.SHIFT));
          }
        }
      }
    } finally {
      lock.unlockWrite(stamp);
    }
  }
}
