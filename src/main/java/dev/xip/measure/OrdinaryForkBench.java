package dev.xip.measure;

import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures fork and exit of a process with memory of its own alone, entry by entry: what each
 * strategy costs a process that maps no segment. Takes seconds.
 */
public final class OrdinaryForkBench {
  /** The pages of the process. */
  public static final int PAGES = OrdinaryWork.PAGES;

  private static final String NAME = "ordinary-fork";

  private static final long WINDOW_BYTES = 2L << 30;
  private static final long RAM_BYTES = 512L << 20;

  private static final Race.Rounds ROUNDS =
      new Race.Rounds(150_000_000, 2_000_000, 7, 101, 300_000_000);

  private OrdinaryForkBench() {}

  /**
   * Measures. The strategies of one number of segments take turns.
   *
   * @param strategies strategies that answer right about ordinary memory and do not sleep
   * @param segments the numbers of loaded segments
   * @return one row for each strategy with each number
   * @throws IOException if the host does not give the address space
   */
  public static List<BenchRow> run(List<FrameStrategy> strategies, int[] segments)
      throws IOException {
    // A first run is not counted, so that all strategies find shared code compiled.
    measure(strategies, 1);
    List<BenchRow> rows = new ArrayList<>();
    for (int number : segments) {
      rows.addAll(measure(strategies, number));
    }
    return rows;
  }

  private static List<BenchRow> measure(List<FrameStrategy> strategies, int number)
      throws IOException {
    List<OrdinaryWork.Scene> scenes = new ArrayList<>();
    List<Contender> contenders = new ArrayList<>();
    Race race = new Race(ROUNDS, Race.PROCESSOR_TIME);
    try (NormalPageMachine machine =
        NormalPageMachine.boot(X8664Layout.INSTANCE, number, WINDOW_BYTES, RAM_BYTES)) {
      for (FrameStrategy strategy : strategies) {
        OrdinaryWork.Scene scene = OrdinaryWork.FORK_EXIT.on(machine.manager(strategy), null);
        scenes.add(scene);
        contenders.add(race.add(strategy.toString(), PAGES, scene));
      }
      race.run();
      scenes.forEach(OrdinaryWork.Scene::close);
    }
    return contenders.stream()
        .map(each -> new BenchRow(NAME, each.name(), number, 1, "ns/entry", each.median(), ""))
        .toList();
  }
}
