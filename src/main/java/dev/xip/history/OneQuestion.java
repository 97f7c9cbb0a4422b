package dev.xip.history;

import dev.xip.base.ProgressListener;
import dev.xip.measure.BenchRow;
import dev.xip.measure.NormalPageBench;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.List;

/** Measures one question about one entry, by several strategies. */
final class OneQuestion {
  private OneQuestion() {}

  /** {@return the figures, after a first run that does not count: it finds no code compiled} */
  static List<BenchRow> by(List<FrameStrategy> strategies, int... segments) throws IOException {
    run(strategies, new int[] {1});
    return run(strategies, segments);
  }

  private static List<BenchRow> run(List<FrameStrategy> strategies, int[] segments)
      throws IOException {
    return NormalPageBench.run(
        X8664Layout.INSTANCE, strategies, segments, new int[] {1}, ProgressListener.NONE);
  }
}
