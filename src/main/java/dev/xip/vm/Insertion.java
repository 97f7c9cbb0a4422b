package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.util.function.Function;

/**
 * The three ways to insert an entry into an empty slot of a mapping of a file. A precondition that
 * does not hold is the kernel's BUG. No flush is owed: the slot was empty. Linux counterpart:
 * vm_insert_pfn, vm_insert_mixed and vm_insert_page (mm/memory.c).
 *
 * <p>Lock held by the caller: the map lock, shared; the methods that the facade calls take it
 * themselves.
 */
final class Insertion {
  /**
   * Passed in place of a slot that the caller has not found: the insertion finds it, or makes its
   * table, after all checks.
   */
  static final long UNKNOWN = PageTable.NO_SLOT;

  private final Mm mm;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;

  /** The flag of a mapping that a page frame was inserted into. */
  private final long insertedMark;

  Insertion(Mm mm) {
    this.mm = mm;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
    this.insertedMark =
        manager.rules().has(Rule.INSERTION_MAKES_MIXED) ? VmaFlags.MIXEDMAP : VmaFlags.INSERTPAGE;
  }

  /** Called by the facade: inserts a special entry. Takes the map lock. */
  Errno insertPfn(long va, long pfn) {
    return insert(va, vma -> insertPfn(vma, va, pfn));
  }

  /** Called by the facade: inserts a special entry, or a counted one. Takes the map lock. */
  Errno insertMixed(long va, long pfn) {
    return insert(va, vma -> insertMixed(vma, va, UNKNOWN, pfn));
  }

  /**
   * Called by the facade: inserts a normal entry; the mapping becomes mixed, or is marked as one
   * that fork walks. Takes the map lock.
   */
  Errno insertFrame(long va, long pfn) {
    long stamp = mm.lockExclusively();
    try {
      Vma vma = mm.find(va);
      if (vma == null) {
        return Errno.EFAULT;
      }
      if (!vma.has(VmaFlags.PFNMAP) && !vma.has(VmaFlags.MIXEDMAP) && isFrame(pfn)) {
        vma = vma.withFlags(vma.flags() | insertedMark);
        mm.install(mm.vmas().without(vma.range()).with(vma));
      }
      return insertFrame(vma, va, UNKNOWN, pfn);
    } finally {
      mm.unlockExclusively(stamp);
    }
  }

  private Errno insert(long va, Function<Vma, Errno> how) {
    long stamp = mm.lockShared();
    try {
      Vma vma = mm.find(va);
      return vma == null ? Errno.EFAULT : how.apply(vma);
    } finally {
      mm.unlockShared(stamp);
    }
  }

  /** Inserts a special entry, for which nothing is ever counted. */
  Errno insertPfn(Vma vma, long va, long pfn) {
    boolean pfnMap = vma.has(VmaFlags.PFNMAP);
    boolean mixed = vma.has(VmaFlags.MIXEDMAP);
    require(pfnMap || mixed, vma, "PFNMAP or MIXEDMAP must be set");
    require(!(pfnMap && mixed), vma, "PFNMAP and MIXEDMAP exclude each other");
    require(!(pfnMap && VmaFlags.isCow(vma.flags())), vma, "PFNMAP may not be copied on write");
    require(!(mixed && manager.pfnValid(pfn)), vma, "in MIXEDMAP a pfn may have no page frame");
    if (!vma.range().contains(va)) {
      return Errno.EFAULT;
    }
    return insertRaw(vma, va, UNKNOWN, pfn);
  }

  /**
   * Inserts a special entry whether or not there is a page frame, or, where entries have no special
   * bit, a counted one if there is.
   */
  Errno insertMixed(Vma vma, long va, long slot, long pfn) {
    require(vma.has(VmaFlags.MIXEDMAP), vma, "MIXEDMAP must be set");
    if (!vma.range().contains(va)) {
      return Errno.EFAULT;
    }
    if (manager.countsRegionFrame(pfn)) {
      return insertCounted(vma, va, slot, pfn);
    }
    if (!manager.marksEntries(vma) && manager.pfnValid(pfn)) {
      if (!frames.contains(pfn)) {
        // The kernel would count in memory that lies past its mem_map.
        throw new IllegalStateException(
            "BUG: %s: pfn_valid says yes to pfn 0x%x, which has no page frame".formatted(vma, pfn));
      }
      // As insert_page, which looks at no count: a frame that is no RAM may have none.
      return isFrame(pfn) || !frames.isRam(pfn) ? insertCounted(vma, va, slot, pfn) : Errno.EINVAL;
    }
    return insertRaw(vma, va, slot, pfn);
  }

  /**
   * Inserts entries for contiguous pages into those slots of one table that are empty, as {@link
   * #insertMixed} does for one page.
   *
   * @param va the address of one of the pages, whose result is returned
   * @param slot the slot of that address, or what {@link PageTable#slotOrCreate} answers instead
   * @param pfn the frame number there
   * @param before how many pages below it get an entry as well
   * @param after how many pages above
   */
  Errno insertMixedRun(Vma vma, long va, long slot, long pfn, int before, int after) {
    if (slot < 0) {
      return notASlot(slot);
    }
    if (before + after == 0 || !manager.usesSpecialBit() || manager.countsRegionFrame(pfn)) {
      return insertMixedEach(vma, va, slot, pfn, before, after);
    }
    require(vma.has(VmaFlags.MIXEDMAP), vma, "MIXEDMAP must be set");
    long windowPages = manager.memory().windowBytes() >>> Pages.SHIFT;
    if (pfn < before || pfn >= windowPages - after) {
      return Errno.EINVAL;
    }
    long first = manager.marked(layout.leaf(pfn - before, vma.pageAccess()));
    manager.lockEntry(slot);
    try {
      boolean empty = layout.isEmpty(table.get(slot));
      table.block().fill(slot - 8L * before, before + 1 + after, first);
      return empty ? Errno.OK : Errno.EBUSY;
    } finally {
      manager.unlockEntry(slot);
    }
  }

  private Errno insertMixedEach(Vma vma, long va, long slot, long pfn, int before, int after) {
    Errno result = Errno.EBUSY;
    for (int i = -before; i <= after; i++) {
      Errno each = insertMixed(vma, va + i * Pages.SIZE, slot + 8L * i, pfn + i);
      if (i == 0) {
        result = each;
      }
    }
    return result;
  }

  /**
   * Inserts a normal entry and counts it.
   *
   * @param slot the slot of the address, or {@link #UNKNOWN}
   */
  Errno insertFrame(Vma vma, long va, long slot, long pfn) {
    if (!vma.range().contains(va)) {
      return Errno.EFAULT;
    }
    return isFrame(pfn) ? insertCounted(vma, va, slot, pfn) : Errno.EINVAL;
  }

  private Errno insertCounted(Vma vma, long va, long slot, long pfn) {
    require(!vma.has(VmaFlags.PFNMAP), vma, "a page frame may not be inserted into PFNMAP");
    require(
        vma.has(VmaFlags.MIXEDMAP) || insertedMark == VmaFlags.INSERTPAGE,
        vma,
        "MIXEDMAP is set with the map lock held exclusively");
    if (frames.use(pfn) == FrameUse.ANONYMOUS) {
      return Errno.EINVAL;
    }
    return insert(va, slot, layout.leaf(pfn, vma.pageAccess()), pfn);
  }

  /** Whether the number has a page frame that is in use. */
  boolean isFrame(long pfn) {
    return frames.contains(pfn) && frames.references(pfn) > 0;
  }

  private Errno insertRaw(Vma vma, long va, long slot, long pfn) {
    if (pfn < 0 || pfn >= manager.memory().windowBytes() >>> Pages.SHIFT) {
      return Errno.EINVAL;
    }
    long entry = layout.leaf(pfn, vma.pageAccess());
    return insert(
        va,
        slot,
        manager.marksEntries(vma) ? manager.marked(entry) : entry,
        MemoryManager.NO_FRAME);
  }

  private Errno insert(long va, long known, long entry, long counted) {
    long slot = known == UNKNOWN ? table.slotOrCreate(va) : known;
    if (slot < 0) {
      return notASlot(slot);
    }
    manager.lockEntry(slot);
    try {
      if (!layout.isEmpty(table.get(slot))) {
        return Errno.EBUSY;
      }
      if (counted != MemoryManager.NO_FRAME) {
        frames.get(counted);
        frames.addMapping(counted);
        mm.counters().mapped(false);
      }
      table.set(slot, entry);
    } finally {
      manager.unlockEntry(slot);
    }
    return Errno.OK;
  }

  private static Errno notASlot(long answer) {
    return answer == PageTable.HUGE ? Errno.EBUSY : Errno.ENOMEM;
  }

  private static void require(boolean rule, Vma vma, String what) {
    if (!rule) {
      throw new IllegalStateException("BUG: %s: %s".formatted(vma, what));
    }
  }
}
