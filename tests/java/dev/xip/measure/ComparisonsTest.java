package dev.xip.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.ProgressListener;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The comparisons have all rows, and note how a strategy fails. Times are not asserted. */
class ComparisonsTest {
  private static final List<FrameStrategy> ALL = List.of(FrameStrategy.values());

  private final List<Long> missing = new ArrayList<>();
  private final ProgressListener progress = (done, total) -> missing.add(total - done);

  @Test
  void decisionsAreMeasuredForEveryStrategyAndTheLimit() throws IOException {
    List<BenchRow> rows =
        NormalPageBench.run(X8664Layout.INSTANCE, ALL, new int[] {2}, new int[] {1}, progress);
    assertThat(rows).hasSize(ALL.size() + 1).doesNotHaveDuplicates();
    assertThat(rows)
        .extracting(BenchRow::strategy)
        .contains(NormalPageBench.LIMIT, "special-bit", "mem-segs-mutex");
    for (BenchRow row : rows) {
      if (row.note().isEmpty()) {
        assertThat(row.median()).as(row.strategy()).isPositive().isFinite();
      } else {
        assertThat(row.median()).isNaN();
        assertThat(FrameStrategy.named(row.strategy()).outcome())
            .isEqualTo(FrameStrategy.Outcome.WRONG);
      }
    }
    assertThat(missing.getLast()).isZero();
  }

  @Test
  void forkAndExitAreMeasuredAndStrategiesBreakAsTheThreadSaid() throws IOException {
    List<BenchRow> rows =
        ForkExitBench.run(X8664Layout.INSTANCE, ALL, new int[] {2}, new int[] {1}, progress);
    assertThat(rows).hasSize(ALL.size());
    for (BenchRow row : rows) {
      if (FrameStrategy.named(row.strategy()).outcome() == FrameStrategy.Outcome.WORKS) {
        assertThat(row.median()).as(row.strategy()).isPositive().isFinite();
        assertThat(row.note()).isEmpty();
      } else {
        assertThat(row.median()).isNaN();
        assertThat(row.note())
            .contains(
                row.strategy().equals("lra") || row.strategy().equals("mem-segs-posted")
                    ? "which has no page frame"
                    : "sleeping function called from invalid context");
      }
    }
    assertThat(missing.getLast()).isZero();
  }
}
