package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.AtomicContext;
import dev.xip.base.Pages;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.MemoryModel;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.SortedArrayModel;
import dev.xip.phys.SparseModel;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The strategies compared: all agree on random entries, one cannot be used where normalFrame is
 * called (property 3, objection a), and those that list segments are wrong before they are
 * initialised (objection d).
 */
class StrategiesTest {
  @Test
  void allAgreeOnRandomEntries() throws IOException {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    Map<FrameStrategy, FrameFixture> machines = new EnumMap<>(FrameStrategy.class);
    for (FrameStrategy strategy : FrameStrategy.answeringRight()) {
      machines.put(strategy, new FrameFixture(strategy));
    }
    Random random = new Random(seed);
    for (int step = 0; step < 20_000; step++) {
      boolean inSegment = random.nextBoolean();
      boolean linear = random.nextBoolean();
      int page = random.nextInt(512);
      long pfn = inSegment ? FrameFixture.SEGMENT_PFN + random.nextInt(1024) : 2 + page;
      long flags = random.nextBoolean() ? FrameFixture.COW : FrameFixture.SHARED;
      if (inSegment) {
        flags |= VmaFlags.MIXEDMAP;
      } else {
        flags |= random.nextBoolean() ? VmaFlags.MIXEDMAP : 0;
      }
      long va = FrameFixture.START + page * Pages.SIZE;
      for (Map.Entry<FrameStrategy, FrameFixture> each : machines.entrySet()) {
        FrameFixture machine = each.getValue();
        Vma vma = machine.vma(flags, linear ? pfn - page : 0);
        long pte = inSegment ? machine.raw(pfn) : FrameFixture.normal(pfn);
        assertThat(machine.manager.normalFrame(vma, va, pte))
            .as("%s, step %d, -Dxip.seed=%d", each.getKey(), step, seed)
            .isEqualTo(inSegment ? MemoryManager.NO_FRAME : pfn);
      }
    }
    for (FrameFixture machine : machines.values()) {
      assertThat(machine.manager.badEntries().lines()).isEmpty();
      machine.close();
    }
  }

  private static void underAnEntryLock(FrameFixture machine, Runnable code) {
    machine.manager.lockEntry(machine.slot());
    try {
      code.run();
    } finally {
      machine.manager.unlockEntry(machine.slot());
    }
  }

  @ParameterizedTest
  @MethodSource("dev.xip.vm.FrameStrategy#working")
  void aStrategyThatDoesNotSleepIsLegalUnderAnEntryLock(FrameStrategy strategy) throws IOException {
    try (FrameFixture machine = new FrameFixture(strategy)) {
      long va = FrameFixture.START;
      underAnEntryLock(
          machine,
          () -> {
            assertThat(
                    machine.manager.normalFrame(
                        machine.mixed(), va, machine.raw(FrameFixture.SEGMENT_PFN)))
                .isEqualTo(MemoryManager.NO_FRAME);
            assertThat(
                    machine.manager.normalFrame(
                        machine.ordinary(), va, FrameFixture.normal(machine.frame)))
                .isEqualTo(machine.frame);
          });
    }
  }

  /** Objection a: it concerns every process, whether or not it maps a segment. */
  @Test
  void theMutexSleepsInAtomicContextEvenForOrdinaryMemory() throws IOException {
    try (FrameFixture machine = new FrameFixture(FrameStrategy.MEM_SEGS_MUTEX)) {
      for (Vma vma : new Vma[] {machine.mixed(), machine.ordinary()}) {
        assertThatThrownBy(
                () ->
                    underAnEntryLock(
                        machine,
                        () ->
                            machine.manager.normalFrame(
                                vma, FrameFixture.START, FrameFixture.normal(machine.frame))))
            .isInstanceOf(SleepingInAtomicException.class)
            .hasMessageContainingAll("in_atomic():1", "entry lock", "vmem_mutex")
            .hasStackTraceContaining("pfnValid")
            .hasStackTraceContaining("normalFrame");
      }
      AtomicContext.mightSleep("nothing is held");
    }
  }

  /** Later kernels without the bit ask about mixed mappings only: ordinary memory costs nothing. */
  @Test
  void theMutexAskedOnlyAboutMixedMappingsStillSleepsThere() throws IOException {
    try (FrameFixture machine =
        new FrameFixture(
            memory ->
                NormalFrame.pfnValidIfMixed(
                    ((NormalFrame.PfnValid)
                            FrameStrategy.MEM_SEGS_MUTEX.on(memory, FrameFixture.LAYOUT))
                        .model()))) {
      long pte = FrameFixture.normal(machine.frame);
      underAnEntryLock(
          machine,
          () ->
              assertThat(machine.manager.normalFrame(machine.ordinary(), FrameFixture.START, pte))
                  .isEqualTo(machine.frame));
      assertThatThrownBy(
              () ->
                  underAnEntryLock(
                      machine,
                      () -> machine.manager.normalFrame(machine.mixed(), FrameFixture.START, pte)))
          .isInstanceOf(SleepingInAtomicException.class);
    }
  }

  private static FrameFixture before(MemoryModel model) throws IOException {
    return new FrameFixture(memory -> NormalFrame.pfnValid(model));
  }

  /** Objection d: a good entry is taken for one with a page frame that does not exist. */
  @Test
  void aListThatIsNotFilledYetTakesASegmentForRam() throws IOException {
    SortedArrayModel model = new SortedArrayModel(1L << 18);
    try (FrameFixture machine = before(model)) {
      long pte = machine.raw(FrameFixture.SEGMENT_PFN);
      assertThat(machine.manager.pfnValid(FrameFixture.SEGMENT_PFN)).isTrue();
      machine.manager.normalFrame(machine.mixed(), FrameFixture.START, pte);
      assertThat(machine.manager.badEntries().last()).contains("0x20000", "no page frame");

      machine.memory.attach(model);
      assertThat(machine.manager.pfnValid(FrameFixture.SEGMENT_PFN)).isFalse();
      assertThat(machine.manager.normalFrame(machine.mixed(), FrameFixture.START, pte))
          .isEqualTo(MemoryManager.NO_FRAME);
      assertThat(machine.manager.badEntries().count()).isEqualTo(1);
    }
  }

  /** Sparse sections avoid this: their table is zeroed memory, and false is harmless. */
  @Test
  void anEmptySectionTableIsRightAboutSegmentsFromTheStart() throws IOException {
    try (FrameFixture machine = before(new SparseModel(FrameFixture.LAYOUT.sectionBits()))) {
      machine.manager.normalFrame(
          machine.mixed(), FrameFixture.START, machine.raw(FrameFixture.SEGMENT_PFN));
      assertThat(machine.manager.badEntries().count()).isZero();
    }
  }

  @Test
  void theSpecialBitNeedsALayoutThatHasOne() throws IOException {
    EntryLayout without = X8664Of2008Layout.INSTANCE;
    try (PhysicalMemory memory = PhysicalMemory.boot(8 * Pages.SIZE, 8 * Pages.SIZE)) {
      assertThatThrownBy(() -> new MemoryManager(memory, without))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContainingAll("EINVAL", "special bit", without.name());
      assertThat(memory.allocator().inUse()).isZero();
      MemoryManager manager =
          new MemoryManager(memory, without, FrameStrategy.FLAT.on(memory, without));
      assertThat(manager.usesSpecialBit()).isFalse();
      Vma vma = new Vma(AddrRange.ofLength(0x10000, Pages.SIZE), FrameFixture.COW, null, 0);
      assertThat(manager.normalFrame(vma, 0x10000, without.leaf(5, Access.READ))).isEqualTo(5);
    }
  }
}
