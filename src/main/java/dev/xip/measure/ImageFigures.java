package dev.xip.measure;

import dev.xip.host.HostPaths;
import dev.xip.image.FsImage;
import dev.xip.image.PathResolver;
import dev.xip.image.TreeWalk;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;

/**
 * Images of many files, beside the kernel's mount of the same image, a stored zip of the same tree,
 * debugfs and 7z. The mount is warm: each of its files was visited before.
 */
public final class ImageFigures {
  static final Race.Rounds ROUNDS = new Race.Rounds(350_000_000, 2_000_000, 3, 41, 2_000_000_000);

  /** To open and to mount goes through much code, which takes long to be compiled. */
  private static final Race.Rounds LONG = ROUNDS.withWarmUp(1_500_000_000);

  private static final String OPEN = "open, look up a path, close";
  private static final String WALK = "walk, attributes of each file";
  private static final String LOOK_UP = "look up a path, attributes";
  private static final String READ = "look up, 4 KiB of the file";
  private static final String HEAP = "heap that a walk holds";
  static final String BY_NIO = ", by java.nio";
  static final String MOUNTED = "java.nio on the loop mount";
  static final String ZIPPED = "zipfs, stored";

  private static final int LOOK_UPS = 512;
  private static final int PAGE = 4096;

  /** How often in a walk the heap is measured. */
  private static final int SAMPLES = 8;

  private static final double MOST_HEAP_KIBI = 16 << 10;

  private final List<Figure> figures;
  private final Map<String, List<Growth.Point>> growth = new LinkedHashMap<>();
  private final int most;

  private ImageFigures(List<Figure> figures, int most) {
    this.figures = figures;
    this.most = most;
  }

  /**
   * Measures. The peers are compared at the largest number of files; up to there the costs of xip
   * alone are measured at each power of ten from 1,000 on.
   *
   * @param folder a folder for work files, up to some gibibytes, which are deleted at the end
   * @param most the largest number of files in an image, at least 1,000
   * @param figures receives the rows
   * @param growth receives the costs as the number of files grows
   * @throws IOException if there is no room for a work file, or no mke2fs or mkfs.erofs
   */
  public static void measure(Path folder, int most, List<Figure> figures, List<Growth> growth)
      throws IOException {
    ImageFigures all = new ImageFigures(figures, most);
    byte[] content = new byte[PAGE];
    new Random(42).nextBytes(content);
    for (long files = WorkTree.PER_FOLDER; files <= most; files *= 10) {
      try (WorkTree work = WorkTree.unpacked(folder, (int) files, content)) {
        all.measure(work, (int) files);
      }
    }
    all.growth.forEach(
        (name, points) -> {
          if (points.size() > 1) {
            String unit = name.startsWith(HEAP) ? "KiB" : "ns";
            growth.add(new Growth(name, "files", unit, points));
          }
        });
    LargeFigures.measure(folder, figures);
    StartFigures.measure(folder, figures);
  }

  private void measure(WorkTree work, int files) throws IOException {
    boolean last = files * 10L > most;
    Path zip = last ? work.zip() : null;
    for (ImageTool tool : ImageTool.values()) {
      Path image = work.folder().resolve(tool.driver());
      tool.pack(work.tree(), image);
      try (OpenImage mount = OpenImage.open(image)) {
        if (!last) {
          race(new Peers(tool, image, files, Optional.empty(), null, null, null), mount.image());
          continue;
        }
        Optional<LoopMount> loop = LoopMount.of(image, work.folder(), tool.driver());
        try (FileSystem zipped = FileSystems.newFileSystem(zip);
            FileSystem own = FileSystems.newFileSystem(image)) {
          Path root = own.getPath("/");
          race(new Peers(tool, image, files, loop, zip, zipped.getPath("/"), root), mount.image());
        } finally {
          if (loop.isPresent()) {
            loop.get().close();
          }
        }
      }
      Files.delete(image);
    }
  }

  /**
   * One image and what it is compared with.
   *
   * @param loop the kernel's mount, if this user may mount
   * @param zip the zip, null if there are no peers
   * @param zipped the root of the zip
   * @param own the root of the image in this project's provider
   */
  private record Peers(
      ImageTool tool,
      Path image,
      int files,
      Optional<LoopMount> loop,
      Path zip,
      Path zipped,
      Path own) {
    SequencedMap<String, String> params() {
      return Figure.params("format", tool.driver(), "files", "%,d".formatted(files));
    }

    Optional<Path> mounted() {
      return loop.map(LoopMount::root);
    }
  }

  private void race(Peers peers, FsImage image) throws IOException {
    open(peers);
    walk(peers, image);
    heap(peers, image);
    lookUp(peers, image);
    if (peers.zip() != null) {
      read(peers, image);
    }
  }

  /** One work, of xip and its peers. */
  private final class Work {
    private final String name;
    private final Peers peers;
    private final Race race;
    private final Contender ours;

    /** The same work through this project's provider; null if there is none. */
    private Contender byNio;

    private final List<Contender> others = new ArrayList<>();
    private final List<String> missing = new ArrayList<>();
    private final double units;

    Work(String name, Peers peers, double units, Workload workload) {
      this.race = new Race(name.equals(OPEN) ? LONG : ROUNDS, Race.WALL_CLOCK);
      this.name = name;
      this.peers = peers;
      this.units = units;
      this.ours = race.add(name, units, workload);
    }

    void byNio(Workload workload) {
      byNio = race.add(name + BY_NIO, units, workload);
    }

    void against(String peer, Workload workload) {
      others.add(race.add(peer, units, workload));
    }

    /** Adds a tool, or a row that says that the host does not have it. */
    void againstTool(String tool, String... words) throws IOException {
      if (ImageTool.isHere(tool)) {
        List<String> all = new ArrayList<>(List.of(tool));
        all.addAll(List.of(words));
        against(tool, () -> ImageTool.run(all.toArray(String[]::new)));
      } else {
        missing.add(tool + ", which is not installed");
      }
    }

    void run(String unit) throws IOException {
      race.run();
      addPoint(name, peers, ours.median());
      if (peers.zip() != null && peers.loop().isEmpty()) {
        missing.add(LoopMount.MISSING);
      }
      for (Contender other : others) {
        figures.add(Figure.of(ours, peers.params(), unit, other, Goal.ahead(1)));
      }
      for (String each : missing) {
        figures.add(Figure.ofMissing(ours, peers.params(), unit, each, Goal.ahead(1)));
      }
      for (Contender other : others) {
        if (byNio != null && List.of(MOUNTED, ZIPPED).contains(other.name())) {
          figures.add(Figure.of(byNio, peers.params(), unit, other, Goal.ahead(1)));
        }
      }
    }
  }

  private void addPoint(String name, Peers peers, double median) {
    growth
        .computeIfAbsent(name + ", " + peers.tool().driver(), _ -> new ArrayList<>())
        .add(new Growth.Point(peers.files(), median));
  }

  /** With one look-up, as zipfs has read all names by then, and a mount none. */
  private void open(Peers peers) throws IOException {
    String path = WorkTree.path(peers.files() / 2);
    Work work =
        new Work(
            OPEN,
            peers,
            1,
            () -> {
              try (OpenImage mount = OpenImage.open(peers.image())) {
                return PathResolver.resolve(mount.image(), path, true).size();
              }
            });
    if (peers.zip() != null) {
      work.byNio(() -> openByNio(peers.image(), path));
    }
    if (peers.loop().isPresent()) {
      Path below = peers.image().getParent();
      work.against(
          "mount and umount",
          () -> {
            try (LoopMount mount =
                LoopMount.of(peers.image(), below, peers.tool().driver()).get()) {
              return size(mount.root(), path);
            }
          });
    }
    if (peers.zip() != null) {
      work.against(ZIPPED, () -> openByNio(peers.zip(), path));
      if (peers.tool() == ImageTool.EXT4) {
        work.againstTool("debugfs", "-R", "stat /" + path, HostPaths.text(peers.image()));
      }
    }
    work.run("ns");
  }

  private static long openByNio(Path file, String path) throws IOException {
    try (FileSystem opened = FileSystems.newFileSystem(file)) {
      return size(opened.getPath("/"), path);
    }
  }

  private void walk(Peers peers, FsImage image) throws IOException {
    Work work = new Work(WALK, peers, peers.files(), () -> walk(image));
    if (peers.zip() != null) {
      work.byNio(() -> walk(peers.own()));
      peers.mounted().ifPresent(root -> work.against(MOUNTED, () -> walk(root)));
      work.against(ZIPPED, () -> walk(peers.zipped()));
      String name = HostPaths.text(peers.image());
      if (peers.tool() == ImageTool.EXT4) {
        List<String> folders = new ArrayList<>();
        for (int i = 0; i < peers.files(); i += WorkTree.PER_FOLDER) {
          folders.add("ls -l " + WorkTree.path(i).replaceFirst("/.*", ""));
        }
        Path script = Files.write(peers.image().resolveSibling("script"), folders);
        work.againstTool("debugfs", "-f", HostPaths.text(script), name);
        work.againstTool("7z", "l", name);
      }
    }
    work.run("ns/file");
  }

  private static long walk(FsImage image) throws IOException {
    long[] sum = new long[1];
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> sum[0] += inode.size() + inode.modified().getEpochSecond());
    return sum[0];
  }

  private static long walk(Path root) throws IOException {
    long[] sum = new long[1];
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            sum[0] += attributes.size() + attributes.lastModifiedTime().toMillis();
            return FileVisitResult.CONTINUE;
          }
        });
    return sum[0];
  }

  private void heap(Peers peers, FsImage image) throws IOException {
    long before = usedHeap();
    long[] seen = new long[1];
    long[] held = new long[1];
    TreeWalk.walk(
        image,
        image.root(),
        (walk, inode) -> {
          if (++seen[0] % (peers.files() / SAMPLES) == 0) {
            held[0] = Math.max(held[0], usedHeap() - before);
          }
        });
    double kibi = held[0] / 1024.0;
    addPoint(HEAP, peers, Math.max(1, kibi));
    if (peers.zip() != null) {
      Goal goal = Goal.atMost(MOST_HEAP_KIBI);
      figures.add(new Figure(HEAP, peers.params(), "KiB", kibi, "", Double.NaN, goal));
    }
  }

  private static long usedHeap() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  private void lookUp(Peers peers, FsImage image) throws IOException {
    Random random = new Random(42);
    String[] paths = new String[LOOK_UPS * 64];
    for (int i = 0; i < paths.length; i++) {
      paths[i] = WorkTree.path(random.nextInt(peers.files()));
    }
    Work work =
        new Work(
            LOOK_UP,
            peers,
            LOOK_UPS,
            each(paths, path -> PathResolver.resolve(image, path, true).size()));
    if (peers.zip() != null) {
      work.byNio(each(paths, path -> size(peers.own(), path)));
      peers
          .mounted()
          .ifPresent(root -> work.against(MOUNTED, each(paths, path -> size(root, path))));
      work.against(ZIPPED, each(paths, path -> size(peers.zipped(), path)));
      if (peers.tool() == ImageTool.EXT4) {
        List<String> commands = new ArrayList<>();
        for (int i = 0; i < LOOK_UPS; i++) {
          commands.add("stat " + paths[i]);
        }
        Path script = Files.write(peers.image().resolveSibling("script"), commands);
        String name = HostPaths.text(peers.image());
        work.againstTool("debugfs", "-f", HostPaths.text(script), name);
      }
    }
    work.run("ns/file");
  }

  /** Finds one path. */
  @FunctionalInterface
  private interface LookUp {
    long of(String path) throws IOException;
  }

  private static Workload each(String[] paths, LookUp lookUp) {
    int[] next = {0};
    return () -> {
      long sum = 0;
      for (int i = 0; i < LOOK_UPS; i++) {
        sum += lookUp.of(paths[next[0] + i]);
      }
      next[0] = (next[0] + LOOK_UPS) % paths.length;
      return sum;
    };
  }

  private static long size(Path root, String path) throws IOException {
    return Files.readAttributes(root.resolve(path), BasicFileAttributes.class).size();
  }

  private void read(Peers peers, FsImage image) throws IOException {
    int files = Math.min(peers.files(), WorkTree.MOST_FILLED);
    Work work = new Work(READ, peers, NameLookups.LOOKUPS, NameLookups.in(image, files));
    work.byNio(NameLookups.in(peers.own(), files));
    if (peers.loop().isPresent()) {
      work.against(MOUNTED, NameLookups.in(peers.mounted().get(), files));
    }
    work.against(ZIPPED, NameLookups.in(peers.zipped(), files));
    work.run("ns/file");
  }
}
