package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.measure.Race.Lane;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/** Reads of eight bytes through addresses, beside the memory itself and a system call. */
final class ReadFigures {
  private static final String RANDOM = "random 8-byte reads";
  private static final String RAW = "raw";

  private static final long LARGE_BYTES = 1L << 30;
  private static final long SMALL_BYTES = 128 << 10;

  /** So many pages make 1,024 fragments of a gibibyte. */
  private static final long FRAGMENT_PAGES = 256;

  /** How often a thread of several does its reads, so that starting it costs little beside them. */
  private static final int MANY = 16;

  private ReadFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (MappedFile file = MappedFile.create(folder, LARGE_BYTES)) {
      SequencedMap<String, String> params = params("bytes", "1 GiB");
      try (MappedFile.View view = file.map(file.contiguous())) {
        Lane[] lanes = random(file, view, params, Goal.times(1.5), figures);
        figures.add(
            new Figure(
                RANDOM,
                params,
                "ns/read",
                lanes[0].median(),
                "FileChannel.read",
                lanes[1].median(),
                Goal.ahead(40),
                new Limit(lanes[2].median(), lanes[1].median(), 1 / 1.5)));
        dependent(file, view, params, figures);
        threads(file, view, params, figures);
      }
      try (MappedFile.View view = file.map(file.scattered(FRAGMENT_PAGES))) {
        params = params("bytes", "1 GiB", "fragments", "1,024");
        random(file, view, params, Goal.times(3), figures);
      }
    }
    try (MappedFile file = MappedFile.create(folder, SMALL_BYTES);
        MappedFile.View view = file.map(file.contiguous())) {
      random(file, view, params("bytes", "128 KiB"), Goal.times(2), figures);
    }
    return figures;
  }

  /** Returns what one by one costs, what system calls cost, and what the memory itself costs. */
  private static Lane[] random(
      MappedFile file,
      MappedFile.View view,
      SequencedMap<String, String> params,
      Goal goal,
      List<Figure> figures)
      throws IOException {
    int[] places = Reads.places(file.bytes());
    Race race = new Race();
    Lane raw = race.lane(Reads.READS, Reads.raw(file.raw(), places));
    Lane ours = race.lane(Reads.READS, Reads.through(view.reader(), view.start(), places));
    Lane gathered = race.lane(Reads.READS, Reads.gathered(view.reader(), view.start(), places));
    Lane calls = race.lane(Reads.CALLS, Reads.calls(file.channel(), places));
    race.run();
    add(figures, RANDOM, params, ours, RAW, raw, goal);
    add(figures, "gathered 8-byte reads", params, gathered, RAW, raw, goal);
    return new Lane[] {ours, calls, raw};
  }

  private static void dependent(
      MappedFile file,
      MappedFile.View view,
      SequencedMap<String, String> params,
      List<Figure> figures)
      throws IOException {
    Race race = new Race();
    Lane raw = race.lane(Reads.DEPENDENT_READS, Reads.dependentRaw(file.raw()));
    Lane ours =
        race.lane(
            Reads.DEPENDENT_READS, Reads.dependent(view.reader(), view.start(), file.bytes()));
    race.run();
    add(figures, "dependent 8-byte reads", params, ours, RAW, raw, Goal.times(1.10));
  }

  /**
   * Two threads beside one: what two read in a second against what one does, here and in memory.
   */
  private static void threads(
      MappedFile file,
      MappedFile.View view,
      SequencedMap<String, String> params,
      List<Figure> figures)
      throws IOException {
    int[] places = Reads.places(file.bytes());
    try (ExecutorService workers = Executors.newFixedThreadPool(2)) {
      Race race = new Race();
      Lane[] ours =
          oneAndTwo(race, workers, () -> Reads.through(view.reader(), view.start(), places));
      Lane[] raw = oneAndTwo(race, workers, () -> Reads.raw(file.raw(), places));
      race.run();
      figures.add(
          new Figure(
              "two threads reading",
              params,
              "ns/read",
              ours[1].median(),
              "one thread",
              ours[0].median(),
              Goal.ahead(1.9),
              new Limit(raw[1].median(), raw[0].median(), 0.97)));
    }
  }

  private static Lane[] oneAndTwo(Race race, ExecutorService workers, Supplier<Work> reads) {
    Work alone = many(reads.get());
    List<Callable<Long>> pair = List.of(many(reads.get())::run, many(reads.get())::run);
    return new Lane[] {
      race.lane(Reads.READS * MANY, alone),
      race.lane(2 * Reads.READS * MANY, () -> together(workers, pair))
    };
  }

  private static Work many(Work reads) {
    return () -> {
      long sum = 0;
      for (int i = 0; i < MANY; i++) {
        sum += reads.run();
      }
      return sum;
    };
  }

  private static long together(ExecutorService workers, List<Callable<Long>> work)
      throws IOException {
    try {
      long sum = 0;
      for (Future<Long> each : workers.invokeAll(work)) {
        sum += each.get();
      }
      return sum;
    } catch (InterruptedException | ExecutionException e) {
      throw new IOException("two threads reading: " + e.getMessage(), e);
    }
  }

  private static void add(
      List<Figure> figures,
      String name,
      SequencedMap<String, String> params,
      Lane ours,
      String against,
      Lane other,
      Goal goal) {
    figures.add(new Figure(name, params, "ns/read", ours.median(), against, other.median(), goal));
  }
}
