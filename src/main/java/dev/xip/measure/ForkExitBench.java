package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.pagetable.EntryLayout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Measures fork and exit by each strategy of the normal-page test, which both apply to every
 * present entry. A process that maps pages of the loaded segments is forked, and the child exits.
 */
public final class ForkExitBench {
  /** Present entries of the process that is forked. */
  public static final int ENTRIES = 100_000;

  private static final String NAME = "fork-exit";
  private static final String UNIT = "ns/entry";

  /** One fork and exit of each thread a round. */
  private static final Race.Rounds ROUNDS = new Race.Rounds(500_000_000, 0, 2, 101, 200_000_000);

  private ForkExitBench() {}

  /**
   * Measures.
   *
   * @param layout entries with a special bit
   * @param strategies the strategies; one that fails gets rows that say how
   * @param segments the numbers of segments
   * @param threads the numbers of threads, each of which forks a process of its own
   * @param progress receives the number of finished figures
   * @return one row for each strategy with each pair of numbers
   * @throws IOException if the host does not give the address space
   */
  public static List<BenchRow> run(
      EntryLayout layout,
      List<FrameStrategy> strategies,
      int[] segments,
      int[] threads,
      ProgressListener progress)
      throws IOException {
    // Each strategy runs once first, so that all of them find shared code compiled.
    for (FrameStrategy strategy : strategies) {
      try (NormalPageMachine machine = NormalPageMachine.boot(layout, 1)) {
        measure(machine, strategy, 1, 1);
      }
    }
    List<BenchRow> rows = new ArrayList<>();
    int all = segments.length * threads.length * strategies.size();
    for (int number : segments) {
      for (FrameStrategy strategy : strategies) {
        try (NormalPageMachine machine = NormalPageMachine.boot(layout, number)) {
          for (int workers : threads) {
            rows.add(measure(machine, strategy, number, workers));
            progress.at(rows.size(), all);
          }
        }
      }
    }
    return rows;
  }

  private static BenchRow measure(
      NormalPageMachine machine, FrameStrategy strategy, int segments, int threads)
      throws IOException {
    MemoryManager manager = machine.manager(strategy);
    List<AddressSpace> parents = new ArrayList<>();
    try {
      for (int i = 0; i < threads; i++) {
        parents.add(process(machine, manager, i));
      }
      double median = median(strategy, parents);
      return new BenchRow(NAME, strategy.toString(), segments, threads, UNIT, median, "");
    } catch (IllegalStateException e) {
      if (strategy.outcome() == FrameStrategy.Outcome.WORKS) {
        throw e;
      }
      return new BenchRow(
          NAME, strategy.toString(), segments, threads, UNIT, Double.NaN, e.getMessage());
    } finally {
      // Under the mutex exit throws as well: the process is freed with the machine.
      if (strategy.outcome() == FrameStrategy.Outcome.WORKS) {
        parents.forEach(AddressSpace::close);
      }
    }
  }

  private static AddressSpace process(NormalPageMachine machine, MemoryManager manager, int number)
      throws IOException {
    AddressSpace space = manager.newAddressSpace("parent " + number);
    AddrRange range = space.map(MapRequest.shared(machine.spread(ENTRIES), Access.READ));
    for (long va = range.start(); va < range.end(); va += Pages.SIZE) {
      space.fault(va, Access.READ).orThrow();
    }
    return space;
  }

  private static double median(FrameStrategy strategy, List<AddressSpace> parents)
      throws IOException {
    try (ExecutorService workers = Executors.newFixedThreadPool(parents.size())) {
      List<Callable<Long>> tasks = new ArrayList<>();
      for (AddressSpace parent : parents) {
        tasks.add(() -> forkAndExit(parent));
      }
      Race race = new Race(ROUNDS, Race.WALL_CLOCK);
      Contender contender =
          race.addTimed(strategy.toString(), ENTRIES, _ -> runAll(workers, tasks));
      race.run();
      return contender.median();
    }
  }

  /** {@return the nanoseconds of one thread, the mean of all} */
  private static long runAll(ExecutorService workers, List<Callable<Long>> tasks)
      throws IOException {
    try {
      long sum = 0;
      for (Future<Long> each : workers.invokeAll(tasks)) {
        sum += each.get();
      }
      return sum / tasks.size();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SleepingInAtomicException sleeping) {
        throw sleeping;
      }
      throw new IOException(NAME + ": " + e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException e) {
      throw new IOException(NAME + ": interrupted", e);
    }
  }

  private static long forkAndExit(AddressSpace parent) throws IOException {
    long start = System.nanoTime();
    parent.fork("child").close();
    return System.nanoTime() - start;
  }
}
