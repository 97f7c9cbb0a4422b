package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.PageTable;
import java.util.BitSet;
import java.util.Set;

/**
 * The calls that go through a range mapping by mapping: mprotect, madvise, msync, mincore, mlock
 * and munlock. They differ in how they treat gaps. Linux counterparts: the files of those names in
 * mm/.
 *
 * <p>Lock held by the caller: none; the calls take the map lock, exclusively to change mappings.
 */
final class RangeCalls {
  /** The longest range of mincore: the answer has a bit for each page. */
  private static final long MOST_IN_CORE = (long) Integer.MAX_VALUE << Pages.SHIFT;

  private final Mm mm;
  private final PageTable table;
  private final EntryLayout layout;
  private final Populate populate;
  private final GuardRegions guardRegions;
  private final long special;

  /** The bits of an entry that mprotect erases. */
  private final long erased;

  RangeCalls(Mm mm, Populate populate) {
    this.mm = mm;
    this.table = mm.table();
    this.layout = table.layout();
    this.populate = populate;
    this.guardRegions = new GuardRegions(mm);
    Rules rules = mm.manager().rules();
    this.special = VmaFlags.special(rules);
    long leaf = layout.leaf(0, Access.READ);
    this.erased =
        rules.has(Rule.MPROTECT_KEEPS_SPECIAL) || !layout.hasSpecialBit()
            ? 0
            : layout.withSpecial(leaf) & ~leaf;
  }

  /** Handles the part of a mapping that lies in the range. */
  @FunctionalInterface
  private interface PartAction {
    void part(Vma vma, AddrRange part) throws MapException;
  }

  /** How a call treats a gap; it fails with ENOMEM either way. */
  private enum Gap {
    ENDS_THE_CALL,
    IS_PASSED_OVER
  }

  private void eachPart(String call, AddrRange range, Gap gap, PartAction action)
      throws MapException {
    long firstGap = -1;
    long at = range.start();
    for (Vma vma : mm.vmas().overlapping(range)) {
      AddrRange part =
          new AddrRange(
              Math.max(range.start(), vma.range().start()),
              Math.min(range.end(), vma.range().end()));
      if (at < part.start() && firstGap < 0) {
        firstGap = at;
        if (gap == Gap.ENDS_THE_CALL) {
          break;
        }
      }
      action.part(vma, part);
      at = part.end();
    }
    if (at < range.end() && firstGap < 0) {
      firstGap = at;
    }
    if (firstGap >= 0) {
      throw new MapException(
          Errno.ENOMEM, call, "mappings without a gap", "none at 0x%x".formatted(firstGap));
    }
  }

  /** Linux counterpart: {@code sys_mprotect}. */
  void protect(AddrRange range, Access access) throws MapException {
    String call = "mprotect %s to %s".formatted(range, access);
    MappingCalls.requirePages(call, range);
    long wanted = VmaFlags.of(access);
    long stamp = mm.lockToChange();
    try {
      eachPart(
          call,
          MappingCalls.wholePages(range),
          Gap.ENDS_THE_CALL,
          (vma, part) -> {
            long grantable = vma.flags() >> 4 & VmaFlags.ACCESS;
            if ((wanted & ~grantable) != 0) {
              throw new MapException(
                  Errno.EACCES,
                  call,
                  "at most " + VmaFlags.access(grantable),
                  "%s for %s".formatted(access, vma));
            }
            long flags = vma.flags() & ~VmaFlags.ACCESS | wanted;
            boolean charged =
                MappingCalls.isAccountable(flags) && (vma.flags() & VmaFlags.WRITE) == 0;
            Vma changed = vma.withFlags(charged ? flags | VmaFlags.ACCOUNT : flags);
            if (changed.flags() != vma.flags()) {
              protect(changed, part);
            }
          });
    } finally {
      mm.unlockExclusively(stamp);
    }
  }

  /**
   * Gives a part of a mapping and its entries other rights. A private page stays write-protected,
   * so that the next store faults and copies it if need be; a dirty shared page becomes writable at
   * once. Linux counterpart: {@code change_pte_range}.
   */
  private void protect(Vma changed, AddrRange part) {
    mm.install(mm.vmas().withFlags(part, changed.flags()));
    boolean dirtyStaysWritable = changed.has(VmaFlags.WRITE | VmaFlags.SHARED);
    FlushDuty duty = FlushDuty.NONE;
    LeafTables leaves =
        new LeafTables(mm, part.start(), part.end(), LeafTables.Huge.SPLIT_WHERE_CUT);
    while (leaves.next()) {
      leaves.lock();
      try {
        if (leaves.isHuge()) {
          duty = duty.and(protectHuge(changed, leaves));
          continue;
        }
        long slot = leaves.slot();
        for (long va = leaves.start(); va < leaves.end(); va += Pages.SIZE, slot += 8) {
          duty = duty.and(protectEntry(slot, changed.pageAccess(), dirtyStaysWritable));
        }
      } finally {
        leaves.unlock();
      }
    }
    mm.flush(duty);
  }

  private FlushDuty protectEntry(long slot, Access access, boolean dirtyStaysWritable) {
    FlushDuty duty = FlushDuty.NONE;
    while (duty == FlushDuty.NONE) {
      long pte = table.get(slot);
      if (!layout.isPresent(pte)) {
        return duty;
      }
      long modified = layout.modify(pte, access) & ~erased;
      boolean writable = dirtyStaysWritable && layout.isDirty(modified);
      duty = table.replace(slot, pte, writable ? layout.withWrite(modified) : modified);
    }
    return duty;
  }

  private FlushDuty protectHuge(Vma changed, LeafTables leaves) {
    FlushDuty duty = FlushDuty.NONE;
    while (duty == FlushDuty.NONE) {
      long pte = table.get(leaves.slot());
      if (!layout.isHugeLeaf(pte, leaves.level())) {
        leaves.retry();
        return duty;
      }
      long modified = layout.modify(pte, changed.pageAccess(), leaves.level());
      duty = table.replace(leaves.slot(), pte, modified);
    }
    return duty;
  }

  /** Linux counterpart: {@code sys_madvise}. */
  void advise(AddrRange range, Advice advice) throws MapException {
    String call = "madvise %s %s".formatted(range, advice);
    MappingCalls.requirePages(call, range);
    AddrRange pages = MappingCalls.wholePages(range);
    if (advice == Advice.DONTNEED || advice == Advice.WILLNEED) {
      long stamp = mm.lockShared();
      try {
        eachPart(
            call,
            pages,
            Gap.IS_PASSED_OVER,
            (vma, part) -> {
              if (advice == Advice.DONTNEED) {
                discard(call, vma, part);
              } else {
                populate.populateResident(vma, part);
              }
            });
      } finally {
        mm.unlockShared(stamp);
      }
      return;
    }
    long stamp = mm.lockToChange();
    try {
      eachPart(
          call,
          pages,
          Gap.IS_PASSED_OVER,
          (vma, part) -> {
            if (advice == Advice.GUARD_INSTALL || advice == Advice.GUARD_REMOVE) {
              guardRegions.advise(call, vma, part, advice);
              return;
            }
            if (advice.isRefusedBy(vma.flags(), special)) {
              throw new MapException(
                  Errno.EINVAL, call, "a mapping that takes this advice", "" + vma);
            }
            mm.install(mm.vmas().withFlags(part, advice.applied(vma.flags())));
          });
    } finally {
      mm.unlockExclusively(stamp);
    }
  }

  /** Linux counterpart: {@code madvise_dontneed}. */
  private void discard(String call, Vma vma, AddrRange part) throws MapException {
    if ((vma.flags() & (VmaFlags.LOCKED | VmaFlags.HUGETLB | VmaFlags.PFNMAP)) != 0) {
      throw new MapException(
          Errno.EINVAL,
          call,
          "mappings without LOCKED, HUGETLB and PFNMAP",
          "%s: %s".formatted(vma, VmaFlags.letters(vma.flags())));
    }
    try (MmuGather gather = new MmuGather(mm)) {
      mm.zapper().zap(vma, part.start(), part.end(), Zapper.Which.PAGES, gather);
    }
  }

  /**
   * Makes the kernel's checks. There is nothing to write back: a shared store is in the file
   * already. Linux counterpart: {@code sys_msync}.
   */
  void sync(AddrRange range, Set<SyncFlag> flags) throws MapException {
    String call = "msync %s %s".formatted(range, flags);
    MappingCalls.requirePages(call, range);
    if (flags.contains(SyncFlag.ASYNC) && flags.contains(SyncFlag.SYNC)) {
      throw new MapException(Errno.EINVAL, call, "ASYNC or SYNC", "both");
    }
    long stamp = mm.lockShared();
    try {
      eachPart(
          call,
          MappingCalls.wholePages(range),
          Gap.IS_PASSED_OVER,
          (vma, part) -> {
            if (flags.contains(SyncFlag.INVALIDATE) && vma.has(VmaFlags.LOCKED)) {
              throw new MapException(Errno.EBUSY, call, "pages that are not locked", "" + vma);
            }
          });
    } finally {
      mm.unlockShared(stamp);
    }
  }

  /** Linux counterpart: {@code sys_mincore}. */
  BitSet inCore(AddrRange range) throws MapException {
    String call = "mincore " + range;
    MappingCalls.requirePages(call, range);
    if (range.length() > MOST_IN_CORE) {
      throw new MapException(
          Errno.EFAULT, call, "at most 0x%x bytes".formatted(MOST_IN_CORE), "more than that");
    }
    BitSet present = new BitSet();
    long stamp = mm.lockShared();
    try {
      eachPart(
          call,
          MappingCalls.wholePages(range),
          Gap.ENDS_THE_CALL,
          (vma, part) -> {
            notePresent(part, range.start(), present);
            if (vma.cache() != null) {
              noteCached(vma, part, range.start(), present);
            }
          });
    } finally {
      mm.unlockShared(stamp);
    }
    return present;
  }

  private void notePresent(AddrRange part, long base, BitSet present) {
    LeafTables leaves = new LeafTables(mm, part.start(), part.end(), LeafTables.Huge.SHOWN);
    while (leaves.next()) {
      int first = Math.toIntExact(leaves.start() - base >>> Pages.SHIFT);
      if (leaves.isHuge()) {
        present.set(first, first + leaves.count());
        continue;
      }
      for (int i = 0; i < leaves.count(); i++) {
        if (layout.isPresent(table.get(leaves.slot() + 8L * i))) {
          present.set(first + i);
        }
      }
    }
  }

  /** Linux counterpart: {@code mincore_page}. */
  private static void noteCached(Vma vma, AddrRange part, long base, BitSet present) {
    for (long va = part.start(); va < part.end(); va += Pages.SIZE) {
      if (vma.cache().frame(vma.pageAt(va)) >= 0) {
        present.set((int) (va - base >>> Pages.SHIFT));
      }
    }
  }

  /** Linux counterpart: {@code sys_mlock}. */
  void lock(AddrRange range) throws MapException {
    String call = "mlock " + range;
    AddrRange pages = MappingCalls.wholePages(range);
    changeLocked(call, pages, VmaFlags.LOCKED);
    populate.populateOrThrow(call, pages);
  }

  /** Linux counterpart: {@code sys_munlock}. */
  void unlock(AddrRange range) throws MapException {
    changeLocked("munlock " + range, MappingCalls.wholePages(range), 0);
  }

  /** Skips special mappings: LOCKED is never set for them. */
  private void changeLocked(String call, AddrRange pages, long locked) throws MapException {
    long stamp = mm.lockToChange();
    try {
      eachPart(
          call,
          pages,
          Gap.ENDS_THE_CALL,
          (vma, part) -> {
            if ((vma.flags() & (special | VmaFlags.HUGETLB)) == 0) {
              long flags = vma.flags() & ~VmaFlags.LOCKED | locked;
              mm.install(mm.vmas().withFlags(part, flags));
            }
          });
    } finally {
      mm.unlockExclusively(stamp);
    }
  }
}
