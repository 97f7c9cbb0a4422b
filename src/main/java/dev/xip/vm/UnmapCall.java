package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.pagetable.FlushDuty;
import java.util.List;

/**
 * Removes mappings and their entries. Linux counterpart: {@code unmap_region} (mm/mmap.c).
 *
 * <p>Lock held by the caller: the map lock, exclusively, to unmap; none to exit.
 */
final class UnmapCall {
  private final Mm mm;

  UnmapCall(Mm mm) {
    this.mm = mm;
  }

  /**
   * Unmaps everything and frees the tables; does nothing the second time. Takes the map lock. Linux
   * counterpart: {@code exit_mmap} (mm/mmap.c).
   */
  void exit() {
    long stamp = mm.lockExclusively();
    try {
      if (mm.isClosed()) {
        return;
      }
      if (mm.table().isAttached()) {
        throw new IllegalStateException(
            "address space %s: expected no processor that uses it".formatted(mm.name()));
      }
      mm.close();
      unmap(new AddrRange(0, mm.table().layout().addressLimit()));
      // Even if nothing was mapped: concurrent walkers must see the new generation before the
      // tables are freed.
      mm.flush(FlushDuty.OWED);
      mm.table().free();
      mm.manager().forget(mm);
    } finally {
      mm.unlockExclusively(stamp);
    }
  }

  /**
   * Empties and removes the mappings of a range. Tables are freed last, when no truncation can be
   * in them any more. The map lock is held exclusively.
   */
  void unmap(AddrRange range) {
    List<Vma> hit = mm.vmas().overlapping(range);
    try (MmuGather tables = new MmuGather(mm)) {
      // Closed first: a file whose last mapping is removed may free its memory, so no reader may
      // still use a translation to it.
      try (MmuGather gather = new MmuGather(mm)) {
        for (Vma vma : hit) {
          AddrRange part = common(vma.range(), range);
          mm.zapper().unmap(vma, part.start(), part.end(), gather, tables);
        }
      }
      mm.install(mm.vmas().without(range));
      for (Vma vma : hit) {
        FileMappings mappings = vma.isAnonymous() ? null : mm.mappingsOf(vma.file());
        if (mappings != null) {
          mappings.settle();
        }
      }
      detachTables(range, hit, tables);
    }
  }

  /** Takes out the tables of the removed mappings that no remaining mapping uses. */
  private void detachTables(AddrRange range, List<Vma> hit, MmuGather tables) {
    VmaList left = mm.vmas();
    long floor = left.endBefore(range.start(), 0);
    long ceiling = left.startAfter(range.start(), mm.table().layout().addressLimit());
    for (int i = 0; i < hit.size(); i++) {
      // A table that the next mapping uses too is taken out with that one, which must find its own
      // tables first.
      long end = i == hit.size() - 1 ? ceiling : hit.get(i + 1).range().start();
      mm.table()
          .detachTables(common(hit.get(i).range(), range), new AddrRange(floor, end), tables::add);
    }
  }

  private static AddrRange common(AddrRange a, AddrRange b) {
    return new AddrRange(Math.max(a.start(), b.start()), Math.min(a.end(), b.end()));
  }
}
