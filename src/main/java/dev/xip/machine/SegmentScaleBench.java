package dev.xip.machine;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Translation;
import dev.xip.segment.SavedSegment;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentLoader;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Measures how the work with segments grows with their number: what is done to the store with the
 * segments defined in it, and what is done to memory with those loaded, of all that were defined.
 * All figures are processor time.
 */
public final class SegmentScaleBench {
  private static final int[] DEFINED = {10, 100, 1000, 10_000};
  private static final int[] LOADED = {10, 100, 1000};

  private static final String OF_DEFINED = "segments defined";
  private static final String OF_LOADED = "segments loaded";

  private static final int SEGMENT_PAGES = 4;

  /** Segments may not share a megabyte. */
  private static final long STRIDE_PAGES = (1L << 20) >>> Pages.SHIFT;

  private static final long RAM_BYTES = 64L << 20;

  /** All figures: four kinds for each number of the defined, four for each of the loaded. */
  private static final int FIGURES = 4 * DEFINED.length + 4 * LOADED.length;

  /**
   * Processor time of the thread: the long kinds of work would otherwise be measured together with
   * whatever else runs on the host. Waiting for a disk is not in it.
   */
  private static final ThreadMXBean CLOCK = ManagementFactory.getThreadMXBean();

  private static final long WARM_UP_NANOS = 300_000_000;
  private static final long ROUNDS_NANOS = 700_000_000;
  private static final int FEWEST_ROUNDS = 5;
  private static final int MOST_ROUNDS = 1001;

  /** Reads in one round: a single one is shorter than the clock's step. */
  private static final int READS = 100_000;

  private final SegmentStore store;
  private final Path contents;
  private final ProgressListener progress;

  /** For each kind of work its medians, in the order of the numbers. */
  private final Map<String, List<Double>> ofDefined = new LinkedHashMap<>();

  private final Map<String, List<Double>> ofLoaded = new LinkedHashMap<>();

  private int defined;
  private int figures;

  /** Where results go, so that no work is dead code. */
  private volatile long sink;

  private SegmentScaleBench(SegmentStore store, Path contents, ProgressListener progress) {
    this.store = store;
    this.contents = contents;
    this.progress = progress;
  }

  /** What is measured. */
  @FunctionalInterface
  private interface Work {
    /** Returns anything that depends on all of the work. */
    long run() throws IOException;
  }

  /** One round of a measurement. */
  @FunctionalInterface
  private interface Round {
    /** Returns the nanoseconds for each unit of work. */
    double nanos() throws IOException;
  }

  /** A loaded segment as a file. */
  private record SegmentFile(SavedSegment segment) implements Mappable {
    @Override
    public String name() {
      return segment.name().value();
    }

    @Override
    public long size() {
      return segment.range().length();
    }

    @Override
    public Translation translate(long page) {
      return new Translation((segment.range().start() >>> Pages.SHIFT) + page, 1);
    }
  }

  /**
   * Measures, in about a minute.
   *
   * @param work a folder for the store, some 200 MiB, gone afterwards
   * @param progress is told of every figure that is done
   * @return for each kind of work one row per number, which says how it grows
   * @throws IOException if the store cannot be made or the host does not give the address space
   */
  public static List<BenchRow> run(Path work, ProgressListener progress) throws IOException {
    Path folder = Files.createTempDirectory(work, "xip-segments");
    try {
      byte[] bytes = new byte[(int) (SEGMENT_PAGES * Pages.SIZE)];
      new Random(42).nextBytes(bytes);
      Path contents = Files.write(folder.resolve("contents"), bytes);
      SegmentStore store = SegmentStore.create(folder.resolve("store"));
      SegmentScaleBench bench = new SegmentScaleBench(store, contents, progress);
      bench.measureDefined();
      bench.measureLoaded();
      List<BenchRow> rows = new ArrayList<>();
      rows(OF_DEFINED, DEFINED, "us", bench.ofDefined, rows);
      rows(OF_LOADED, LOADED, "ns", bench.ofLoaded, rows);
      return rows;
    } finally {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path each : files.toList().reversed()) {
          Files.delete(each);
        }
      }
    }
  }

  private void measureDefined() throws IOException {
    for (int number : DEFINED) {
      while (defined < number) {
        store.define(definition(defined), SegmentSource.copyOf(contents, _ -> {}));
        defined++;
      }
      SegmentName last = definition(number - 1).name();
      timed(ofDefined, "query", 1, () -> store.query(last).version());
      timed(ofDefined, "list", 1, () -> store.list().segments().size());
      timed(ofDefined, "survey", 1, () -> store.survey().segments().size());
      timed(ofDefined, "define + remove", 1, this::defineAndRemove);
    }
  }

  private long defineAndRemove() throws IOException {
    SegmentDefinition one = definition(defined);
    long version = store.define(one, SegmentSource.zeros()).version();
    store.remove(one.name());
    return version;
  }

  private void measureLoaded() throws IOException {
    long window = definition(defined + 1).range().end();
    MachineConfig config = MachineConfig.DEFAULT.withWindow(window).withRam(RAM_BYTES);
    try (Machine machine = Machine.boot(config, store)) {
      SegmentLoader loader = machine.segments();
      SegmentName other = definition(defined - 1).name();
      for (int number : LOADED) {
        while (loader.loaded().size() < number) {
          loader.load(definition(loader.loaded().size()).name(), SharingMode.SHARED);
        }
        timed(ofLoaded, "load + unload", 1, () -> loadAndUnload(loader, other));
        timed(ofLoaded, "survey", 1, () -> store.survey().segments().size());
        List<Mappable> files = new ArrayList<>();
        loader.loaded().forEach(each -> files.add(new SegmentFile(each)));
        measureProcess(machine, files);
      }
    }
  }

  private static long loadAndUnload(SegmentLoader loader, SegmentName name) throws IOException {
    long start = loader.load(name, SharingMode.SHARED).range().start();
    loader.unload(name);
    return start;
  }

  /** First faults and reads of a process that maps all loaded segments. */
  private void measureProcess(Machine machine, List<Mappable> files) throws IOException {
    figure(ofLoaded, "first fault", () -> firstFaults(machine, files));
    try (AddressSpace space = machine.memoryManager().newAddressSpace("reader")) {
      long[] starts = mapAll(space, files);
      AddressReader reader = new AddressReader(space);
      timed(ofLoaded, "read", READS, () -> read(reader, starts));
    }
  }

  private static double firstFaults(Machine machine, List<Mappable> files) throws IOException {
    try (AddressSpace space = machine.memoryManager().newAddressSpace("first")) {
      long[] starts = mapAll(space, files);
      long begin = CLOCK.getCurrentThreadCpuTime();
      for (long start : starts) {
        if (space.fault(start, Access.READ) instanceof FaultResult.Refused refused) {
          throw refused.cause();
        }
      }
      return (double) (CLOCK.getCurrentThreadCpuTime() - begin) / starts.length;
    }
  }

  private static long[] mapAll(AddressSpace space, List<Mappable> files) throws IOException {
    long[] starts = new long[files.size()];
    for (int i = 0; i < starts.length; i++) {
      AddrRange range = space.map(MapRequest.shared(files.get(i), Access.READ));
      starts[i] = range.start();
    }
    return starts;
  }

  private static long read(AddressReader reader, long[] starts) throws IOException {
    long sum = 0;
    for (int i = 0, at = 0; i < READS; i++) {
      sum += reader.getLong(starts[at] + (i & 0xff8));
      at = at + 1 == starts.length ? 0 : at + 1;
    }
    return sum;
  }

  private void timed(Map<String, List<Double>> medians, String kind, int units, Work work)
      throws IOException {
    figure(
        medians,
        kind,
        () -> {
          long start = CLOCK.getCurrentThreadCpuTime();
          sink = work.run();
          return (double) (CLOCK.getCurrentThreadCpuTime() - start) / units;
        });
  }

  /** Adds the median of many rounds, of fewer if they are long, after some that do not count. */
  private void figure(Map<String, List<Double>> medians, String kind, Round round)
      throws IOException {
    long start = CLOCK.getCurrentThreadCpuTime();
    do {
      round.nanos();
    } while (CLOCK.getCurrentThreadCpuTime() - start < WARM_UP_NANOS);
    double[] nanos = new double[MOST_ROUNDS];
    int rounds = 0;
    start = CLOCK.getCurrentThreadCpuTime();
    while (rounds < FEWEST_ROUNDS
        || rounds < MOST_ROUNDS && CLOCK.getCurrentThreadCpuTime() - start < ROUNDS_NANOS) {
      nanos[rounds++] = round.nanos();
    }
    Arrays.sort(nanos, 0, rounds);
    medians.computeIfAbsent(kind, _ -> new ArrayList<>()).add(nanos[rounds / 2]);
    progress.at(++figures, FIGURES);
  }

  private static void rows(
      String name,
      int[] numbers,
      String unit,
      Map<String, List<Double>> medians,
      List<BenchRow> rows) {
    double nanos = unit.equals("us") ? 1000 : 1;
    medians.forEach(
        (kind, each) -> {
          String growth = growth(numbers, each);
          for (int i = 0; i < numbers.length; i++) {
            rows.add(new BenchRow(name, kind, numbers[i], 1, unit, each.get(i) / nanos, growth));
          }
        });
  }

  /**
   * Names how the last figure has grown from the first: constant up to half as much again,
   * logarithmic up to half more than the ratio of the logarithms, then linear up to twice the ratio
   * of the numbers.
   */
  private static String growth(int[] numbers, List<Double> medians) {
    double grown = medians.getLast() / medians.getFirst();
    double first = numbers[0];
    double last = numbers[numbers.length - 1];
    if (grown <= 1.5) {
      return "constant";
    }
    if (grown <= 1.5 * Math.log(last) / Math.log(first)) {
      return "logarithmic";
    }
    return grown <= 2 * last / first ? "linear" : "more than linear";
  }

  /** A megabyte for each, from the first place on. */
  private static SegmentDefinition definition(int number) throws IOException {
    long first = (SegmentStore.FIRST_PLACE >>> Pages.SHIFT) + number * STRIDE_PAGES;
    return SegmentDefinition.of(
        SegmentName.of("S%d".formatted(number)),
        List.of(SegmentPart.of(SegmentType.SR, first, first + SEGMENT_PAGES - 1)));
  }
}
