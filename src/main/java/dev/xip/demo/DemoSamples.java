package dev.xip.demo;

import dev.xip.base.Pages;
import dev.xip.file.InPlaceFile;
import dev.xip.host.Libxip;
import dev.xip.host.WalkResult;
import dev.xip.image.BlockMap;
import dev.xip.image.Extent;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Vma;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Selects the files and entries that the demo shows. */
final class DemoSamples {
  /** The number of files shown. */
  static final int FILES = 3;

  private static final int ENTRIES = 4;

  private DemoSamples() {}

  static List<Extent> extents(InPlaceFile file) {
    BlockMap map = file.blockMap();
    List<Extent> extents = new ArrayList<>(map.extentCount());
    for (int i = 0; i < map.extentCount(); i++) {
      extents.add(map.extent(i));
    }
    return extents;
  }

  /**
   * The first pages of the largest mapping, its last, and the first normal entry of the space if
   * there is one, each with what C reads at the same address.
   */
  static List<DemoReport.SampleEntry> entries(AddressSpace space) {
    List<DemoReport.SampleEntry> samples = new ArrayList<>();
    Vma largest =
        space.vmas().stream()
            .max(Comparator.comparingLong(vma -> vma.range().length()))
            .orElse(null);
    if (largest == null) {
      return samples;
    }
    long start = largest.range().start();
    for (int i = 0; i < ENTRIES - 1 && start + i * Pages.SIZE < largest.range().end(); i++) {
      samples.add(entry(space, start + i * Pages.SIZE));
    }
    samples.add(entry(space, largest.range().end() - Pages.SIZE));
    EntryLayout layout = space.table().layout();
    long[] normal = {-1};
    space
        .table()
        .forEach(
            0,
            layout.addressLimit(),
            (va, level, slot, pte) -> {
              if (normal[0] < 0 && !layout.isSpecial(pte)) {
                normal[0] = va;
              }
            });
    if (normal[0] >= 0) {
      samples.add(entry(space, normal[0]));
    }
    return samples;
  }

  /** The entry of a mapped page, with what C reads at the same address. */
  static DemoReport.SampleEntry entry(AddressSpace space, long va) {
    EntryLayout layout = space.table().layout();
    Walk walk = new Walk();
    space.table().walk(va, walk);
    PhysicalMemory memory = space.manager().memory();
    WalkResult c =
        Libxip.get().walk(memory.ram().asReadOnly(), layout.abiNumber(), space.table().root(), va);
    return new DemoReport.SampleEntry(
        space.find(va).file().name(),
        va,
        walk.pte(),
        layout.describe(walk.pte()),
        layout.isSpecial(walk.pte()),
        c.pte(),
        c.pa(),
        c.special());
  }
}
