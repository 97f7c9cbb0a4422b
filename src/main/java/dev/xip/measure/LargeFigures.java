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
  private static final String FILE = "file";
  private static final String FOLDER = "names";

  private final ImageTool tool;
  private final Path image;
  private final List<Figure> figures;

  private LargeFigures(ImageTool tool, Path image, List<Figure> figures) {
    this.tool = tool;
    this.image = image;
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
            FileSystem zipped = FileSystems.newFileSystem(zip)) {
          LargeFigures large = new LargeFigures(tool, image, figures);
          large.file(mount, loop.map(LoopMount::root), zipped.getPath("/"));
          large.names(mount.image(), loop.map(LoopMount::root), zipped.getPath("/"));
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
  private void file(OpenImage mount, Optional<Path> mounted, Path zipped) throws IOException {
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
      SequencedMap<String, String> params = params("format", tool.driver(), "bytes", "1 GiB");
      Contender kernel =
          mounted.isEmpty()
              ? null
              : race.add(
                  ImageFigures.MOUNTED, 1e6, () -> read(mounted.get().resolve(FILE), target));
      Contender zip = race.add(ImageFigures.ZIPPED, 1e6, () -> read(zipped.resolve(FILE), target));
      Contender debugfs = null;
      if (tool == ImageTool.EXT4 && ImageTool.isHere("debugfs")) {
        String name = HostPaths.text(image);
        debugfs =
            race.add("debugfs", 1e6, () -> ImageTool.run("debugfs", "-R", "cat " + FILE, name));
      }
      race.run();
      add(ours, params, "ms", kernel, true);
      add(ours, params, "ms", zip, false);
      add(ours, params, "ms", debugfs, false);
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

  private void names(FsImage fs, Optional<Path> mounted, Path zipped) throws IOException {
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
    Contender kernel =
        mounted.isEmpty()
            ? null
            : race.add(ImageFigures.MOUNTED, NAMES, () -> list(mounted.get().resolve(FOLDER)));
    Contender zip = race.add(ImageFigures.ZIPPED, NAMES, () -> list(zipped.resolve(FOLDER)));
    race.run();
    add(ours, params, "ns/name", kernel, true);
    add(ours, params, "ns/name", zip, false);
    find(fs, folder, mounted, zipped);
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

  private void find(FsImage fs, Inode folder, Optional<Path> mounted, Path zipped)
      throws IOException {
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
    Contender kernel =
        mounted.isEmpty()
            ? null
            : race.add(
                ImageFigures.MOUNTED,
                names.length,
                () -> find(mounted.get().resolve(FOLDER), names));
    Contender zip =
        race.add(ImageFigures.ZIPPED, names.length, () -> find(zipped.resolve(FOLDER), names));
    race.run();
    add(ours, params, "ns/name", kernel, true);
    add(ours, params, "ns/name", zip, false);
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
      boolean mount) {
    if (peer != null) {
      figures.add(Figure.of(ours, params, unit, peer, Goal.ahead(1)));
    } else if (mount) {
      figures.add(Figure.ofMissing(ours, params, unit, LoopMount.MISSING, Goal.ahead(1)));
    }
  }
}
