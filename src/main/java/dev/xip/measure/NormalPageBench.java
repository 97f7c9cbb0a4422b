package dev.xip.measure;

import dev.xip.base.ProgressListener;
import dev.xip.host.HostException;
import dev.xip.measure.NormalPageLoop.Candidate;
import dev.xip.pagetable.EntryLayout;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntToLongFunction;

/**
 * Measures what it costs to decide whether an entry has a page frame, by each strategy, over the
 * number of loaded segments and of threads. Candidates run in short batches by turns, so that
 * whatever else the host does meets all of them alike; a figure is the median of many batches.
 */
public final class NormalPageBench {
  /** The strategy's name in the rows of the loop that decides nothing: the limit of the others. */
  public static final String LIMIT = "empty-loop";

  private static final long BATCH_NANOS = 2_000_000;

  /** Batches that do not count: meanwhile the loops are compiled and find their batch size. */
  private static final int WARM_UP_BATCHES = 25;

  private static final int BATCHES = 41;

  private final ExecutorService others =
      Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());

  /** Where answers go, so that no decision is dead code. */
  private volatile long sink;

  /** One strategy with one number of threads, and what its batches took. */
  private static final class Lane {
    private final String strategy;
    private final int threads;
    private final IntToLongFunction loop;
    private final double[] nanos = new double[BATCHES];

    /** How many entries make a batch of about {@link #BATCH_NANOS}, in whole pairs of runs. */
    private int count = NormalPageLoop.ENTRIES;

    Lane(String strategy, int threads, IntToLongFunction loop) {
      this.strategy = strategy;
      this.threads = threads;
      this.loop = loop;
    }

    /** Sets the size of a batch by what the last one took. */
    void fit(double last) {
      int pair = 2 * NormalPageLoop.RUN;
      double wanted = BATCH_NANOS / last * count / pair;
      count = Math.clamp((long) wanted, 1, 1 << 16) * pair;
    }

    double median() {
      double[] sorted = nanos.clone();
      Arrays.sort(sorted);
      return sorted[sorted.length / 2];
    }
  }

  private NormalPageBench() {}

  /**
   * Measures.
   *
   * @param layout entries with a special bit
   * @param segments the numbers of segments
   * @param threads the numbers of threads
   * @param progress is told of every figure that is done
   * @return one row for each strategy, and the limit, with each pair of numbers
   * @throws HostException if the host does not give the address space
   */
  public static List<BenchRow> run(
      EntryLayout layout, int[] segments, int[] threads, ProgressListener progress)
      throws HostException {
    NormalPageBench bench = new NormalPageBench();
    List<BenchRow> rows = new ArrayList<>();
    int perMachine = threads.length * (FrameStrategy.values().length + 1);
    try {
      for (int number : segments) {
        try (NormalPageMachine machine = NormalPageMachine.boot(layout, number)) {
          for (Lane lane : bench.measure(machine, threads)) {
            rows.add(
                new BenchRow(
                    "normal-page",
                    lane.strategy,
                    number,
                    lane.threads,
                    "ns/entry",
                    lane.median(),
                    ""));
          }
        }
        progress.at(rows.size(), (long) perMachine * segments.length);
      }
    } finally {
      bench.others.shutdown();
    }
    return rows;
  }

  private List<Lane> measure(NormalPageMachine machine, int[] threads) {
    List<Lane> lanes = new ArrayList<>();
    lane(lanes, machine, null, threads);
    for (FrameStrategy strategy : FrameStrategy.values()) {
      lane(lanes, machine, strategy, threads);
    }
    for (int round = 0; round < WARM_UP_BATCHES + BATCHES; round++) {
      for (Lane lane : lanes) {
        double nanos = batch(lane);
        if (round < WARM_UP_BATCHES) {
          lane.fit(nanos);
        } else {
          lane.nanos[round - WARM_UP_BATCHES] = nanos / lane.count;
        }
      }
    }
    return lanes;
  }

  /** Loads a loop for a candidate alone; the class it is copied from is never initialised. */
  private static IntToLongFunction loopFor(Candidate candidate) {
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

  private static void lane(
      List<Lane> lanes, NormalPageMachine machine, FrameStrategy strategy, int[] threads) {
    MemoryManager manager =
        machine.manager(strategy == null ? FrameStrategy.SPECIAL_BIT : strategy);
    long[] entries = machine.entries(manager, NormalPageLoop.ENTRIES, NormalPageLoop.RUN);
    IntToLongFunction loop = loopFor(new Candidate(strategy, manager, machine.mappings(), entries));
    for (int number : threads) {
      lanes.add(new Lane(strategy == null ? LIMIT : strategy.toString(), number, loop));
    }
  }

  /** Runs one batch on all threads of a lane at once and returns the nanoseconds of one of them. */
  private double batch(Lane lane) {
    AtomicInteger missing = new AtomicInteger(lane.threads);
    List<Future<Long>> started = new ArrayList<>();
    for (int i = 1; i < lane.threads; i++) {
      started.add(others.submit(() -> timed(lane, missing)));
    }
    long nanos = timed(lane, missing);
    try {
      for (Future<Long> each : started) {
        nanos += each.get();
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
    return (double) nanos / lane.threads;
  }

  private long timed(Lane lane, AtomicInteger missing) {
    missing.decrementAndGet();
    while (missing.get() > 0) {
      Thread.onSpinWait();
    }
    long start = System.nanoTime();
    sink = lane.loop.applyAsLong(lane.count);
    return System.nanoTime() - start;
  }
}
