package dev.xip.measure;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Measures contenders in rounds, by turns, so that whatever else the host does affects all of them
 * alike. A contender's figure is the median of its rounds; the ratio of two contenders of one race
 * says more than either figure.
 */
final class Race {
  /** The wall clock, in nanoseconds. */
  static final LongSupplier WALL_CLOCK = System::nanoTime;

  /** The processor time of the calling thread, in nanoseconds: other processes do not count. */
  static final LongSupplier PROCESSOR_TIME =
      ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime;

  private final Rounds rounds;
  private final LongSupplier clock;
  private final List<Contender> contenders = new ArrayList<>();

  /** Takes the results, so that no workload is dead code. */
  private volatile long sink;

  /** Creates a race in the default rounds, by the wall clock. */
  Race() {
    this(Rounds.DEFAULT, WALL_CLOCK);
  }

  /**
   * Creates a race.
   *
   * @param clock nanoseconds that count, such as the processor time of this thread
   */
  Race(Rounds rounds, LongSupplier clock) {
    this.rounds = rounds;
    this.clock = clock;
  }

  /**
   * The length of a race.
   *
   * @param warmUpNanos each contender runs so long, at least once, before any round counts
   * @param roundNanos during the warm-up each contender finds how often it must repeat its workload
   *     for a round of this length; 0 for one repeat a round
   * @param fewest the number of rounds after which the race ends if its time is up
   * @param most the number of rounds after which the race ends
   * @param nanos the time of all rounds that count
   */
  record Rounds(long warmUpNanos, long roundNanos, int fewest, int most, long nanos) {
    static final Rounds DEFAULT = new Rounds(350_000_000, 2_000_000, 7, 41, 2_000_000_000);

    /** The same with another warm-up, such as a second for workloads that go through much code. */
    Rounds withWarmUp(long nanos) {
      return new Rounds(nanos, roundNanos, fewest, most, this.nanos);
    }
  }

  /** Runs before each run of a workload and is not timed. */
  @FunctionalInterface
  interface Preparation {
    void run() throws IOException;
  }

  /** A workload that measures its own time by the race's clock. */
  @FunctionalInterface
  interface Timed {
    /** Runs the workload so often and returns the nanoseconds that count. */
    long nanos(int repeats) throws IOException;
  }

  /**
   * Adds a contender.
   *
   * @param name its name in figures
   * @param units how many units one run of the workload does, such as reads
   */
  Contender add(String name, double units, Workload workload) {
    return addTimed(
        name,
        units,
        repeats -> {
          long sum = 0;
          long start = clock.getAsLong();
          for (int i = 0; i < repeats; i++) {
            sum += workload.run();
          }
          long nanos = clock.getAsLong() - start;
          sink = sum;
          return nanos;
        });
  }

  /** Adds a contender that is prepared anew before each run of its workload. */
  Contender add(String name, double units, Preparation preparation, Workload workload) {
    return addTimed(
        name,
        units,
        repeats -> {
          long sum = 0;
          long nanos = 0;
          for (int i = 0; i < repeats; i++) {
            preparation.run();
            long start = clock.getAsLong();
            sum += workload.run();
            nanos += clock.getAsLong() - start;
          }
          sink = sum;
          return nanos;
        });
  }

  /** Adds a contender that measures its own time. */
  Contender addTimed(String name, double units, Timed workload) {
    Contender contender = new Contender(name, units, workload, rounds.most());
    contenders.add(contender);
    return contender;
  }

  /** Runs the warm-up and the rounds; afterwards the contenders have their medians. */
  void run() throws IOException {
    warmUp();
    long start = clock.getAsLong();
    for (int round = 0; round < rounds.most(); round++) {
      if (round >= rounds.fewest() && clock.getAsLong() - start >= rounds.nanos()) {
        break;
      }
      for (Contender contender : contenders) {
        contender.runRound();
      }
    }
  }

  private void warmUp() throws IOException {
    List<Contender> cold = new ArrayList<>(contenders);
    while (!cold.isEmpty()) {
      for (Contender contender : cold) {
        contender.warmUp(rounds.roundNanos(), clock);
      }
      cold.removeIf(contender -> contender.warmedNanos() >= rounds.warmUpNanos());
    }
  }
}
