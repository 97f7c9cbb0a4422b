package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.ProgressListener;
import dev.xip.measure.ForkedProcess.Content;
import dev.xip.measure.Race.Lane;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The decision about one entry, and fork and exit, which make it for every entry. */
final class ForkFigures {
  private static final long WARM_UP_NANOS = 1_000_000_000;

  private ForkFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    decisions(figures);
    forks(figures);
    return figures;
  }

  private static void decisions(List<Figure> figures) throws IOException {
    int[] numbers = {1, 4096};
    List<BenchRow> rows =
        NormalPageBench.run(X8664Layout.INSTANCE, numbers, new int[] {1}, ProgressListener.NONE);
    for (int segments : numbers) {
      figures.add(
          new Figure(
              "special-bit decision",
              params("segments", "%,d".formatted(segments)),
              "ns/entry",
              median(rows, FrameStrategy.SPECIAL_BIT.toString(), segments),
              "the loop alone",
              median(rows, NormalPageBench.LIMIT, segments),
              Goal.above(1)));
    }
  }

  private static double median(List<BenchRow> rows, String strategy, int segments) {
    return rows.stream()
        .filter(row -> row.strategy().equals(strategy) && row.segments() == segments)
        .findFirst()
        .orElseThrow()
        .median();
  }

  private static void forks(List<Figure> figures) throws IOException {
    try (ForkedProcess whole = new ForkedProcess(FrameStrategy.SPECIAL_BIT, Content.WHOLE);
        ForkedProcess half =
            new ForkedProcess(FrameStrategy.SPECIAL_BIT, Content.EVERY_OTHER_PAGE);
        ForkedProcess list = new ForkedProcess(FrameStrategy.LIST_SPIN_LOCK, Content.WHOLE)) {
      Race race = new Race(WARM_UP_NANOS);
      Lane wholeLane = race.lane(ForkedProcess.PAGES, whole::forkAndExit);
      Lane halfLane = race.lane(ForkedProcess.PAGES, half::forkAndExit);
      race.run();
      // A race of its own: who takes a thousand times as long leaves the others few batches.
      Race uneven = new Race();
      Lane aheadLane = uneven.lane(ForkedProcess.PAGES, whole::forkAndExit);
      Lane listLane = uneven.lane(ForkedProcess.PAGES, list::forkAndExit);
      uneven.run();
      String name = "fork + exit, 100,000 pages";
      figures.add(
          new Figure(
              name,
              params("special", "whole tables"),
              "ns/page",
              wholeLane.median(),
              "",
              Double.NaN,
              Goal.atMost(0.6)));
      figures.add(
          new Figure(
              name,
              params("special", "every other"),
              "ns/page",
              halfLane.median(),
              "",
              Double.NaN,
              Goal.atMost(2)));
      figures.add(
          new Figure(
              name,
              params("segments", "512"),
              "ns/page",
              aheadLane.median(),
              "the list under a spin lock",
              listLane.median(),
              Goal.ahead(100)));
    }
  }
}
