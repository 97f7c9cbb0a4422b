package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.Leftovers;
import dev.xip.host.ScratchFolder;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.mapping.Mappable;
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
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Costs as the number of segments grows: of operations on the store, by the segments defined in it,
 * and of operations on memory, by the segments loaded. All figures are processor time.
 */
public final class SegmentGrowth {
  private static final int[] DEFINED = {10, 100, 1000, 10_000};
  private static final int[] LOADED = {10, 100, 1000};

  private static final String OF_DEFINED = "segments defined";
  private static final String OF_LOADED = "segments loaded";

  private static final int SEGMENT_PAGES = 4;

  /** Two segments may not share a megabyte. */
  private static final long STRIDE_PAGES = (1L << 20) >>> Pages.SHIFT;

  private static final long RAM_BYTES = 64L << 20;

  /** One run of the workload a round, after a warm-up in which caches settle. */
  private static final Race.Rounds ROUNDS = new Race.Rounds(300_000_000, 0, 5, 1001, 700_000_000);

  /** The warm-up of the first figure of a line, in which its code is compiled. */
  private static final long COMPILE_NANOS = 2_000_000_000;

  /** Segments in which a process faults in one round, however many are loaded. */
  private static final int FAULTS = 10;

  /** Reads in one round; a single one is shorter than the clock's resolution. */
  private static final int READS = 100_000;

  private final SegmentStore store;
  private final Path contents;

  /** By name; points in ascending order. */
  private final Map<String, Growth> lines = new LinkedHashMap<>();

  private int defined;

  private SegmentGrowth(SegmentStore store, Path contents) {
    this.store = store;
    this.contents = contents;
  }

  /**
   * Measures, in a minute or two.
   *
   * @param folder a folder for the store, some 200 MiB, which is deleted at the end
   * @return one line for each kind of work
   * @throws IOException if the store cannot be made or the host does not give the address space
   */
  public static List<Growth> measure(Path folder) throws IOException {
    try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-segments")) {
      Path own = scratch.path();
      byte[] bytes = new byte[(int) (SEGMENT_PAGES * Pages.SIZE)];
      new Random(42).nextBytes(bytes);
      Path contents = Files.write(own.resolve("contents"), bytes);
      SegmentStore store = Leftovers.step(() -> SegmentStore.create(own.resolve("store")));
      SegmentGrowth growth = new SegmentGrowth(store, contents);
      growth.measureDefined();
      growth.measureLoaded();
      return List.copyOf(growth.lines.values());
    }
  }

  private void measureDefined() throws IOException {
    for (int number : DEFINED) {
      while (defined < number) {
        store.define(definition(defined), SegmentSource.copyOf(contents, _ -> {}));
        defined++;
      }
      SegmentName last = definition(number - 1).name();
      timed(OF_DEFINED, number, "look up a segment", 1, () -> store.query(last).version());
      timed(OF_DEFINED, number, "list the segments", 1, () -> store.list().segments().size());
      timed(
          OF_DEFINED,
          number,
          "list them and their users",
          1,
          () -> store.survey().segments().size());
      timed(OF_DEFINED, number, "define one and remove it", 1, this::defineAndRemove);
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
        timed(
            OF_LOADED,
            number,
            "load a segment and unload it",
            1,
            () -> loadAndUnload(loader, other));
        timed(
            OF_LOADED,
            number,
            "list 10,000 and their users",
            1,
            () -> store.survey().segments().size());
        List<Mappable> files = new ArrayList<>();
        loader.loaded().forEach(each -> files.add(ContiguousFile.of(each.range())));
        measureProcess(machine, number, files);
      }
    }
  }

  private static long loadAndUnload(SegmentLoader loader, SegmentName name) throws IOException {
    long start = loader.load(name, SharingMode.SHARED).range().start();
    loader.unload(name);
    return start;
  }

  /** First faults of a process with a few segments; reads of one with all loaded segments. */
  private void measureProcess(Machine machine, int number, List<Mappable> files)
      throws IOException {
    List<Mappable> few = new ArrayList<>();
    for (int i = 0; i < FAULTS; i++) {
      few.add(files.get(i * (files.size() / FAULTS)));
    }
    String name = "first fault in a segment";
    Race race = race(name);
    addPoint(OF_LOADED, number, race, race.addTimed(name, FAULTS, _ -> firstFaults(machine, few)));
    try (AddressSpace space = machine.memoryManager().newAddressSpace("reader")) {
      long[] starts = mapAll(space, files);
      AddressReader reader = new AddressReader(space);
      timed(OF_LOADED, number, "read in a segment", READS, () -> read(reader, starts));
    }
  }

  private static long firstFaults(Machine machine, List<Mappable> files) throws IOException {
    try (AddressSpace space = machine.memoryManager().newAddressSpace("first")) {
      long[] starts = mapAll(space, files);
      long begin = Race.PROCESSOR_TIME.getAsLong();
      for (long start : starts) {
        space.fault(start, Access.READ).orThrow();
      }
      return Race.PROCESSOR_TIME.getAsLong() - begin;
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

  private void timed(String scale, int number, String name, int units, Workload workload)
      throws IOException {
    Race race = race(name);
    addPoint(scale, number, race, race.add(name, units, workload));
  }

  private Race race(String name) {
    return new Race(
        // Not the wait for a disk: by the wall clock, long operations would be measured together
        // with whatever else the host runs.
        lines.containsKey(name) ? ROUNDS : ROUNDS.withWarmUp(COMPILE_NANOS), Race.PROCESSOR_TIME);
  }

  /** Runs a race of one contender and adds its median to the line of its name. */
  private void addPoint(String scale, int number, Race race, Contender contender)
      throws IOException {
    race.run();
    lines
        .computeIfAbsent(contender.name(), name -> new Growth(name, scale, "ns", new ArrayList<>()))
        .points()
        .add(new Growth.Point(number, contender.median()));
  }

  /** {@return the definition of a segment; each begins a megabyte after the one before} */
  private static SegmentDefinition definition(int number) throws IOException {
    long first = (SegmentStore.FIRST_PLACE >>> Pages.SHIFT) + number * STRIDE_PAGES;
    return SegmentDefinition.of(
        SegmentName.of("S%d".formatted(number)),
        List.of(SegmentPart.of(SegmentType.SR, first, first + SEGMENT_PAGES - 1)));
  }
}
