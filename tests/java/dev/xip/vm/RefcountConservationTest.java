package dev.xip.vm;

import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * Property 4 with many threads: after any history of map, fault, store, fork, unmap, truncate and
 * exit every frame's counts are those of boot, no space has seen a page of another one, and no page
 * without a frame was ever counted.
 */
class RefcountConservationTest {
  private static final int THREADS = 4;

  private static void run(TestMachine machine) {
    long seed = RandomHistoryTest.seed();
    try (machine) {
      new ConcurrentHistory(machine, seed).run(THREADS, RandomHistoryTest.STEPS / THREADS);
    } catch (AssertionError | RuntimeException | IOException e) {
      throw new AssertionError("the history began with -Dxip.seed=" + seed, e);
    }
  }

  @Test
  void threadsLeaveNothingCountedWithTheSpecialBit() {
    run(new TestMachine());
  }

  @Test
  void threadsLeaveNothingCountedWithPfnValid() {
    run(
        new TestMachine(
            X8664Of2008Layout.INSTANCE, FrameStrategy.MEM_SEGS_SPIN_LOCK, Rules.DEFAULT));
  }

  @Test
  void threadsLeaveNothingCountedWhereForkSkipsMixedMaps() {
    run(
        new TestMachine(
            X8664Layout.INSTANCE,
            FrameStrategy.SPECIAL_BIT,
            Rules.DEFAULT.without(Rule.FORK_WALKS_MIXED_MAPS)));
  }
}
