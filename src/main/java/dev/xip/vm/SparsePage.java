package dev.xip.vm;

import dev.xip.base.LockOrder;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The page of zeros that is mapped for every hole of every file: a counted frame, mapped read-only.
 * Linux counterpart: {@code xip_sparse_page} and {@code __xip_unmap} (mm/filemap_xip.c).
 *
 * <p>A fault that inserts it must not race with a thread that fills the hole and then takes the
 * page out of all mappings. Inserters are the slow side: one at a time under the mutex, each moves
 * the sequence count, checks that the hole is still one, and inserts. Removers are the fast side:
 * they go through the mappings without the mutex, and go through them again, with inserters locked
 * out, only if the count has moved meanwhile.
 *
 * <p>Lock held by the caller: the map lock, shared, to insert; none to remove.
 */
final class SparsePage {
  private final MemoryManager manager;
  private final long pfn;
  private final ReentrantLock mutex = new ReentrantLock();

  /** Odd during an insertion. Changed under the mutex. */
  private volatile int sequence;

  SparsePage(MemoryManager manager) {
    this.manager = manager;
    this.pfn = manager.memory().allocator().allocate(FrameUse.SPARSE);
  }

  long pfn() {
    return pfn;
  }

  /** Begins an insertion: takes the mutex, so it may sleep. */
  void beginInsert() {
    LockOrder.take(LockOrder.Rank.SPARSE_PAGE);
    mutex.lock();
    sequence = sequence + 1;
  }

  void endInsert() {
    sequence = sequence + 1;
    mutex.unlock();
    LockOrder.release(LockOrder.Rank.SPARSE_PAGE);
  }

  /** Takes the page out of all mappings of a page of a file that is no longer a hole. */
  void removeFrom(FileMappings mappings, long page) {
    int before = sequence;
    removeOnce(mappings, page);
    if ((before & 1) != 0 || sequence != before) {
      LockOrder.take(LockOrder.Rank.SPARSE_PAGE);
      mutex.lock();
      try {
        removeOnce(mappings, page);
      } finally {
        mutex.unlock();
        LockOrder.release(LockOrder.Rank.SPARSE_PAGE);
      }
    }
  }

  private void removeOnce(FileMappings mappings, long page) {
    mappings.forEachPart(page, page + 1, (mm, vma, start, end) -> removeAt(mm, vma, start));
  }

  /** Whether a frame stands for holes: this page, or the zero page. */
  private boolean showsHole(long shown) {
    return shown == pfn || shown == manager.zeroPfn();
  }

  private void removeAt(Mm mm, Vma vma, long va) {
    PageTable table = mm.table();
    EntryLayout layout = table.layout();
    try (MmuGather gather = new MmuGather(mm)) {
      LeafTables leaves = new LeafTables(mm, va, va + Pages.SIZE, LeafTables.Huge.SHOWN);
      while (leaves.next()) {
        leaves.lock();
        try {
          long pte = table.get(leaves.slot());
          if (!leaves.isHuge() && layout.isPresent(pte) && showsHole(layout.pfn(pte))) {
            long counted = manager.normalFrame(vma, va, pte);
            gather.add(table.clear(leaves.slot()));
            if (counted != MemoryManager.NO_FRAME) {
              gather.add(counted);
              mm.counters().unmapped(false);
            }
          }
        } finally {
          leaves.unlock();
        }
      }
    }
  }
}
