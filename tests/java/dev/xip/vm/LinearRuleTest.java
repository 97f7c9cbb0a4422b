package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.PhysicalRange;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * Why MIXEDMAP and the special bit exist: scattered pages under PFNMAP break without the bit. There
 * a private PFNMAP mapping tells a raw entry from a private copy by {@code pfn = vm_pgoff + page}
 * alone, and most pages of a file in place do not obey that.
 */
class LinearRuleTest {
  private static final long PFN = TestMachine.DEVICE >>> Pages.SHIFT;

  private static final long PRIVATE =
      VmaFlags.READ | VmaFlags.WRITE | VmaFlags.MAYREAD | VmaFlags.MAYWRITE | VmaFlags.MAYEXEC;

  /**
   * What became of a mapping.
   *
   * @param raw pages that were taken for pages without a page frame
   * @param counted pages that were taken for private copies: exit uncounts them, though nothing
   *     counted them
   * @param reports bad entries reported until the mapping was gone
   */
  private record Outcome(int raw, int counted, long reports) {}

  /**
   * Maps pages privately as if {@code remap_pfn_range} and {@code vm_insert_pfn} made no checks,
   * asks about each entry, and unmaps. The first page obeys the linear rule.
   *
   * @param flag {@link VmaFlags#PFNMAP}, or {@link VmaFlags#MIXEDMAP} for the cure
   */
  private static Outcome mapScattered(MemoryManager manager, long[] pfns, long flag)
      throws MapException {
    long reports = manager.badEntries().count();
    int counted = 0;
    try (AddressSpace space = manager.newAddressSpace("scattered")) {
      AddrRange range = AddrRange.ofLength(Mm.LOWEST_ADDRESS, pfns.length * Pages.SIZE);
      Vma vma =
          new Vma(
              range, PRIVATE | flag, new PhysicalRange("scattered", range, false, true), pfns[0]);
      Mm mm = space.mm();
      long stamp = mm.lockToChange();
      try {
        mm.install(mm.vmas().with(vma));
        for (int i = 0; i < pfns.length; i++) {
          counted += enter(mm, vma, range.start() + i * Pages.SIZE, pfns[i]) ? 1 : 0;
        }
      } finally {
        mm.unlockExclusively(stamp);
      }
    }
    return new Outcome(pfns.length - counted, counted, manager.badEntries().count() - reports);
  }

  /** Enters one page; whether it is taken for one with a page frame. */
  private static boolean enter(Mm mm, Vma vma, long va, long pfn) throws MapException {
    MemoryManager manager = mm.manager();
    if (vma.has(VmaFlags.MIXEDMAP)) {
      assertThat(new Insertion(mm).insertMixed(vma, va, Insertion.UNKNOWN, pfn))
          .isEqualTo(Errno.OK);
    } else {
      DeviceMap.remapPfnRange(mm, "remap_pfn_range", vma, va, pfn, 1);
    }
    long pte = mm.table().get(mm.table().slotOrCreate(va));
    return manager.normalFrame(vma, va, pte) != MemoryManager.NO_FRAME;
  }

  /**
   * Stores into a private PFNMAP page, of which the copy lands on the very frame that the linear
   * rule expects there. Derived from the rule: no machine was seen to do it. The frame is free and
   * the one that is handed out next.
   *
   * @return whether the copy was taken for raw, so that exit did not free it
   */
  private static boolean copyIsTakenForRaw(MemoryManager manager) throws IOException {
    FrameAllocator allocator = manager.memory().allocator();
    long used = allocator.inUse(FrameUse.ANONYMOUS);
    long pfn = allocator.allocate(FrameUse.ANONYMOUS);
    try (AddressSpace space = manager.newAddressSpace("linear copy")) {
      AddrRange frame = AddrRange.ofLength(pfn << Pages.SHIFT, Pages.SIZE);
      AddrRange range =
          space.map(
              MapRequest.privately(
                  new PhysicalRange("RAM", frame, false, true), Access.READ_WRITE));
      allocator.put(pfn);
      new AddressWriter(space).putByte(range.start(), (byte) 1);
    }
    return allocator.inUse(FrameUse.ANONYMOUS) > used;
  }

  private static TestMachine withoutTheBit() {
    return new TestMachine(X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT_IF_MIXED, Rules.DEFAULT);
  }

  /** Pages of a file in a segment without page frames and, in between, in frames of RAM. */
  private static long[] scattered(long... ram) {
    return new long[] {PFN, PFN + 7, ram[0], PFN + 5, ram[1]};
  }

  private static Outcome map(TestMachine machine, long flag) throws IOException {
    long[] ram = {
      machine.memory.allocator().allocate(FrameUse.PAGE_CACHE),
      machine.memory.allocator().allocate(FrameUse.PAGE_CACHE)
    };
    Outcome outcome = mapScattered(machine.manager, scattered(ram), flag);
    for (long pfn : ram) {
      assertThat(machine.references(pfn)).isEqualTo(1);
      machine.memory.allocator().put(pfn);
    }
    machine.badEntriesExpected = outcome.reports();
    return outcome;
  }

  @Test
  void underPfnmapRawPagesAreTakenForCopiesAndUncounted() throws IOException {
    try (TestMachine machine = withoutTheBit()) {
      // Two pages of RAM are uncounted at exit; two past the mem_map are reported at each question.
      Outcome outcome = map(machine, VmaFlags.PFNMAP);
      assertThat(outcome).isEqualTo(new Outcome(3, 2, 2 + 2 * 2));
      assertThat(machine.manager.badEntries().last()).contains("map count would go below zero");
    }
  }

  @Test
  void underMixedmapPfnValidTellsThemApart() throws IOException {
    try (TestMachine machine = withoutTheBit()) {
      assertThat(map(machine, VmaFlags.MIXEDMAP)).isEqualTo(new Outcome(3, 2, 0));
    }
  }

  @Test
  void withTheBitNeitherFlagMatters() throws IOException {
    try (TestMachine machine =
        new TestMachine(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, Rules.DEFAULT)) {
      for (long flag : new long[] {VmaFlags.PFNMAP, VmaFlags.MIXEDMAP}) {
        assertThat(map(machine, flag)).isEqualTo(new Outcome(5, 0, 0));
      }
    }
  }

  @Test
  void aCopyOnTheFrameThatTheRuleExpectsIsLost() throws IOException {
    try (TestMachine machine = new TestMachine()) {
      assertThat(copyIsTakenForRaw(machine.manager)).isFalse();
    }
    try (TestMachine machine = withoutTheBit()) {
      assertThat(copyIsTakenForRaw(machine.manager)).isTrue();
      // Its reference, its map count and its place in anon rss are left, and nothing maps it.
      assertThat(Verifier.verify(machine.manager)).hasSize(3);
      long lost = machine.manager.sparsePfn() + 1;
      assertThat(machine.memory.frames().use(lost)).isEqualTo(FrameUse.ANONYMOUS);
      machine.memory.frames().removeMapping(lost);
      machine.manager.counters().unmapped(true);
      machine.memory.allocator().put(lost);
    }
  }
}
