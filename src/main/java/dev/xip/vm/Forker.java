package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryBlock;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;

/**
 * Gives a child its parent's mappings and entries. Only truncation and hole removal, through {@link
 * FileMappings}, can touch the child meanwhile. Linux counterpart: {@code dup_mmap} (kernel/fork.c)
 * and {@code copy_page_range} (mm/memory.c).
 *
 * <p>Lock held by the caller: none; it takes the parent's map lock and inside it the child's, both
 * exclusively.
 */
final class Forker {
  private final Mm parent;
  private final Mm child;
  private final MemoryManager manager;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final EntryBlock block;

  /** The flush that the parent owes: for entries that were write-protected, or always. */
  private FlushDuty duty;

  /** The last walk of the child's table. */
  private final Walk walk = new Walk();

  Forker(Mm parent, Mm child) {
    this.parent = parent;
    this.child = child;
    this.manager = parent.manager();
    this.layout = manager.layout();
    this.frames = manager.memory().frames();
    this.block = parent.table().block();
    this.duty =
        manager.rules().has(Rule.FORK_FLUSHES_FOR_CHANGES) ? FlushDuty.NONE : FlushDuty.OWED;
  }

  /** Takes the parent's map lock, then the child's. */
  void copy() throws MapException {
    long stamp = parent.lockToChange();
    try {
      copyLocked();
    } finally {
      parent.unlockExclusively(stamp);
    }
  }

  private void copyLocked() throws MapException {
    VmaList copies = VmaList.empty(manager.rules());
    for (Vma vma : parent.vmas().toList()) {
      if (!vma.has(VmaFlags.DONTCOPY)) {
        copies =
            copies.with(
                new Vma(
                    vma.range(),
                    vma.flags() & ~VmaFlags.LOCKED,
                    vma.file(),
                    vma.pageOffset(),
                    vma.anon().forked()));
      }
    }
    long stamp = child.lockToChange();
    try {
      child.install(copies);
    } finally {
      child.unlockExclusively(stamp);
    }
    try {
      for (Vma vma : copies.toList()) {
        if (isWalked(vma)) {
          copyEntries(vma);
        }
      }
    } finally {
      // Caches of the parent may still say that an entry is writable.
      parent.flush(duty);
    }
  }

  /** Whether entries have to be copied, as the child could not fault all of them in again. */
  private boolean isWalked(Vma vma) {
    long always =
        VmaFlags.HUGETLB
            | VmaFlags.NONLINEAR
            | VmaFlags.PFNMAP
            | VmaFlags.INSERTPAGE
            | VmaFlags.MAYBE_GUARD;
    if (manager.rules().has(Rule.FORK_WALKS_MIXED_MAPS)) {
      always |= VmaFlags.MIXEDMAP;
    }
    return (vma.flags() & always) != 0 || vma.anon().isUsed();
  }

  private void copyEntries(Vma vma) throws MapException {
    LeafTables leaves =
        new LeafTables(parent, vma.range().start(), vma.range().end(), LeafTables.Huge.SHOWN);
    while (leaves.next()) {
      if (copyWhole(vma, leaves)) {
        continue;
      }
      long target = child.table().slotOrCreate(leaves.start(), leaves.level());
      if (target == PageTable.NO_SLOT) {
        throw new MapException(
            Errno.ENOMEM, "fork of " + parent.name(), "frames for tables", "none");
      }
      manager.lockEntry(target);
      try {
        leaves.lock();
        try {
          if (leaves.isHuge()) {
            copyHuge(leaves, target);
          } else {
            copyTable(vma, leaves, target);
          }
        } finally {
          leaves.unlock();
        }
      } finally {
        manager.unlockEntry(target);
      }
    }
  }

  /** Copies a huge leaf, which is special, clean and protected against stores. */
  private void copyHuge(LeafTables leaves, long target) {
    long pte = parent.table().get(leaves.slot());
    if (layout.isHugeLeaf(pte, leaves.level())) {
      child.hugeLeaves().noteUsed();
      child.table().set(target, layout.withOld(pte));
    } else {
      leaves.retry();
    }
  }

  /**
   * Copies a whole table of which no entry is counted, and links it filled and sealed. The lock of
   * the parent's table is held until then: truncation comes to the parent first, so it has emptied
   * the entries before they are copied, or finds the copies.
   */
  private boolean copyWhole(Vma vma, LeafTables leaves) {
    if (!leaves.isWhole() || !manager.trustsSpecialBit(vma)) {
      return false;
    }
    long pmd = pmd(leaves.start());
    if (pmd < 0) {
      return false;
    }
    leaves.lock();
    try {
      if (!looksUncounted(vma, leaves.slot(), leaves.count())) {
        return false;
      }
      long pfn = manager.allocateTableToFill();
      if (pfn < 0) {
        return false;
      }
      block.copyForked(leaves.slot(), pfn << Pages.SHIFT, leaves.count(), vma.has(VmaFlags.SHARED));
      if (block.isNoneWritable()) {
        frames.seal(pfn);
      }
      child.table().link(pmd, pfn);
      return true;
    } finally {
      leaves.unlock();
    }
  }

  /** The slot of the child's PMD for an address, or a negative number. */
  private long pmd(long va) {
    PageTable table = child.table();
    table.walkOn(va, walk);
    return walk.pmd() == PageTable.NO_SLOT ? table.slotOrCreate(va, Level.PMD) : walk.pmd();
  }

  /** Copies a table in parts: in bulk where no entry is counted, else entry by entry. */
  private void copyTable(Vma vma, LeafTables leaves, long target) {
    for (int done = 0; done < leaves.count(); done += LeafTables.FEW) {
      long at = 8L * done;
      int few = Math.min(LeafTables.FEW, leaves.count() - done);
      if (!copyInBulk(vma, leaves.slot() + at, target + at, few)) {
        long va = leaves.start() + done * Pages.SIZE;
        copyEach(vma, va, leaves.slot() + at, target + at, few);
      }
    }
  }

  private boolean copyInBulk(Vma vma, long slot, long target, int count) {
    boolean can = manager.trustsSpecialBit(vma) && looksUncounted(vma, slot, count);
    if (can) {
      block.copyForked(slot, target, count, vma.has(VmaFlags.SHARED));
    }
    return can;
  }

  /**
   * Whether no entry is counted, by the special bit of each, and entries of a private mapping are
   * all write-protected, as they nearly always are.
   */
  private boolean looksUncounted(Vma vma, long slot, int count) {
    block.look(slot, count);
    return block.isSpecialOrEmpty() && !(VmaFlags.isCow(vma.flags()) && !block.isNoneWritable());
  }

  private void copyEach(Vma vma, long first, long firstSlot, long firstTarget, int count) {
    boolean copiedOnWrite = VmaFlags.isCow(vma.flags());
    boolean shared = vma.has(VmaFlags.SHARED);
    PageTable from = parent.table();
    PageTable to = child.table();
    long slot = firstSlot;
    long target = firstTarget;
    long end = first + count * Pages.SIZE;
    for (long va = first; va < end; va += Pages.SIZE, slot += 8, target += 8) {
      long pte = from.get(slot);
      if (layout.isEmpty(pte)) {
        continue;
      }
      long guarded = layout.withoutWrite(pte);
      // An entry without any right stays as it is, also where it looks writable (s390x of 2008).
      while (copiedOnWrite && layout.isWritable(pte) && guarded != pte) {
        duty = duty.and(from.replace(slot, pte, guarded));
        pte = from.get(slot);
        guarded = layout.withoutWrite(pte);
      }
      pte = layout.withOld(shared ? layout.withClean(pte) : pte);
      long pfn = manager.normalFrame(vma, va, pte);
      if (pfn != MemoryManager.NO_FRAME) {
        frames.get(pfn);
        frames.addMapping(pfn);
        child.counters().mapped(frames.use(pfn) == FrameUse.ANONYMOUS);
      }
      to.set(target, pte);
    }
  }
}
