package dev.xip.measure;

import static dev.xip.measure.Figure.params;

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
  private static final String RAW = "raw";
  private static final String UNIT = "ns/read";

  private static final long LARGE_BYTES = 1L << 30;
  private static final long SMALL_BYTES = 128 << 10;

  /** The pages of each of 1,024 fragments of a gibibyte. */
  private static final long FRAGMENT_PAGES = 256;

  /** Repeats of the reads of each thread, so that starting a thread takes little of the time. */
  private static final int MANY = 16;

  private ReadFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (MappedFile file = MappedFile.create(folder, LARGE_BYTES)) {
      SequencedMap<String, String> params = params("bytes", "1 GiB");
      try (MappedFile.View view = file.map(file.contiguous())) {
        RandomRace race = random(file, view, params, Goal.times(1.5), figures);
        Limit limit = new Limit(race.raw.median(), race.calls.median(), 1 / 1.5);
        figures.add(
            Figure.of(race.ours, params, UNIT, race.calls, Goal.ahead(40)).withLimit(limit));
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

  private record RandomRace(Contender ours, Contender calls, Contender raw) {}

  private static RandomRace random(
      MappedFile file,
      MappedFile.View view,
      SequencedMap<String, String> params,
      Goal goal,
      List<Figure> figures)
      throws IOException {
    int[] places = Reads.places(file.bytes());
    Race race = new Race();
    Contender raw = race.add(RAW, Reads.READS, Reads.raw(file.raw(), places));
    Contender ours =
        race.add(
            "random 8-byte reads", Reads.READS, Reads.through(view.reader(), view.start(), places));
    Contender gathered =
        race.add(
            "gathered 8-byte reads",
            Reads.READS,
            Reads.gathered(view.reader(), view.start(), places));
    Contender calls =
        race.add("FileChannel.read", Reads.CALLS, Reads.calls(file.channel(), places));
    race.run();
    figures.add(Figure.of(ours, params, UNIT, raw, goal));
    figures.add(Figure.of(gathered, params, UNIT, raw, goal));
    return new RandomRace(ours, calls, raw);
  }

  private static void dependent(
      MappedFile file,
      MappedFile.View view,
      SequencedMap<String, String> params,
      List<Figure> figures)
      throws IOException {
    Race race = new Race();
    Contender raw = race.add(RAW, Reads.DEPENDENT_READS, Reads.dependentRaw(file.raw()));
    Contender ours =
        race.add(
            "dependent 8-byte reads",
            Reads.DEPENDENT_READS,
            Reads.dependent(view.reader(), view.start(), file.bytes()));
    race.run();
    figures.add(Figure.of(ours, params, UNIT, raw, Goal.times(1.10)));
  }

  /** Compares two threads with one: the reads of each second, through addresses and of memory. */
  private static void threads(
      MappedFile file,
      MappedFile.View view,
      SequencedMap<String, String> params,
      List<Figure> figures)
      throws IOException {
    int[] places = Reads.places(file.bytes());
    try (ExecutorService workers = Executors.newFixedThreadPool(2)) {
      Race race = new Race();
      Pair ours = pair(race, workers, () -> Reads.through(view.reader(), view.start(), places));
      Pair raw = pair(race, workers, () -> Reads.raw(file.raw(), places));
      race.run();
      Limit limit = new Limit(raw.two.median(), raw.one.median(), 0.97);
      figures.add(Figure.of(ours.two, params, UNIT, ours.one, Goal.ahead(1.9)).withLimit(limit));
    }
  }

  private record Pair(Contender one, Contender two) {}

  private static Pair pair(Race race, ExecutorService workers, Supplier<Workload> reads) {
    Workload alone = many(reads.get());
    List<Callable<Long>> both = List.of(many(reads.get())::run, many(reads.get())::run);
    return new Pair(
        race.add("one thread", Reads.READS * MANY, alone),
        race.add("two threads reading", 2 * Reads.READS * MANY, () -> together(workers, both)));
  }

  private static Workload many(Workload reads) {
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
}
