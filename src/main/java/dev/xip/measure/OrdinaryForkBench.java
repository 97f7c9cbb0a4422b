package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures fork and exit of a process with memory of its own alone, entry by entry: what each
 * strategy costs a process that maps no segment. Takes seconds.
 */
public final class OrdinaryForkBench {
  /** The pages of the process. */
  public static final int PAGES = 3072;

  private static final String NAME = "ordinary-fork";

  /** The time of this thread alone, so that a busy host does not count. */
  private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

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
    List<BenchRow> rows = new ArrayList<>();
    try (NormalPageMachine machine = NormalPageMachine.boot(X8664Layout.INSTANCE, number)) {
      List<AddressSpace> parents = new ArrayList<>();
      List<Contender> contenders = new ArrayList<>();
      Race race = new Race(ROUNDS, CLOCK::getCurrentThreadCpuTime);
      for (FrameStrategy strategy : strategies) {
        AddressSpace parent = process(machine, strategy);
        parents.add(parent);
        contenders.add(race.add(strategy.toString(), PAGES, () -> forkAndExit(parent)));
      }
      race.run();
      for (Contender each : contenders) {
        rows.add(new BenchRow(NAME, each.name(), number, 1, "ns/entry", each.median(), ""));
      }
      parents.forEach(AddressSpace::close);
    }
    return rows;
  }

  private static AddressSpace process(NormalPageMachine machine, FrameStrategy strategy)
      throws IOException {
    AddressSpace space = machine.manager(strategy).newAddressSpace(strategy.toString());
    AddrRange range =
        space.map(MapRequest.anonymous((long) PAGES << Pages.SHIFT, Access.READ_WRITE));
    for (long va = range.start(); va < range.end(); va += Pages.SIZE) {
      if (space.fault(va, Access.WRITE) instanceof FaultResult.Refused refused) {
        throw refused.cause();
      }
    }
    return space;
  }

  private static long forkAndExit(AddressSpace parent) throws IOException {
    parent.fork("child").close();
    return PAGES;
  }
}
