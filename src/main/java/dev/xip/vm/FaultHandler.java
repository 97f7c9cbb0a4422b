package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;

/**
 * Answers faults, by the kind of mapping and entry. Linux counterpart: {@code handle_pte_fault}
 * (mm/memory.c) with the checks of {@code __do_page_fault}.
 *
 * <p>Lock held by the caller: none; it takes the map lock, shared, or exclusively to grow a stack.
 */
final class FaultHandler {
  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final HugeLeaves hugeLeaves;
  private final FileFault fileFault;
  private final CacheFault cacheFault;
  private final AnonymousFault anonymousFault;
  private final CopyOnWrite copyOnWrite;

  FaultHandler(Mm mm, Insertion insertion) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.hugeLeaves = mm.hugeLeaves();
    this.copyOnWrite = new CopyOnWrite(mm);
    this.fileFault = new FileFault(mm, insertion, copyOnWrite);
    this.cacheFault = new CacheFault(mm, copyOnWrite);
    this.anonymousFault = new AnonymousFault(mm);
  }

  /**
   * Answers a fault. Takes the map lock. Linux counterpart: {@code handle_mm_fault} (mm/memory.c).
   *
   * @param va the address accessed
   * @param wanted what the access does
   * @param force whether rights that the mapping could be given are enough, as for a debugger
   */
  FaultResult fault(long va, Access wanted, boolean force) {
    while (true) {
      long stamp = mm.lockShared();
      try {
        VmaList vmas = mm.vmas();
        if (StackGrowth.stackAbove(vmas, va) == null) {
          FaultResult result = handle(vmas.find(va), va, wanted, force);
          if (result instanceof FaultResult.Handled) {
            mm.counters().faulted();
          }
          return result;
        }
      } finally {
        mm.unlockShared(stamp);
      }
      if (!growStack(va)) {
        return segmentationFault(va, "the stack above it may not grow that far");
      }
    }
  }

  private boolean growStack(long va) {
    long stamp = mm.lockExclusively();
    try {
      VmaList vmas = mm.vmas();
      Vma stack = StackGrowth.stackAbove(vmas, va);
      VmaList grown = stack == null ? vmas : StackGrowth.grown(vmas, stack, va, mm.stackLimit());
      if (grown == null) {
        return false;
      }
      mm.install(grown);
      return true;
    } finally {
      mm.unlockExclusively(stamp);
    }
  }

  private FaultResult handle(Vma vma, long va, Access wanted, boolean force) {
    if (vma == null) {
      return segmentationFault(va, "no mapping there");
    }
    if (!allows(vma, wanted, force)) {
      return segmentationFault(va, wanted + " access to " + vma);
    }
    long page = Pages.roundDown(va);
    long stop = table.descend(page);
    if (PageTable.levelOf(stop) != Level.PTE && !wanted.write() && vma.isInPlace()) {
      FaultResult huge = fileFault.handleHuge(vma, page, stop);
      if (huge != null) {
        return huge;
      }
    }
    long slot = table.slotOrCreate(page, Level.PTE, stop);
    while (slot == PageTable.HUGE) {
      stop = table.descend(page, stop);
      if (hugeLeaves.touch(stop, wanted.write())) {
        return FaultResult.Handled.PRESENT;
      }
      slot = table.slotOrCreate(page, Level.PTE, stop);
    }
    if (slot == PageTable.NO_SLOT) {
      return outOfMemory(va, "a page table");
    }
    long pte = table.get(slot);
    if (layout.isEmpty(pte)) {
      return vma.isAnonymous()
          ? anonymousFault.handle(vma, page, slot, wanted.write())
          : vma.isInPlace()
              ? fileFault.handle(vma, page, slot, wanted.write())
              : cacheFault.handle(vma, page, slot, wanted.write());
    }
    if (!layout.isPresent(pte)) {
      if (layout.isGuard(pte)) {
        return segmentationFault(va, "a guard region of " + vma);
      }
      manager.badEntries().report(vma, page, pte, "neither empty nor present");
      return busError(va, "bad entry 0x%x".formatted(pte), null);
    }
    return present(vma, page, slot, pte, wanted.write());
  }

  /** The part for pages of files. */
  FileFault fileFault() {
    return fileFault;
  }

  /** A read is allowed by any right at all, as hardware does. */
  private static boolean allows(Vma vma, Access wanted, boolean force) {
    Access granted = force ? VmaFlags.access(vma.flags() >>> 4) : vma.access();
    return (!wanted.write() || granted.write())
        && (!wanted.execute() || granted.execute())
        && !granted.equals(Access.NONE);
  }

  private FaultResult present(Vma vma, long va, long slot, long pte, boolean write) {
    long old;
    long held;
    manager.lockEntry(slot);
    try {
      if (table.get(slot) != pte) {
        return FaultResult.Handled.PRESENT;
      }
      // A forced store may meet an entry without any right, which s390x of 2008 calls writable.
      if (!write || layout.isWritable(pte) && vma.has(VmaFlags.WRITE)) {
        long used = layout.withYoung(pte);
        // If an MMU has marked the entry meanwhile, the access is tried again and finds the marks.
        table.change(slot, pte, write ? layout.withDirty(used) : used);
        return FaultResult.Handled.PRESENT;
      }
      old = manager.normalFrame(vma, va, pte);
      if (copyOnWrite.reuseLocked(vma, slot, pte, old)) {
        return FaultResult.Handled.REUSED;
      }
      held = copyOnWrite.holdLocked(vma, old);
    } finally {
      manager.unlockEntry(slot);
    }
    return copyOnWrite.copy(vma, va, slot, pte, old, held);
  }

  static FaultResult segmentationFault(long va, String why) {
    return new FaultResult.Refused(new MemoryFaultException.SegmentationFault(va, why));
  }

  static FaultResult busError(long va, String why, Throwable cause) {
    return new FaultResult.Refused(new MemoryFaultException.BusError(va, why, cause));
  }

  static FaultResult outOfMemory(long va, String what) {
    return new FaultResult.Refused(
        new MemoryFaultException.OutOfMemory(va, "no free frame of RAM for " + what));
  }
}
