package dev.xip.measure;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Runs pieces of work by turns in short batches, so that whatever else the host does meets all of
 * them alike. A lane's figure is the median of its batches; the ratio of two lanes is worth more
 * than either.
 */
final class Race {
  /** A batch goes on for at least that long. */
  private static final long BATCH_NANOS = 2_000_000;

  private static final long WARM_UP_NANOS = 350_000_000;

  private static final int BATCHES = 41;

  /** A piece of work that takes longer than this is repeated less. */
  private static final long LONG_NANOS = 40_000_000;

  private static final int LONG_BATCHES = 7;

  private final List<Lane> lanes = new ArrayList<>();

  /** Each lane runs so long before anything counts: meanwhile it is compiled and finds its size. */
  private final long warmUpNanos;

  /** Where results go, so that no work is dead code. */
  private volatile long sink;

  /** A race of work that is compiled soon. */
  Race() {
    this(WARM_UP_NANOS);
  }

  /**
   * A race of work that goes through much code.
   *
   * @param warmUpNanos how long each lane runs before anything counts
   */
  Race(long warmUpNanos) {
    this.warmUpNanos = warmUpNanos;
  }

  /** What is done before a piece of work and does not count. */
  @FunctionalInterface
  interface Preparation {
    /** Does it. */
    void run() throws IOException;
  }

  /** One competitor. */
  static final class Lane {
    private final Preparation preparation;
    private final Work work;
    private final double units;
    private int repeats = 1;
    private long warmedNanos;
    private long onceNanos;
    private double[] nanos = new double[0];

    private Lane(Preparation preparation, Work work, double units) {
      this.preparation = preparation;
      this.work = work;
      this.units = units;
    }

    /** Returns the median nanoseconds per unit. Preconditions: the race has been run. */
    double median() {
      return nanos[nanos.length / 2];
    }
  }

  /**
   * Adds a competitor.
   *
   * @param units how many units one run of the work does, such as reads
   */
  Lane lane(double units, Work work) {
    return lane(units, null, work);
  }

  /**
   * Adds a competitor that must be set up anew for every run.
   *
   * @param units how many units one run of the work does
   * @param preparation what comes before each run, or null
   */
  Lane lane(double units, Preparation preparation, Work work) {
    Lane lane = new Lane(preparation, work, units);
    lanes.add(lane);
    return lane;
  }

  /** Runs all lanes by turns. */
  Race run() throws IOException {
    while (lanes.stream().anyMatch(lane -> lane.warmedNanos < warmUpNanos)) {
      for (Lane lane : lanes) {
        if (lane.warmedNanos < warmUpNanos) {
          warm(lane);
        }
      }
    }
    boolean slow = lanes.stream().anyMatch(lane -> lane.onceNanos > LONG_NANOS);
    int batches = slow ? LONG_BATCHES : BATCHES;
    for (Lane lane : lanes) {
      lane.nanos = new double[batches];
    }
    for (int round = 0; round < batches; round++) {
      for (Lane lane : lanes) {
        lane.nanos[round] = batch(lane) / (lane.repeats * lane.units);
      }
    }
    lanes.forEach(lane -> Arrays.sort(lane.nanos));
    return this;
  }

  private void warm(Lane lane) throws IOException {
    long start = System.nanoTime();
    long nanos = batch(lane);
    lane.onceNanos = nanos / lane.repeats;
    lane.repeats = Math.clamp(lane.repeats * BATCH_NANOS / Math.max(nanos, 1), 1, 1 << 20);
    lane.warmedNanos += System.nanoTime() - start;
  }

  private long batch(Lane lane) throws IOException {
    long sum = 0;
    long nanos = 0;
    if (lane.preparation == null) {
      long start = System.nanoTime();
      for (int i = 0; i < lane.repeats; i++) {
        sum += lane.work.run();
      }
      nanos = System.nanoTime() - start;
    } else {
      for (int i = 0; i < lane.repeats; i++) {
        lane.preparation.run();
        long start = System.nanoTime();
        sum += lane.work.run();
        nanos += System.nanoTime() - start;
      }
    }
    sink = sum;
    return nanos;
  }
}
