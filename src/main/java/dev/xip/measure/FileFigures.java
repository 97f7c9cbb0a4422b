package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Pages;
import dev.xip.file.WholeFile;
import dev.xip.host.Libxip;
import dev.xip.host.RewiredView;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.machine.ImageMount;
import dev.xip.machine.PackFormat;
import dev.xip.machine.Packer;
import dev.xip.machine.ProgressListener;
import dev.xip.measure.Race.Lane;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A file's own read, the sum of it, and files in fragments through a view that is in one piece. */
final class FileFigures {
  private static final String COPY = "MemorySegment.copy";
  private static final long FILE_BYTES = 256L << 20;

  /** As many single pages as the budget of mappings has room for, and some room left. */
  private static final long VIEW_BYTES = 48L << 20;

  private static final int PAGE = (int) Pages.SIZE;
  private static final int PIECE = 1 << 20;
  private static final int COPIES = 512;
  private static final int READS = 1 << 14;
  private static final int PLACES = 1 << 16;

  private FileFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    Path work = Files.createTempDirectory(folder, "xip-bench");
    try {
      reads(work, figures);
    } finally {
      WorkTree.delete(work);
    }
    try (MappedFile file = MappedFile.create(folder, VIEW_BYTES)) {
      singlePages(file, figures);
      largeCopies(file, figures);
    }
    return figures;
  }

  private static void reads(Path work, List<Figure> figures) throws IOException {
    Path tree = Files.createDirectory(work.resolve("tree"));
    byte[] chunk = new byte[PIECE];
    new Random(42).nextBytes(chunk);
    try (OutputStream out = Files.newOutputStream(tree.resolve("file"))) {
      for (long at = 0; at < FILE_BYTES; at += PIECE) {
        out.write(chunk);
      }
    }
    Path image = work.resolve("image");
    try {
      Packer.pack(tree, image, PackFormat.EXT2, ProgressListener.NONE);
    } catch (InterruptedException e) {
      throw new IOException("packing " + tree + " was interrupted", e);
    }
    try (Arena arena = Arena.ofConfined();
        ImageMount mount = ImageMount.open(image);
        FileChannel channel = FileChannel.open(tree.resolve("file"))) {
      Inode inode = PathResolver.resolve(mount.image(), "file", true);
      FileContent content = FileContent.of(mount.image(), inode);
      race(mount.image().memory(), content, channel, arena.allocate(PAGE, PAGE), figures);
      sums(mount, inode, figures);
    }
  }

  private static void race(
      MemorySegment image,
      FileContent content,
      FileChannel channel,
      MemorySegment page,
      List<Figure> figures)
      throws IOException {
    long[] places =
        new Random(42).longs(PLACES, 0, FILE_BYTES / PAGE).map(number -> number * PAGE).toArray();
    long[] inImage = new long[PLACES];
    for (int i = 0; i < PLACES; i++) {
      inImage[i] = content.blockMap().imageOffset(places[i]);
    }
    ByteBuffer buffer = page.asByteBuffer();
    int[] next = new int[3];
    Race race = new Race();
    Lane raw =
        race.lane(
            COPIES,
            () -> {
              int at = next[0];
              for (int i = 0; i < COPIES; i++) {
                MemorySegment.copy(image, inImage[at + i], page, 0, PAGE);
              }
              next[0] = at + COPIES & PLACES - 1;
              return at;
            });
    Lane ours =
        race.lane(
            COPIES,
            () -> {
              int at = next[1];
              for (int i = 0; i < COPIES; i++) {
                content.read(places[at + i], page);
              }
              next[1] = at + COPIES & PLACES - 1;
              return at;
            });
    Lane peer =
        race.lane(
            COPIES,
            () -> {
              int at = next[2];
              for (int i = 0; i < COPIES; i++) {
                channel.read(buffer.clear(), places[at + i]);
              }
              next[2] = at + COPIES & PLACES - 1;
              return at;
            });
    race.run();
    String name = "random 4 KiB reads of a file";
    figures.add(
        new Figure(
            name,
            params("bytes", "256 MiB"),
            "ns/read",
            ours.median(),
            COPY,
            raw.median(),
            Goal.times(1.05)));
    figures.add(
        new Figure(
            name,
            params("bytes", "256 MiB"),
            "ns/read",
            ours.median(),
            "FileChannel.read",
            peer.median(),
            Goal.ahead(1.8)));
  }

  /** C adds up as much of the image, which lies in the page cache like the file in it does. */
  private static void sums(ImageMount mount, Inode inode, List<Figure> figures) throws IOException {
    Libxip libxip = Libxip.get();
    MemorySegment mapped = mount.image().memory().asSlice(0, FILE_BYTES);
    try (WholeFile whole = mount.whole(inode)) {
      MemorySegment file = whole.memory();
      Race race = new Race();
      Lane loop = race.lane(FILE_BYTES >>> 3, () -> libxip.sumOfLongs(mapped));
      Lane ours = race.lane(FILE_BYTES >>> 3, () -> sum(file));
      race.run();
      figures.add(
          new Figure(
              "sum of a mapped file",
              params("bytes", "256 MiB"),
              "ns/long",
              ours.median(),
              "C loop, -O2",
              loop.median(),
              Goal.ahead(0.95)));
    }
  }

  private static long sum(MemorySegment file) {
    long sum = 0;
    for (long at = 0; at < FILE_BYTES; at += Long.BYTES) {
      sum += file.get(ValueLayout.JAVA_LONG, at);
    }
    return sum;
  }

  /** Shows the scattered file in one piece. */
  private static RewiredView view(MappedFile file, long extentPages) throws IOException {
    MappedFile.ScatteredFile scattered = file.scattered(extentPages);
    long extent = extentPages << Pages.SHIFT;
    List<RewiredView.Piece> pieces = new ArrayList<>();
    for (long at = 0; at < scattered.size(); at += extent) {
      pieces.add(new RewiredView.Piece(at, file.raw().asSlice(scattered.place(at), extent)));
    }
    return RewiredView.of(scattered.size(), pieces);
  }

  private static void singlePages(MappedFile file, List<Figure> figures) throws IOException {
    int[] places = new Random(42).ints(PLACES, 0, (int) (VIEW_BYTES / 8)).toArray();
    try (RewiredView view = view(file, 1)) {
      Race race = new Race();
      Lane raw = race.lane(READS, new Reads(file.raw(), places));
      Lane ours = race.lane(READS, new Reads(view.memory(), places));
      race.run();
      figures.add(
          new Figure(
              "random 8-byte reads",
              params("view of", "single pages"),
              "ns/read",
              ours.median(),
              "raw",
              raw.median(),
              Goal.times(1.15)));
    }
  }

  /** Reads at places known beforehand. */
  private static final class Reads implements Race.Work {
    private final MemorySegment mem;
    private final int[] places;
    private int next;

    Reads(MemorySegment mem, int[] places) {
      this.mem = mem;
      this.places = places;
    }

    @Override
    public long run() {
      long sum = 0;
      int at = next;
      for (int i = 0; i < READS; i++) {
        sum += mem.get(ValueLayout.JAVA_LONG_UNALIGNED, (long) places[at + i] << 3);
      }
      next = at + READS & PLACES - 1;
      return sum;
    }
  }

  private static void largeCopies(MappedFile file, List<Figure> figures) throws IOException {
    try (Arena arena = Arena.ofConfined();
        RewiredView view = view(file, 4)) {
      MemorySegment target = arena.allocate(PIECE, PAGE);
      MemorySegment rewired = view.memory();
      long[] at = new long[2];
      Race race = new Race();
      Lane raw =
          race.lane(
              1,
              () -> {
                MemorySegment.copy(file.raw(), at[0], target, 0, PIECE);
                at[0] = (at[0] + PIECE) % VIEW_BYTES;
                return at[0];
              });
      Lane ours =
          race.lane(
              1,
              () -> {
                MemorySegment.copy(rewired, at[1], target, 0, PIECE);
                at[1] = (at[1] + PIECE) % VIEW_BYTES;
                return at[1];
              });
      race.run();
      figures.add(
          new Figure(
              "sequential 1 MiB copies",
              params("view of", "4 pages"),
              "ns/copy",
              ours.median(),
              COPY + ", contiguous",
              raw.median(),
              Goal.ahead(0.75)));
    }
  }
}
