package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.FileName;
import dev.xip.file.WholeFile;
import dev.xip.host.HostPaths;
import dev.xip.host.ScratchFolder;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** One file of a gibibyte and one directory of 100,000 names, in place and beside the peers. */
final class LargeFigures {
  private static final int NAMES = 100_000;
  private static final int CHUNK = 1 << 20;
  private static final long FILE_BYTES = 1L << 30;
  private static final double SHARE_OF_BARE = 0.95;
  private static final String FILE = "file";
  private static final String FOLDER = "names";

  private final ImageTool tool;
  private final Path image;
  private final Roots roots;
  private final List<Figure> figures;

  /**
   * The same files through java.nio.
   *
   * @param own the image in this project's provider
   * @param mounted the kernel's mount of it, if this user may mount
   * @param zipped a zip of the same files
   */
  private record Roots(Path own, Optional<Path> mounted, Path zipped) {}

  private LargeFigures(ImageTool tool, Path image, Roots roots, List<Figure> figures) {
    this.tool = tool;
    this.image = image;
    this.roots = roots;
    this.figures = figures;
  }

  static void measure(Path folder, List<Figure> figures) throws IOException {
    try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-bench")) {
      Path tree = makeTree(Files.createDirectory(scratch.path().resolve("tree")));
      Path zip = zip(tree, scratch.path().resolve("zip"));
      for (ImageTool tool : ImageTool.values()) {
        Path image = scratch.path().resolve(tool.driver());
        tool.pack(tree, image);
        Optional<LoopMount> loop = LoopMount.of(image, scratch.path(), tool.driver());
        try (OpenImage mount = OpenImage.open(image);
            FileSystem own = FileSystems.newFileSystem(image);
            FileSystem zipped = FileSystems.newFileSystem(zip)) {
          Roots roots = new Roots(own.getPath("/"), loop.map(LoopMount::root), zipped.getPath("/"));
          LargeFigures large = new LargeFigures(tool, image, roots, figures);
          large.file(mount);
          large.names(mount.image());
        } finally {
          if (loop.isPresent()) {
            loop.get().close();
          }
        }
        Files.delete(image);
      }
    }
  }

  private static Path makeTree(Path tree) throws IOException {
    byte[] chunk = new byte[CHUNK];
    new Random(42).nextBytes(chunk);
    try (OutputStream out = Files.newOutputStream(tree.resolve(FILE))) {
      for (long at = 0; at < FILE_BYTES; at += CHUNK) {
        out.write(chunk);
      }
    }
    Path names = Files.createDirectory(tree.resolve(FOLDER));
    for (int i = 0; i < NAMES; i++) {
      Files.createFile(names.resolve(name(i)));
    }
    return tree;
  }

  private static String name(int number) {
    return "the-name-of-file-%06d".formatted(number);
  }

  private static Path zip(Path tree, Path zip) throws IOException {
    try (OutputStream out = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(out)) {
      entries.setMethod(ZipOutputStream.STORED);
      CRC32 crc = new CRC32();
      byte[] chunk = new byte[CHUNK];
      new Random(42).nextBytes(chunk);
      for (long at = 0; at < FILE_BYTES; at += CHUNK) {
        crc.update(chunk);
      }
      entries.putNextEntry(stored(FILE, FILE_BYTES, crc.getValue()));
      Files.copy(tree.resolve(FILE), entries);
      for (int i = 0; i < NAMES; i++) {
        entries.putNextEntry(stored(FOLDER + "/" + name(i), 0, 0));
      }
    }
    return zip;
  }

  private static ZipEntry stored(String name, long size, long crc) {
    ZipEntry entry = new ZipEntry(name);
    entry.setSize(size);
    entry.setCrc(crc);
    return entry;
  }

  /** Reads the file from first to last byte, a mebibyte at a time. */
  private void file(OpenImage mount) throws IOException {
    Inode inode = PathResolver.resolve(mount.image(), FILE, true);
    try (Arena arena = Arena.ofConfined();
        WholeFile whole = mount.whole(inode)) {
      MemorySegment target = arena.allocate(CHUNK);
      Race race = new Race(ImageFigures.ROUNDS, Race.WALL_CLOCK);
      Contender ours =
          race.add(
              "read a file, 1 MiB at a time",
              1e6,
              () -> {
                for (long at = 0; at < FILE_BYTES; at += CHUNK) {
                  whole.read(at, target);
                }
                return target.get(ValueLayout.JAVA_BYTE, 0);
              });
      ByNio all = new ByNio(race, ours, 1e6, root -> read(root.resolve(FILE), target));
      MemorySegment bytes = whole.memory();
      all.bare =
          race.add(
              "raw",
              1e6,
              () -> {
                for (long at = 0; at < FILE_BYTES; at += CHUNK) {
                  MemorySegment.copy(bytes, at, target, 0, CHUNK);
                }
                return target.get(ValueLayout.JAVA_BYTE, 0);
              });
      String name = HostPaths.text(image);
      Contender debugfs = tool(race, "debugfs", "-R", "cat " + FILE, name);
      Contender seven = tool(race, "7z", "e", "-so", name, FILE);
      race.run();
      SequencedMap<String, String> params = params("format", tool.driver(), "bytes", "1 GiB");
      all.addFigures(params, "ms");
      if (tool == ImageTool.EXT4) {
        add(ours, params, "ms", debugfs, "debugfs, which is not installed");
        add(ours, params, "ms", seven, "7z, which is not installed");
      }
    }
  }

  /** Adds a tool that reads ext4; null if the host does not have it. */
  private Contender tool(Race race, String... words) throws IOException {
    return tool == ImageTool.EXT4 && ImageTool.isHere(words[0])
        ? race.add(words[0], 1e6, () -> ImageTool.run(words))
        : null;
  }

  /** A work through java.nio, which does not know what provider it has. */
  @FunctionalInterface
  private interface NioWork {
    long in(Path root) throws IOException;
  }

  /** The same work through java.nio, by this project's provider and by the peers. */
  private final class ByNio {
    private final Contender ours;
    private final Contender own;
    private final Contender kernel;
    private final Contender zip;

    /** What bare memory does, beside the kernel; null if it cannot. */
    private Contender bare;

    ByNio(Race race, Contender ours, double units, NioWork work) {
      this.ours = ours;
      this.own = race.add(ours.name() + ImageFigures.BY_NIO, units, () -> work.in(roots.own));
      this.kernel =
          roots
              .mounted
              .map(root -> race.add(ImageFigures.MOUNTED, units, () -> work.in(root)))
              .orElse(null);
      this.zip = race.add(ImageFigures.ZIPPED, units, () -> work.in(roots.zipped));
    }

    void addFigures(SequencedMap<String, String> params, String unit) {
      for (Contender each : List.of(ours, own)) {
        add(each, params, unit, kernel, LoopMount.MISSING);
        if (bare != null && kernel != null) {
          Limit limit = new Limit(bare.median(), kernel.median(), SHARE_OF_BARE);
          figures.add(figures.removeLast().withLimit(limit));
        }
        add(each, params, unit, zip, "");
      }
    }
  }

  private static long read(Path file, MemorySegment target) throws IOException {
    ByteBuffer buffer = target.asByteBuffer();
    long sum = 0;
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      for (int read; (read = channel.read(buffer.clear())) >= 0; ) {
        sum += read;
      }
    }
    return sum;
  }

  private void names(FsImage fs) throws IOException {
    Inode folder = PathResolver.resolve(fs, FOLDER, true);
    SequencedMap<String, String> params = params("format", tool.driver(), "names", "100,000");
    Race race = new Race(ImageFigures.ROUNDS, Race.WALL_CLOCK);
    Contender ours =
        race.add(
            "list a directory",
            NAMES,
            () -> {
              long[] sum = new long[1];
              fs.list(
                  folder,
                  (name, inode, type) -> {
                    sum[0] += name.length();
                    return true;
                  });
              return sum[0];
            });
    ByNio all = new ByNio(race, ours, NAMES, root -> list(root.resolve(FOLDER)));
    race.run();
    all.addFigures(params, "ns/name");
    find(fs, folder);
  }

  private static long list(Path folder) throws IOException {
    long sum = 0;
    try (DirectoryStream<Path> names = Files.newDirectoryStream(folder)) {
      for (Path each : names) {
        sum += each.getNameCount();
      }
    }
    return sum;
  }

  private void find(FsImage fs, Inode folder) throws IOException {
    SequencedMap<String, String> params = params("format", tool.driver(), "names", "100,000");
    Random random = new Random(42);
    FileName[] names = new FileName[1 << 12];
    for (int i = 0; i < names.length; i++) {
      names[i] = FileName.of(name(random.nextInt(NAMES)));
    }
    Race race = new Race(ImageFigures.ROUNDS, Race.WALL_CLOCK);
    Contender ours =
        race.add(
            "find a name",
            names.length,
            () -> {
              long sum = 0;
              for (FileName each : names) {
                sum += fs.inode(fs.find(folder, each)).number();
              }
              return sum;
            });
    ByNio all = new ByNio(race, ours, names.length, root -> find(root.resolve(FOLDER), names));
    race.run();
    all.addFigures(params, "ns/name");
  }

  private static long find(Path folder, FileName[] names) throws IOException {
    long sum = 0;
    for (FileName each : names) {
      sum += Files.size(folder.resolve(each.toString()));
    }
    return sum;
  }

  private void add(
      Contender ours,
      SequencedMap<String, String> params,
      String unit,
      Contender peer,
      String missing) {
    figures.add(
        peer != null
            ? Figure.of(ours, params, unit, peer, Goal.ahead(1))
            : Figure.ofMissing(ours, params, unit, missing, Goal.ahead(1)));
  }
}
