package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.ProgressListener;
import dev.xip.measure.ForkedProcess.Content;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The decision about one entry, and fork and exit, which make it for every entry. */
final class ForkFigures {
  private static final String FORK = "fork + exit, 100,000 pages";
  private static final int PAGES = ForkedProcess.PAGES;

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
        NormalPageBench.run(
            X8664Layout.INSTANCE,
            List.of(FrameStrategy.SPECIAL_BIT),
            numbers,
            new int[] {1},
            ProgressListener.NONE);
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
        ForkedProcess list = new ForkedProcess(FrameStrategy.MEM_SEGS_SPIN_LOCK, Content.WHOLE)) {
      Race race = new Race(Race.Rounds.DEFAULT.withWarmUp(1_000_000_000), Race.WALL_CLOCK);
      Contender wholeFork = race.add(FORK, PAGES, whole::forkAndExit);
      Contender halfFork = race.add(FORK, PAGES, half::forkAndExit);
      race.run();
      // In a race of its own: the list takes a thousand times as long, which leaves few rounds.
      Race uneven = new Race();
      Contender ours = uneven.add(FORK, PAGES, whole::forkAndExit);
      Contender others = uneven.add("the list under a spin lock", PAGES, list::forkAndExit);
      uneven.run();
      figures.add(
          Figure.of(wholeFork, params("special", "whole tables"), "ns/page", Goal.atMost(0.6)));
      figures.add(Figure.of(halfFork, params("special", "every other"), "ns/page", Goal.atMost(2)));
      figures.add(Figure.of(ours, params("segments", "512"), "ns/page", others, Goal.ahead(100)));
    }
  }
}
