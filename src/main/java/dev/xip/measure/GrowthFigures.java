package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.file.MemoryBlocks;
import dev.xip.file.MemoryFile;
import dev.xip.host.HostFile;
import dev.xip.host.ScratchFolder;
import dev.xip.host.Sharing;
import dev.xip.image.FsImage;
import dev.xip.image.PathResolver;
import dev.xip.mapping.Mappable;
import dev.xip.mount.OpenImage;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Costs as the numbers of files, segments and address spaces and the size of segments grow. */
public final class GrowthFigures {
  private static final long FIRST_ADDRESS = 4L << 30;
  private static final int LOOK_UPS = 512;

  /** Mapping and unmapping goes through much code, which takes long to be compiled. */
  private static final Race.Rounds ROUNDS = Race.Rounds.DEFAULT.withWarmUp(1_000_000_000);

  private static final String OPEN = "open an image and close it";
  private static final String LOOK_UP = "look up a file and its attributes";
  private static final String MAP_SEGMENT = "map a segment and read one byte";
  private static final String MAP_FILE = "map a shared file and read one byte";
  private static final String CUT = "cut a page off all who map it, and refault";

  private static final EntryLayout LAYOUT = X8664Layout.INSTANCE;

  private GrowthFigures() {}

  /**
   * Measures. It takes minutes to make an image of a million files.
   *
   * @param folder a folder for work files, up to some gibibytes, which are deleted at the end
   * @param mostFiles the largest number of files, at least 1,000
   * @return one line for each kind of work
   * @throws IOException if there is no room for a work file or no address space for a window
   */
  public static List<Growth> measure(Path folder, int mostFiles) throws IOException {
    List<Growth> lines = new ArrayList<>();
    lines.addAll(files(folder, mostFiles));
    segments(lines);
    lines.add(sizes(folder));
    lines.addAll(spaces());
    return lines;
  }

  private static List<Growth> files(Path folder, int most) throws IOException {
    List<Growth.Point> openings = new ArrayList<>();
    List<Growth.Point> lookUps = new ArrayList<>();
    for (int count = WorkTree.PER_FOLDER; count <= most; count *= 10) {
      try (WorkTree work = WorkTree.create(folder, count, new byte[0]);
          OpenImage mount = OpenImage.open(work.image())) {
        Race race = new Race();
        Contender open = race.add(OPEN, 1, () -> open(work.image()));
        Contender lookUp = race.add(LOOK_UP, LOOK_UPS, lookUps(mount.image(), count));
        race.run();
        openings.add(new Growth.Point(count, open.median()));
        lookUps.add(new Growth.Point(count, lookUp.median()));
      }
    }
    return List.of(
        new Growth(OPEN, "files", "ns", openings), new Growth(LOOK_UP, "files", "ns", lookUps));
  }

  private static long open(Path image) throws IOException {
    try (OpenImage mount = OpenImage.open(image)) {
      return mount.image().memory().byteSize();
    }
  }

  private static Workload lookUps(FsImage image, int count) {
    Random random = new Random(42);
    String[] paths = new String[LOOK_UPS * 64];
    for (int i = 0; i < paths.length; i++) {
      paths[i] = WorkTree.path(random.nextInt(count));
    }
    int[] next = {0};
    return () -> {
      long sum = 0;
      for (int i = 0; i < LOOK_UPS; i++) {
        sum += PathResolver.resolve(image, paths[next[0] + i], true).number();
      }
      next[0] = (next[0] + LOOK_UPS) % paths.length;
      return sum;
    };
  }

  private static void segments(List<Growth> lines) throws IOException {
    int[] numbers = {1, 8, 64, 512, 4096};
    int[] one = {1};
    lines.add(
        ofStrategy(
            "decide about an entry, by the special bit",
            NormalPageBench.run(
                LAYOUT, List.of(FrameStrategy.SPECIAL_BIT), numbers, one, ProgressListener.NONE),
            FrameStrategy.SPECIAL_BIT));
    List<BenchRow> forks =
        ForkExitBench.run(
            LAYOUT,
            List.of(FrameStrategy.MEM_SEGS_SPIN_LOCK, FrameStrategy.SPECIAL_BIT),
            numbers,
            one,
            ProgressListener.NONE);
    lines.add(
        ofStrategy(
            "fork and exit, an entry, by the special bit", forks, FrameStrategy.SPECIAL_BIT));
    lines.add(
        ofStrategy(
            "the same by the list under a spin lock", forks, FrameStrategy.MEM_SEGS_SPIN_LOCK));
  }

  private static Growth ofStrategy(String name, List<BenchRow> rows, FrameStrategy strategy) {
    List<Growth.Point> points =
        rows.stream()
            .filter(row -> row.strategy().equals(strategy.toString()))
            .map(row -> new Growth.Point(row.segments(), row.median()))
            .toList();
    return new Growth(name, "segments", "ns", points);
  }

  /** Maps a whole sparse segment and reads the byte in its middle. */
  private static Growth sizes(Path folder) throws IOException {
    List<Growth.Point> points = new ArrayList<>();
    for (long bytes = 1 << 20; bytes <= 1L << 40; bytes <<= 5) {
      try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-bench");
          HostFile file = HostFile.create(scratch.path().resolve("data"), 0600);
          PhysicalMemory memory = PhysicalMemory.boot(FIRST_ADDRESS + bytes, 64L << 20)) {
        file.truncate(bytes);
        Region region = memory.claim("BENCH", AddrRange.ofLength(FIRST_ADDRESS, bytes), true);
        memory.mapFile(region, 0, file, 0, bytes, Access.READ, Sharing.SHARED);
        MemoryManager manager = new MemoryManager(memory, LAYOUT);
        Mappable whole = new ContiguousFile(FIRST_ADDRESS >>> Pages.SHIFT, bytes);
        long middle = bytes / 2;
        Race race = new Race(ROUNDS, Race.WALL_CLOCK);
        Contender read = race.add(MAP_SEGMENT, 1, () -> mapAndRead(manager, whole, middle));
        race.run();
        points.add(new Growth.Point(bytes >>> 20, read.median()));
      }
    }
    return new Growth(MAP_SEGMENT, "MiB", "ns", points);
  }

  private static long mapAndRead(MemoryManager manager, Mappable file, long offset)
      throws IOException {
    try (AddressSpace space = manager.newAddressSpace("benchmark")) {
      long start = space.map(MapRequest.shared(file, Access.READ)).start();
      return new AddressReader(space).getByte(start + offset);
    }
  }

  /** One file, mapped by a growing number of address spaces. */
  private static List<Growth> spaces() throws IOException {
    List<Growth.Point> faults = new ArrayList<>();
    List<Growth.Point> truncations = new ArrayList<>();
    for (int count = 1; count <= 1_000; count *= 10) {
      long bytes = 1 << 20;
      try (HostFile file = HostFile.memfd("benchmark");
          PhysicalMemory memory = PhysicalMemory.boot(FIRST_ADDRESS + bytes, 256L << 20)) {
        file.truncate(bytes);
        Region region = memory.claim("BENCH", AddrRange.ofLength(FIRST_ADDRESS, bytes), false);
        memory.mapFile(region, 0, file, 0, bytes, Access.READ_WRITE, Sharing.SHARED);
        MemoryFile shared =
            new MemoryBlocks(
                    memory.window().asSlice(FIRST_ADDRESS, bytes), FIRST_ADDRESS >>> Pages.SHIFT)
                .create("shared");
        measureSpaces(new MemoryManager(memory, LAYOUT), shared, count, faults, truncations);
      }
    }
    return List.of(
        new Growth(MAP_FILE, "address spaces", "ns", faults),
        new Growth(CUT, "address spaces", "ns", truncations));
  }

  private static void measureSpaces(
      MemoryManager manager,
      MemoryFile shared,
      int count,
      List<Growth.Point> faults,
      List<Growth.Point> truncations)
      throws IOException {
    MemorySegment page = MemorySegment.ofArray(new byte[(int) Pages.SIZE]);
    shared.write(0, page);
    List<AddressSpace> spaces = new ArrayList<>();
    try {
      long[] starts = new long[count];
      for (int i = 0; i < count; i++) {
        AddressSpace space = manager.newAddressSpace("user " + i);
        spaces.add(space);
        starts[i] = space.map(MapRequest.shared(shared, Access.READ)).start();
        space.fault(starts[i], Access.READ);
      }
      Race race = new Race(ROUNDS, Race.WALL_CLOCK);
      Contender fault = race.add(MAP_FILE, 1, () -> mapAndRead(manager, shared, 0));
      Contender truncation =
          race.add(
              CUT,
              1,
              () -> {
                shared.truncate(0);
                shared.write(0, page);
                for (int i = 0; i < count; i++) {
                  spaces.get(i).fault(starts[i], Access.READ);
                }
                return shared.size();
              });
      race.run();
      faults.add(new Growth.Point(count, fault.median()));
      truncations.add(new Growth.Point(count, truncation.median()));
    } finally {
      spaces.forEach(AddressSpace::close);
    }
  }
}
