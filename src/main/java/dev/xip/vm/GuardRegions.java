package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;

/**
 * Guard regions: addresses inside a mapping at which every access is refused, without a mapping of
 * their own. The page table alone knows them, by entries that map nothing, so fork has to copy
 * these as it has to copy what no fault can bring back. Linux counterpart: {@code
 * madvise_guard_install} and {@code madvise_guard_remove} (mm/madvise.c, 6.13); of files and
 * read-only memory f807123d578d (6.15), {@code VM_MAYBE_GUARD} and {@code vma_needs_copy}
 * (mm/memory.c, 6.19).
 *
 * <p>Lock held by the caller: the map lock, exclusively. The kernel holds it shared and tries again
 * if a fault comes in between.
 */
final class GuardRegions {
  private final Mm mm;

  private final PageTable table;
  private final EntryLayout layout;

  GuardRegions(Mm mm) {
    this.mm = mm;
    this.table = mm.table();
    this.layout = table.layout();
  }

  /** Installs or removes the guard region of a part of a mapping. */
  void advise(String call, Vma vma, AddrRange part, Advice advice) throws MapException {
    boolean install = advice == Advice.GUARD_INSTALL;
    requireGuardable(call, vma, install);
    if (install) {
      install(call, vma, part);
    } else {
      remove(part);
    }
  }

  /** Linux counterpart: {@code is_valid_guard_vma}. */
  private void requireGuardable(String call, Vma vma, boolean install) throws MapException {
    Rules rules = mm.manager().rules();
    if (!rules.has(Rule.GUARD_REGIONS)) {
      throw new MapException(Errno.EINVAL, call, "a release with guard regions", "" + rules);
    }
    if (!mm.manager().usesSpecialBit() || layout.isEmpty(layout.guard())) {
      throw new MapException(
          Errno.EINVAL,
          call,
          "the special bit, in entries that can hold it without being present",
          "strategy %s, layout %s".formatted(mm.manager().strategy().name(), layout));
    }
    long refused = VmaFlags.special(rules) | VmaFlags.HUGETLB | (install ? VmaFlags.LOCKED : 0);
    boolean any = rules.has(Rule.GUARD_REGIONS_ANYWHERE);
    if ((vma.flags() & refused) != 0
        || !any && !(vma.isAnonymous() && vma.has(VmaFlags.MAYWRITE))) {
      throw new MapException(
          Errno.EINVAL,
          call,
          any ? "mappings that may merge" : "anonymous memory that could become writable",
          "%s: %s".formatted(vma, VmaFlags.letters(vma.flags())));
    }
  }

  private void install(String call, Vma vma, AddrRange part) throws MapException {
    boolean flagged = mm.manager().rules().has(Rule.GUARD_FLAG);
    if (flagged && !vma.has(VmaFlags.MAYBE_GUARD)) {
      mm.install(mm.vmas().withFlags(vma.range(), vma.flags() | VmaFlags.MAYBE_GUARD));
    }
    if (!flagged || vma.isAnonymous()) {
      mm.find(part.start()).anon().prepare();
    }
    try (MmuGather gather = new MmuGather(mm)) {
      mm.zapper().zap(vma, part.start(), part.end(), Zapper.Which.PAGES, gather);
    }
    for (long va = part.start(); va < part.end(); va += Pages.SIZE) {
      long slot = table.slotOrCreate(va);
      if (slot < 0) {
        throw new MapException(Errno.ENOMEM, call, "a free frame of RAM for a table", "none");
      }
      mm.manager().lockEntry(slot);
      try {
        table.set(slot, layout.guard());
      } finally {
        mm.manager().unlockEntry(slot);
      }
    }
  }

  private void remove(AddrRange part) {
    LeafTables leaves = new LeafTables(mm, part.start(), part.end(), LeafTables.Huge.SHOWN);
    while (leaves.next()) {
      leaves.lock();
      try {
        for (int i = 0; i < leaves.count() && !leaves.isHuge(); i++) {
          long slot = leaves.slot() + 8L * i;
          if (layout.isGuard(table.get(slot))) {
            // Nothing was translated through it, so no flush is owed.
            table.set(slot, layout.empty());
          }
        }
      } finally {
        leaves.unlock();
      }
    }
  }
}
