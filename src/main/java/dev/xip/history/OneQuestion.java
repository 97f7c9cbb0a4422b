package dev.xip.history;

import dev.xip.base.ProgressListener;
import dev.xip.measure.BenchRow;
import dev.xip.measure.NormalPageBench;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;

/** Measures one question about one entry, by several strategies. */
final class OneQuestion {
  private OneQuestion() {}

  /**
   * Measures after a first run that does not count, as it finds no code compiled.
   *
   * @return each the least of two medians: whatever else the host does makes both longer
   */
  static List<BenchRow> by(List<FrameStrategy> strategies, int... segments) throws IOException {
    run(strategies, new int[] {1});
    List<BenchRow> first = run(strategies, segments);
    List<BenchRow> second = run(strategies, segments);
    return IntStream.range(0, first.size())
        .mapToObj(i -> quicker(first.get(i), second.get(i)))
        .toList();
  }

  private static BenchRow quicker(BenchRow one, BenchRow other) {
    return one.median() <= other.median() ? one : other;
  }

  private static List<BenchRow> run(List<FrameStrategy> strategies, int[] segments)
      throws IOException {
    return NormalPageBench.run(
        X8664Layout.INSTANCE, strategies, segments, new int[] {1}, ProgressListener.NONE);
  }
}
