package dev.xip.measure;

import dev.xip.base.ProgressListener;
import dev.xip.measure.NormalPageLoop.Candidate;
import dev.xip.pagetable.EntryLayout;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntToLongFunction;

/**
 * Measures the normal-page test, which decides whether an entry has a page frame, by each strategy,
 * number of loaded segments and number of threads.
 */
public final class NormalPageBench {
  /** The strategy's name in the rows of the loop without the test: the limit of the others. */
  public static final String LIMIT = "empty-loop";

  private static final String NAME = "normal-page";

  /** Entries come in pairs of runs, one of each mapping. */
  private static final int PAIR = 2 * NormalPageLoop.RUN;

  private static final Race.Rounds ROUNDS = new Race.Rounds(50_000_000, 2_000_000, 41, 41, 0);

  private final ExecutorService others =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());

  /** Takes the answers, so that no test is dead code. */
  private volatile long sink;

  private record Entry(Contender contender, int threads) {}

  private NormalPageBench() {}

  /**
   * Measures.
   *
   * @param layout entries with a special bit
   * @param strategies the strategies; one whose answers are wrong gets rows that say so
   * @param segments the numbers of segments
   * @param threads the numbers of threads
   * @param progress receives the number of finished figures
   * @return one row for each strategy, and the limit, with each pair of numbers
   * @throws IOException if the host does not give the address space
   */
  public static List<BenchRow> run(
      EntryLayout layout,
      List<FrameStrategy> strategies,
      int[] segments,
      int[] threads,
      ProgressListener progress)
      throws IOException {
    List<FrameStrategy> right = new ArrayList<>(strategies);
    right.removeIf(each -> each.outcome() == FrameStrategy.Outcome.WRONG);
    NormalPageBench bench = new NormalPageBench();
    List<BenchRow> rows = new ArrayList<>();
    int perMachine = threads.length * (strategies.size() + 1);
    try {
      for (int number : segments) {
        try (NormalPageMachine machine = NormalPageMachine.boot(layout, number)) {
          for (Entry entry : bench.measure(machine, right, threads)) {
            Contender strategy = entry.contender;
            rows.add(row(strategy.name(), number, entry.threads, strategy.median(), ""));
          }
        }
        for (FrameStrategy strategy : strategies) {
          if (!right.contains(strategy)) {
            for (int workers : threads) {
              rows.add(row(strategy.toString(), number, workers, Double.NaN, "wrong answers"));
            }
          }
        }
        progress.at(rows.size(), (long) perMachine * segments.length);
      }
    } finally {
      bench.others.shutdown();
    }
    return rows;
  }

  private static BenchRow row(
      String strategy, int segments, int threads, double median, String note) {
    return new BenchRow(NAME, strategy, segments, threads, "ns/entry", median, note);
  }

  private List<Entry> measure(
      NormalPageMachine machine, List<FrameStrategy> strategies, int[] threads) throws IOException {
    Race race = new Race(ROUNDS, Race.WALL_CLOCK);
    List<Entry> entries = new ArrayList<>();
    add(race, entries, machine, null, threads);
    for (FrameStrategy strategy : strategies) {
      add(race, entries, machine, strategy, threads);
    }
    race.run();
    return entries;
  }

  private void add(
      Race race,
      List<Entry> added,
      NormalPageMachine machine,
      FrameStrategy strategy,
      int[] threads) {
    MemoryManager manager =
        machine.manager(strategy == null ? FrameStrategy.SPECIAL_BIT : strategy);
    long[] entries = machine.entries(manager, NormalPageLoop.ENTRIES, NormalPageLoop.RUN);
    IntToLongFunction loop = loopFor(new Candidate(strategy, manager, machine.mappings(), entries));
    String name = strategy == null ? LIMIT : strategy.toString();
    for (int number : threads) {
      added.add(
          new Entry(
              race.addTimed(name, PAIR, pairs -> runAll(loop, pairs * PAIR, number)), number));
    }
  }

  /** Defines a copy of the loop's class for one candidate; the original is never initialised. */
  static IntToLongFunction loopFor(Candidate candidate) {
    try (InputStream code =
        NormalPageLoop.class.getResourceAsStream(NormalPageLoop.class.getSimpleName() + ".class")) {
      return (IntToLongFunction)
          MethodHandles.lookup()
              .defineHiddenClassWithClassData(code.readAllBytes(), candidate, true)
              .lookupClass()
              .getDeclaredConstructor()
              .newInstance();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Runs a loop on all threads at once and returns the nanoseconds of one, the mean of all. */
  private long runAll(IntToLongFunction loop, int count, int threads) {
    AtomicInteger missing = new AtomicInteger(threads);
    List<Future<Long>> started = new ArrayList<>();
    for (int i = 1; i < threads; i++) {
      started.add(others.submit(() -> timed(loop, count, missing)));
    }
    long nanos = timed(loop, count, missing);
    try {
      for (Future<Long> each : started) {
        nanos += each.get();
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
    return nanos / threads;
  }

  /** Waits until no thread is missing. */
  private long timed(IntToLongFunction loop, int count, AtomicInteger missing) {
    missing.decrementAndGet();
    while (missing.get() > 0) {
      Thread.onSpinWait();
    }
    long start = System.nanoTime();
    sink = loop.applyAsLong(count);
    return System.nanoTime() - start;
  }
}
