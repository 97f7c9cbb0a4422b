package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Why MIXEDMAP exists: scattered pages under PFNMAP break without the special bit. */
class LinearRuleTest {
  private static final long PFN = TestMachine.DEVICE >>> Pages.SHIFT;

  private static TestMachine withoutTheBit() {
    return new TestMachine(X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT_IF_MIXED, Rules.DEFAULT);
  }

  /** Pages of a file in a segment without page frames and, in between, in frames of RAM. */
  private static long[] scattered(long... ram) {
    return new long[] {PFN, PFN + 7, ram[0], PFN + 5, ram[1]};
  }

  private static LinearRule.Outcome map(TestMachine machine, long flag) throws IOException {
    long[] ram = {
      machine.memory.allocator().allocate(FrameUse.PAGE_CACHE),
      machine.memory.allocator().allocate(FrameUse.PAGE_CACHE)
    };
    LinearRule.Outcome outcome = LinearRule.mapScattered(machine.manager, scattered(ram), flag);
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
      LinearRule.Outcome outcome = map(machine, VmaFlags.PFNMAP);
      assertThat(outcome).isEqualTo(new LinearRule.Outcome(3, 2, 2 + 2 * 2));
      assertThat(machine.manager.badEntries().last()).contains("map count would go below zero");
    }
  }

  @Test
  void underMixedmapPfnValidTellsThemApart() throws IOException {
    try (TestMachine machine = withoutTheBit()) {
      assertThat(map(machine, VmaFlags.MIXEDMAP)).isEqualTo(new LinearRule.Outcome(3, 2, 0));
    }
  }

  @Test
  void withTheBitNeitherFlagMatters() throws IOException {
    try (TestMachine machine =
        new TestMachine(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, Rules.DEFAULT)) {
      for (long flag : new long[] {VmaFlags.PFNMAP, VmaFlags.MIXEDMAP}) {
        assertThat(map(machine, flag)).isEqualTo(new LinearRule.Outcome(5, 0, 0));
      }
    }
  }

  @Test
  void aCopyOnTheFrameThatTheRuleExpectsIsLost() throws IOException {
    try (TestMachine machine = new TestMachine()) {
      assertThat(LinearRule.copyIsTakenForRaw(machine.manager)).isFalse();
    }
    try (TestMachine machine = withoutTheBit()) {
      assertThat(LinearRule.copyIsTakenForRaw(machine.manager)).isTrue();
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
