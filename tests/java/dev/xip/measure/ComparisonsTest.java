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
  private final List<Long> missing = new ArrayList<>();
  private final ProgressListener progress = (done, total) -> missing.add(total - done);

  @Test
  void decisionsAreMeasuredForEveryStrategyAndTheLimit() throws IOException {
    List<BenchRow> rows =
        NormalPageBench.run(X8664Layout.INSTANCE, new int[] {2}, new int[] {1}, progress);
    assertThat(rows).hasSize(FrameStrategy.values().length + 1).doesNotHaveDuplicates();
    assertThat(rows)
        .allSatisfy(row -> assertThat(row.median()).isPositive().isFinite())
        .extracting(BenchRow::strategy)
        .contains(NormalPageBench.LIMIT, "special-bit", "list-mutex");
    assertThat(missing.getLast()).isZero();
  }

  @Test
  void forkAndExitAreMeasuredAndTheMutexBreaksAsTheThreadSaid() throws IOException {
    List<BenchRow> rows =
        ForkExitBench.run(X8664Layout.INSTANCE, new int[] {2}, new int[] {1}, progress);
    assertThat(rows).hasSize(FrameStrategy.values().length);
    for (BenchRow row : rows) {
      if (row.strategy().equals(FrameStrategy.LIST_MUTEX.toString())) {
        assertThat(row.median()).isNaN();
        assertThat(row.note()).contains("sleeping function called from invalid context");
      } else {
        assertThat(row.median()).isPositive().isFinite();
        assertThat(row.note()).isEmpty();
      }
    }
    assertThat(missing.getLast()).isZero();
  }
}
