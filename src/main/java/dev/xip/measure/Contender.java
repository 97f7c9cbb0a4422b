package dev.xip.measure;

import java.io.IOException;
import java.util.Arrays;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;

/** One of the workloads that a {@link Race} compares. */
final class Contender {
  /** A round does not repeat a workload more often. */
  private static final int MOST_REPEATS = 1 << 20;

  private final String name;
  private final double units;
  private final Race.Timed workload;

  /** The nanoseconds for each unit, of each round. */
  private final double[] nanos;

  private int rounds;
  private int repeats = 1;
  private long warmedNanos;

  Contender(String name, double units, Race.Timed workload, int mostRounds) {
    this.name = name;
    this.units = units;
    this.workload = workload;
    this.nanos = new double[mostRounds];
  }

  String name() {
    return name;
  }

  /** {@return the median nanoseconds for each unit} Precondition: the race was run. */
  double median() {
    return quantile(1, 2);
  }

  /**
   * {@return how far the middle half of the rounds lies apart, as a share of the median}
   * Precondition: the race was run.
   */
  double spread() {
    return (quantile(3, 4) - quantile(1, 4)) / median();
  }

  private double quantile(int part, int parts) {
    return Arrays.stream(nanos, 0, rounds).sorted().toArray()[rounds * part / parts];
  }

  /**
   * {@return the median of the ratios of this contender's rounds to another's rounds beside them}
   * Precondition: both ran in one race.
   *
   * @param other the other contender
   */
  double ratioTo(Contender other) {
    return IntStream.range(0, rounds)
        .mapToDouble(round -> nanos[round] / other.nanos[round])
        .sorted()
        .toArray()[rounds / 2];
  }

  /** Runs a round that does not count, and sets the repeats for rounds of the given length. */
  void warmUp(long roundNanos, LongSupplier clock) throws IOException {
    long start = clock.getAsLong();
    long taken = Math.max(workload.nanos(repeats), 1);
    repeats = Math.clamp(repeats * roundNanos / taken, 1, MOST_REPEATS);
    warmedNanos += clock.getAsLong() - start;
  }

  /** {@return the time of all warm-up rounds, preparations included} */
  long warmedNanos() {
    return warmedNanos;
  }

  void runRound() throws IOException {
    nanos[rounds++] = workload.nanos(repeats) / (repeats * units);
  }
}
