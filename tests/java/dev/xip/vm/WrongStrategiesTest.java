package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.CorrectedModel;
import dev.xip.phys.FrameUse;
import dev.xip.phys.ListLock;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.PostedModel;
import java.io.IOException;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How exactly each strategy fails that does not work. */
class WrongStrategiesTest {
  private static final long START = 0x10_0000;

  private static NormalFrame posted(PhysicalMemory memory) {
    PostedModel model = new PostedModel(memory.windowBytes() >>> Pages.SHIFT, ListLock.SPIN_LOCK);
    memory.attach(model);
    return NormalFrame.pfnValid(model);
  }

  private static NormalFrame corrected(PhysicalMemory memory) {
    CorrectedModel model =
        new CorrectedModel(memory.windowBytes() >>> Pages.SHIFT, ListLock.SPIN_LOCK);
    memory.attach(model);
    return NormalFrame.pfnValid(model);
  }

  /** The list as posted, under a spin lock here, fails as LRA alone does. */
  private static Function<PhysicalMemory, NormalFrame> countingSegments(String name) {
    return name.equals("lra")
        ? memory -> FrameStrategy.LRA.on(memory, X8664Layout.INSTANCE)
        : WrongStrategiesTest::posted;
  }

  @ParameterizedTest
  @ValueSource(strings = {"lra", "posted"})
  void anEntryOfASegmentIsTakenForAPageFrameThatDoesNotExist(String name) throws IOException {
    try (FrameFixture machine = new FrameFixture(countingSegments(name))) {
      long pte = machine.raw(FrameFixture.SEGMENT_PFN);
      assertThat(machine.manager.pfnValid(FrameFixture.SEGMENT_PFN)).isTrue();
      assertThat(FrameFixture.SEGMENT_PFN).isGreaterThan(machine.manager.highestPfn());
      assertThat(machine.manager.normalFrame(machine.mixed(), FrameFixture.START, pte))
          .isEqualTo(MemoryManager.NO_FRAME);
      assertThat(machine.manager.badEntries().last())
          .contains("segment-file", "pfn 0x20000 has no page frame");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"lra", "posted"})
  void theFirstFaultOnASegmentIsABug(String name) {
    try (TestMachine machine = new TestMachine(countingSegments(name))) {
      AddressSpace space = machine.space("reader");
      TestMachine.map(space, START, 1, TestMachine.PRIVATE, machine.file("text", 1));
      assertThatThrownBy(() -> space.fault(START, Access.READ))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContainingAll(
              "BUG", "text", "pfn_valid says yes to pfn 0x8000, which has no page frame");
      assertThatThrownBy(() -> space.insertPfn(START, new Pfn(TestMachine.DEVICE >>> Pages.SHIFT)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContainingAll("BUG", "in MIXEDMAP a pfn may have no page frame");
      assertThat(machine.manager.fileFrames()).isZero();
    }
  }

  /** Ordinary memory is handled as ever: the clash concerns segments alone. */
  @Test
  void lraIsRightAboutOrdinaryMemory() {
    try (TestMachine machine =
        new TestMachine(X8664Layout.INSTANCE, FrameStrategy.LRA, Rules.DEFAULT)) {
      AddressSpace space = machine.space("plain");
      TestMachine.map(space, START, 4, TestMachine.ANONYMOUS, null);
      TestMachine.write(space, START, 7);
      AddressSpace child = machine.fork(space);
      assertThat(TestMachine.read(child, START)).isEqualTo(7);
      child.close();
    }
  }

  /** Once RAM is on the list, no entry has a page frame any more. */
  @Test
  void withTheTestPutRightEveryFrameOfAProcessIsLost() {
    TestMachine machine = new TestMachine(WrongStrategiesTest::corrected);
    try {
      AddressSpace space = machine.space("plain");
      TestMachine.map(space, START, 3, TestMachine.ANONYMOUS, null);
      for (int page = 0; page < 3; page++) {
        TestMachine.write(space, START + page * Pages.SIZE, page);
      }
      assertThat(machine.manager.anonymousFrames()).isEqualTo(3);
      long last = TestMachine.entry(space, START + 2 * Pages.SIZE);
      long pfn = machine.manager.layout().pfn(last);
      space.close();
      assertThat(machine.manager.badEntries().last())
          .contains("pfn_valid says no to pfn 0x%x".formatted(pfn));
      assertThat(machine.manager.badEntries().count()).isEqualTo(3);
      assertThat(machine.manager.anonymousFrames()).as("rss after exit").isEqualTo(3);
      assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS))
          .as("frames that are never freed")
          .isEqualTo(3);
      assertThat(machine.references(pfn)).isEqualTo(1);
    } finally {
      machine.memory.close();
    }
  }

  @Test
  void withTheTestPutRightASegmentIsNotCounted() throws IOException {
    try (FrameFixture machine = new FrameFixture(WrongStrategiesTest::corrected)) {
      long pte = machine.raw(FrameFixture.SEGMENT_PFN);
      assertThat(machine.manager.normalFrame(machine.mixed(), FrameFixture.START, pte))
          .isEqualTo(MemoryManager.NO_FRAME);
      assertThat(machine.manager.badEntries().count()).isZero();
    }
  }

  /** Under the mutex they fail sooner: at the first question under an entry lock. */
  @ParameterizedTest
  @EnumSource(names = {"MEM_SEGS_POSTED", "MEM_SEGS_CORRECTED", "MEM_SEGS_MUTEX"})
  void theMutexSleepsAtTheExitOfAProcessThatMapsNoSegment(FrameStrategy strategy) {
    TestMachine machine = new TestMachine(X8664Layout.INSTANCE, strategy, Rules.DEFAULT);
    try {
      AddressSpace space = machine.space("plain");
      TestMachine.map(space, START, 1, TestMachine.ANONYMOUS, null);
      TestMachine.write(space, START, 1);
      assertThatThrownBy(space::close)
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContainingAll("vmem_mutex", "in_atomic():1", "entry lock")
          .hasStackTraceContaining("pfnInSharedMemory")
          .hasStackTraceContaining("normalFrame");
    } finally {
      machine.memory.close();
    }
  }

  /** mixedmap_refcount_pfn takes the mutex as well, but only where segments are mapped. */
  @Test
  void theWalkForMixedMappingsSleepsOnlyWhereASegmentIsMapped() throws IOException {
    TestMachine machine =
        new TestMachine(X8664Layout.INSTANCE, FrameStrategy.REFCOUNT_PFN, Rules.DEFAULT);
    try {
      AddressSpace plain = machine.space("plain");
      TestMachine.map(plain, START, 1, TestMachine.ANONYMOUS, null);
      TestMachine.write(plain, START, 1);
      machine.fork(plain).close();
      plain.close();
      assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS)).isZero();

      MemoryFile text = machine.file("text", 1);
      AddressSpace mixed = machine.space("mixed");
      TestMachine.map(mixed, START, 1, TestMachine.PRIVATE, text);
      assertThat(TestMachine.read(mixed, START)).isEqualTo(1);
      assertThatThrownBy(mixed::close)
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContainingAll("vmem_mutex", "entry lock")
          .hasStackTraceContaining("mixedmapRefcountPfn");
    } finally {
      machine.memory.close();
    }
  }

  @Test
  void aStrategyIsNamedAndALayoutTellsWhichItCanHave() throws IOException {
    assertThat(FrameStrategy.named("mem-segs-mutex")).isEqualTo(FrameStrategy.MEM_SEGS_MUTEX);
    assertThatThrownBy(() -> FrameStrategy.named("dcss-list"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("dcss-list", "lra, mixedmap-refcount-pfn", "special-bit")
        .message()
        .hasLineCount(1);
    try (PhysicalMemory memory = PhysicalMemory.boot(1 << 20, 1 << 20)) {
      for (FrameStrategy each :
          new FrameStrategy[] {FrameStrategy.SPECIAL_BIT, FrameStrategy.REFCOUNT_PTE_BIT}) {
        assertThatThrownBy(
                () ->
                    new MemoryManager(
                        memory,
                        X8664Of2008Layout.INSTANCE,
                        each.on(memory, X8664Of2008Layout.INSTANCE)))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContainingAll("expected a layout with a special bit", "can have lra, ")
            .message()
            .doesNotContain("special-bit", "refcount-pte-bit")
            .hasLineCount(1);
      }
    }
    assertThat(FrameStrategy.possibleWith(X8664Layout.INSTANCE))
        .containsExactly(FrameStrategy.values());
  }
}
