package dev.xip.vm;

import dev.xip.base.AddrRange;
import java.util.List;

/**
 * Takes mappings away, with all that was filled in for them. The map lock is held exclusively.
 * Linux counterpart: {@code unmap_region} (mm/mmap.c).
 */
final class UnmapCall {
  private final AddressSpace space;

  UnmapCall(AddressSpace space) {
    this.space = space;
  }

  /**
   * Empties and removes the mappings of a range. Tables go last, when no walk through a file's
   * mappings can be in them any more.
   */
  void unmap(AddrRange range) {
    List<Vma> hit = space.vmaList().overlapping(range);
    MmuGather gather = new MmuGather(space);
    MmuGather tables = new MmuGather(space);
    for (Vma vma : hit) {
      AddrRange part = common(vma.range(), range);
      space.zapper().unmap(vma, part.start(), part.end(), gather, tables);
    }
    // A file whose last mapping goes may free its memory, so nobody may read there any more.
    gather.finish();
    space.install(space.vmaList().without(range));
    for (Vma vma : hit) {
      FileMappings mappings = vma.isAnonymous() ? null : space.mappingsOf(vma.file());
      if (mappings != null) {
        mappings.settle();
      }
    }
    detachTables(range, hit, tables);
    tables.finish();
  }

  /** Takes out the tables that served the mappings of a range and serve none that are left. */
  private void detachTables(AddrRange range, List<Vma> hit, MmuGather tables) {
    VmaList left = space.vmaList();
    long floor = left.endBefore(range.start(), 0);
    long ceiling = left.startAfter(range.start(), space.table().layout().addressLimit());
    for (int i = 0; i < hit.size(); i++) {
      // What the next one is in as well goes with that: its own tables must be found first.
      long end = i == hit.size() - 1 ? ceiling : hit.get(i + 1).range().start();
      space
          .table()
          .detachTables(common(hit.get(i).range(), range), new AddrRange(floor, end), tables::add);
    }
  }

  private static AddrRange common(AddrRange a, AddrRange b) {
    return new AddrRange(Math.max(a.start(), b.start()), Math.min(a.end(), b.end()));
  }
}
