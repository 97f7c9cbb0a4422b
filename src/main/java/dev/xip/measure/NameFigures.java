package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.image.FileContent;
import dev.xip.image.FsImage;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.machine.ImageMount;
import dev.xip.measure.Race.Lane;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Name, attributes and first page of files in one image, beside the kernel's mount and a zip. */
final class NameFigures {
  private static final int FILES = 100_000;
  private static final int PAGE = 4096;
  private static final int VISITS = 256;

  private NameFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    byte[] content = new byte[PAGE];
    new Random(42).nextBytes(content);
    try (WorkTree work = WorkTree.create(folder, FILES, content)) {
      Path zip = work.folder().resolve("zip");
      writeStored(zip, content);
      try (ImageMount mount = ImageMount.open(work.image());
          FileSystem zipFs = FileSystems.newFileSystem(zip)) {
        Optional<LoopMount> loop = LoopMount.of(work.image(), work.folder());
        try {
          return race(mount, loop.map(LoopMount::root), zipFs.getPath("/"));
        } finally {
          if (loop.isPresent()) {
            loop.get().close();
          }
        }
      }
    }
  }

  private static List<Figure> race(ImageMount mount, Optional<Path> loop, Path zip)
      throws IOException {
    Race race = new Race();
    Lane ours = race.lane(VISITS, new ImageVisits(mount.image()).warm());
    Optional<Lane> mounted = Optional.empty();
    if (loop.isPresent()) {
      mounted = Optional.of(race.lane(VISITS, new PathVisits(loop.get()).warm()));
    }
    Lane zipped = race.lane(VISITS, new PathVisits(zip).warm());
    race.run();
    String name = "name, attributes, 4 KiB";
    List<Figure> figures = new ArrayList<>();
    figures.add(
        new Figure(
            name,
            params("files", "100,000"),
            "ns/file",
            ours.median(),
            loop.isPresent() ? "java.nio on the loop mount" : "the loop mount, which is root's",
            mounted.map(Lane::median).orElse(Double.NaN),
            Goal.ahead(1)));
    figures.add(
        new Figure(
            name,
            params("files", "100,000"),
            "ns/file",
            ours.median(),
            "zipfs, stored",
            zipped.median(),
            Goal.ahead(1)));
    return figures;
  }

  private static void writeStored(Path zip, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    try (OutputStream out = Files.newOutputStream(zip);
        ZipOutputStream entries = new ZipOutputStream(out)) {
      for (int i = 0; i < FILES; i++) {
        ZipEntry entry = new ZipEntry(WorkTree.path(i));
        entry.setMethod(ZipEntry.STORED);
        entry.setSize(content.length);
        entry.setCrc(crc.getValue());
        entries.putNextEntry(entry);
        entries.write(content);
      }
    }
  }

  /** Random files, the same ones for every competitor. */
  private abstract static class Visits implements Race.Work {
    private final Random random = new Random(42);

    @Override
    public long run() throws IOException {
      long sum = 0;
      for (int i = 0; i < VISITS; i++) {
        sum += visit(WorkTree.path(random.nextInt(FILES)));
      }
      return sum;
    }

    /** Visits all files once, so that what the race meets is warm for everybody. */
    Visits warm() throws IOException {
      for (int i = 0; i < FILES; i++) {
        visit(WorkTree.path(i));
      }
      return this;
    }

    abstract long visit(String path) throws IOException;
  }

  /** In place. */
  private static final class ImageVisits extends Visits {
    private final FsImage image;
    private final MemorySegment page = MemorySegment.ofArray(new byte[PAGE]);

    ImageVisits(FsImage image) {
      this.image = image;
    }

    @Override
    long visit(String path) throws IOException {
      Inode inode = PathResolver.resolve(image, path, true);
      long read = FileContent.of(image, inode).read(0, page);
      return inode.size() + inode.number() + read;
    }
  }

  /** Through java.nio. */
  private static final class PathVisits extends Visits {
    private final Path root;
    private final ByteBuffer page = ByteBuffer.allocate(PAGE);

    PathVisits(Path root) {
      this.root = root;
    }

    @Override
    long visit(String path) throws IOException {
      Path file = root.resolve(path);
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      try (SeekableByteChannel channel = Files.newByteChannel(file)) {
        page.clear();
        while (page.hasRemaining() && channel.read(page) >= 0) {
          continue;
        }
      }
      return attributes.size() + attributes.lastModifiedTime().toMillis() + page.position();
    }
  }
}
