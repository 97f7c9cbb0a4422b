package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.machine.ProgressListener;
import dev.xip.measure.Race.Lane;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The decision about one entry, and fork and exit, which make it for every entry. */
final class ForkFigures {
  private static final int PAGES = 100_000;
  private static final int SEGMENTS = 512;
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
    try (Process whole = new Process(FrameStrategy.SPECIAL_BIT, 1);
        Process half = new Process(FrameStrategy.SPECIAL_BIT, 2);
        Process list = new Process(FrameStrategy.LIST_SPIN_LOCK, 1)) {
      Race race = new Race(WARM_UP_NANOS);
      Lane wholeLane = race.lane(PAGES, whole::forkAndExit);
      Lane halfLane = race.lane(PAGES, half::forkAndExit);
      race.run();
      // A race of its own: who takes a thousand times as long leaves the others few batches.
      Race uneven = new Race();
      Lane aheadLane = uneven.lane(PAGES, whole::forkAndExit);
      Lane listLane = uneven.lane(PAGES, list::forkAndExit);
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

  /** A process with entries in a machine that decides about them in one way. */
  private static final class Process implements AutoCloseable {
    private final NormalPageMachine machine;
    private final AddressSpace space;

    Process(FrameStrategy strategy, int step) throws IOException {
      machine = NormalPageMachine.boot(X8664Layout.INSTANCE, SEGMENTS);
      space = machine.manager(strategy).newAddressSpace("parent");
      long start = space.map(MapRequest.privately(machine.spread(PAGES), Access.READ)).start();
      for (int page = 0; page < PAGES; page += step) {
        long va = start + ((long) page << Pages.SHIFT);
        if (space.fault(va, Access.READ) instanceof FaultResult.Refused refused) {
          throw refused.cause();
        }
      }
    }

    long forkAndExit() throws IOException {
      AddressSpace child = space.fork("child");
      child.close();
      return PAGES;
    }

    @Override
    public void close() {
      space.close();
      machine.close();
    }
  }
}
