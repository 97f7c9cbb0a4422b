package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.RamBanks;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Properties 4 and 5: after any history all counts are those of boot, and meanwhile they agree with
 * the tables. A failure is repeated with {@code -Dxip.seed=SEED}; {@code -Dxip.stress=true} takes a
 * million steps.
 */
class RandomHistoryTest {
  static final boolean STRESS = Boolean.getBoolean("xip.stress");
  static final int STEPS = STRESS ? 1_000_000 : 20_000;

  static long seed() {
    return Long.getLong("xip.seed", System.nanoTime());
  }

  private static long run(TestMachine machine, long seed, int steps) throws IOException {
    try (machine) {
      return new RandomHistory(machine, seed).run(steps);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("repeat with -Dxip.seed=" + seed, e);
    }
  }

  @Test
  void everyHistoryShowsTheModelsBytesAndGoesBackToZero() throws IOException {
    run(new TestMachine(), seed(), STEPS);
  }

  @ParameterizedTest
  @MethodSource("dev.xip.vm.FrameStrategy#working")
  void everyCorrectStrategyGivesTheSameBytesAndCounts(FrameStrategy strategy) throws IOException {
    long seed = seed();
    long expected = run(new TestMachine(), seed, STEPS / 4);
    assertThat(run(new TestMachine(X8664Layout.INSTANCE, strategy, Rules.DEFAULT), seed, STEPS / 4))
        .as("repeat with -Dxip.seed=" + seed)
        .isEqualTo(expected);
    if (strategy.fits(X8664Of2008Layout.INSTANCE)) {
      assertThat(
              run(
                  new TestMachine(X8664Of2008Layout.INSTANCE, strategy, Rules.DEFAULT),
                  seed,
                  STEPS / 4))
          .as("repeat with -Dxip.seed=" + seed)
          .isEqualTo(expected);
    }
  }

  /** The device lies between two banks of RAM, in a section with the second. */
  @ParameterizedTest
  @EnumSource(names = {"REFCOUNT_PTE_BIT", "MEM_SEGS_SPIN_LOCK", "SORTED_ARRAY", "SPECIAL_BIT"})
  void aHoleBetweenTwoBanksChangesNothing(FrameStrategy strategy) throws IOException {
    long seed = seed();
    long expected = run(new TestMachine(), seed, STEPS / 4);
    RamBanks banks = RamBanks.of(new AddrRange(0, 1L << 20), new AddrRange(144L << 20, 159L << 20));
    assertThat(
            run(
                new TestMachine(X8664Layout.INSTANCE, strategy, Rules.DEFAULT, banks),
                seed,
                STEPS / 4))
        .as("repeat with -Dxip.seed=" + seed)
        .isEqualTo(expected);
  }

  @Test
  void theRulesOfEveryEraGiveTheSameBytes() throws IOException {
    for (Era era : Era.values()) {
      // The model has no private copies in shared mappings.
      Rules rules = era.rules().with(Rule.FORCED_STORE_NEEDS_PRIVATE);
      run(
          new TestMachine(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, rules),
          seed(),
          STEPS / 4);
    }
  }
}
