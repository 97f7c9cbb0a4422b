package dev.xip.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The comparison of strategies: it is complete, and differences of an order of magnitude show. */
class NormalPageBenchTest {
  private static final List<Long> PROGRESS = new ArrayList<>();
  private static List<NormalPageBench.Row> rows;

  @BeforeAll
  static void measure() throws IOException {
    rows =
        NormalPageBench.run(
            X8664Layout.INSTANCE,
            new int[] {1, 512},
            new int[] {1, 2},
            (done, total) -> PROGRESS.add(total - done));
  }

  private static double cost(FrameStrategy strategy, int segments) {
    return rows.stream()
        .filter(row -> row.strategy().equals(strategy.toString()))
        .filter(row -> row.segments() == segments && row.threads() == 1)
        .findFirst()
        .orElseThrow()
        .median();
  }

  @Test
  void thereIsARowForEveryStrategyAndTheLimitInEveryCase() {
    assertThat(rows).hasSize((FrameStrategy.values().length + 1) * 2 * 2).doesNotHaveDuplicates();
    assertThat(rows).allSatisfy(row -> assertThat(row.median()).isBetween(0.01, 1e6));
    assertThat(PROGRESS.getLast()).isZero();
  }

  @Test
  void listsGrowWithTheirSegmentsAndTheSpecialBitDoesNot() {
    for (FrameStrategy list : List.of(FrameStrategy.LIST_MUTEX, FrameStrategy.LIST_SPIN_LOCK)) {
      assertThat(cost(list, 512)).isGreaterThan(4 * cost(list, 1));
      assertThat(cost(list, 512)).isGreaterThan(20 * cost(FrameStrategy.SPECIAL_BIT, 512));
    }
    assertThat(cost(FrameStrategy.SPECIAL_BIT, 512))
        .isLessThan(4 * cost(FrameStrategy.SPECIAL_BIT, 1));
  }
}
