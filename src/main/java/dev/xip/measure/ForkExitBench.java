package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.pagetable.EntryLayout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Measures what the decision about page frames does to fork and exit: both ask it of every entry
 * that is present. A process maps pages of the loaded segments, is forked, and the child exits.
 */
public final class ForkExitBench {
  /** The entries of the process that is forked. */
  public static final int ENTRIES = 100_000;

  private static final String NAME = "fork-exit";
  private static final String UNIT = "ns/entry";

  /** Rounds go on for so long before any counts: the fast ones are compiled meanwhile. */
  private static final long WARM_UP_NANOS = 500_000_000;

  /** Those that count take about so long, but there are a few at least and not too many. */
  private static final long MEASURED_NANOS = 200_000_000;

  private static final int FEWEST_ROUNDS = 2;
  private static final int MOST_ROUNDS = 101;

  private ForkExitBench() {}

  /**
   * Measures.
   *
   * @param layout entries with a special bit
   * @param segments the numbers of segments
   * @param threads the numbers of threads, each of which forks a process of its own
   * @param progress is told of every figure that is done
   * @return one row for each strategy with each pair of numbers
   * @throws IOException if the host does not give the address space
   */
  public static List<BenchRow> run(
      EntryLayout layout, int[] segments, int[] threads, ProgressListener progress)
      throws IOException {
    // What the first candidate compiles, the others find compiled: so all of them run once before.
    for (FrameStrategy strategy : FrameStrategy.values()) {
      try (NormalPageMachine machine = NormalPageMachine.boot(layout, 1)) {
        measure(machine, strategy, 1, 1);
      }
    }
    List<BenchRow> rows = new ArrayList<>();
    int all = segments.length * threads.length * FrameStrategy.values().length;
    for (int number : segments) {
      for (FrameStrategy strategy : FrameStrategy.values()) {
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
      double median = median(parents);
      return new BenchRow(NAME, strategy.toString(), segments, threads, UNIT, median, "");
    } catch (SleepingInAtomicException e) {
      return new BenchRow(
          NAME, strategy.toString(), segments, threads, UNIT, Double.NaN, e.getMessage());
    } finally {
      // A process whose entries the strategy cannot judge cannot exit either: it goes with the
      // machine.
      if (strategy != FrameStrategy.LIST_MUTEX) {
        parents.forEach(AddressSpace::close);
      }
    }
  }

  private static AddressSpace process(NormalPageMachine machine, MemoryManager manager, int number)
      throws IOException {
    AddressSpace space = manager.newAddressSpace("parent " + number);
    AddrRange range = space.map(MapRequest.shared(machine.spread(ENTRIES), Access.READ));
    for (long va = range.start(); va < range.end(); va += Pages.SIZE) {
      if (space.fault(va, Access.READ) instanceof FaultResult.Refused refused) {
        throw refused.cause();
      }
    }
    return space;
  }

  private static double median(List<AddressSpace> parents) throws IOException {
    try (ExecutorService workers = Executors.newFixedThreadPool(parents.size())) {
      List<Callable<Long>> tasks = new ArrayList<>();
      for (AddressSpace parent : parents) {
        tasks.add(() -> forkAndExit(parent));
      }
      double last = 0;
      for (long start = System.nanoTime(); System.nanoTime() - start < WARM_UP_NANOS; ) {
        last = round(workers, tasks);
      }
      double rounds = MEASURED_NANOS / (last * ENTRIES);
      double[] nanos = new double[(int) Math.clamp(rounds, FEWEST_ROUNDS, MOST_ROUNDS)];
      for (int i = 0; i < nanos.length; i++) {
        nanos[i] = round(workers, tasks);
      }
      Arrays.sort(nanos);
      return nanos[nanos.length / 2];
    }
  }

  /** Returns the nanoseconds per entry of one thread. */
  private static double round(ExecutorService workers, List<Callable<Long>> tasks)
      throws IOException {
    try {
      long sum = 0;
      for (Future<Long> each : workers.invokeAll(tasks)) {
        sum += each.get();
      }
      return (double) sum / tasks.size() / ENTRIES;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof SleepingInAtomicException sleeping) {
        throw sleeping;
      }
      throw new IOException("fork-exit: " + e.getCause().getMessage(), e.getCause());
    } catch (InterruptedException e) {
      throw new IOException("fork-exit: interrupted", e);
    }
  }

  private static long forkAndExit(AddressSpace parent) throws IOException {
    long start = System.nanoTime();
    parent.fork("child").close();
    return System.nanoTime() - start;
  }
}
