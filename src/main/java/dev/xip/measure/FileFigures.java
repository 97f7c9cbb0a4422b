package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.file.WholeFile;
import dev.xip.host.Libxip;
import dev.xip.host.RewiredView;
import dev.xip.host.ScratchFolder;
import dev.xip.image.FileContent;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mount.OpenImage;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;

/** Reads of a file, the sum of its longs, and fragmented files through a contiguous view. */
final class FileFigures {
  private static final String COPY = "MemorySegment.copy";
  private static final long FILE_BYTES = 256L << 20;

  /** In single pages this leaves room in the mapping budget. */
  private static final long VIEW_BYTES = 48L << 20;

  private FileFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-bench")) {
      reads(scratch.path(), figures);
    }
    try (MappedFile file = MappedFile.create(folder, VIEW_BYTES)) {
      singlePages(file, figures);
      largeCopies(file, figures);
    }
    return figures;
  }

  private static void reads(Path work, List<Figure> figures) throws IOException {
    Path tree = Files.createDirectory(work.resolve("tree"));
    byte[] chunk = new byte[Copies.PIECE];
    new Random(42).nextBytes(chunk);
    try (OutputStream out = Files.newOutputStream(tree.resolve("file"))) {
      for (long at = 0; at < FILE_BYTES; at += Copies.PIECE) {
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
        OpenImage mount = OpenImage.open(image);
        FileChannel channel = FileChannel.open(tree.resolve("file"))) {
      Inode inode = PathResolver.resolve(mount.image(), "file", true);
      FileContent content = FileContent.of(mount.image(), inode);
      race(
          mount.image().memory(),
          content,
          channel,
          arena.allocate(Pages.SIZE, Pages.SIZE),
          figures);
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
    long[] places = Copies.places(FILE_BYTES);
    long[] inImage = new long[places.length];
    for (int i = 0; i < places.length; i++) {
      inImage[i] = content.blockMap().imageOffset(places[i]);
    }
    Race race = new Race();
    Contender raw = race.add(COPY, Copies.PAGES, Copies.raw(image, inImage, page));
    Contender ours =
        race.add("random 4 KiB reads of a file", Copies.PAGES, Copies.reads(content, places, page));
    Contender peer =
        race.add("FileChannel.read", Copies.PAGES, Copies.calls(channel, places, page));
    race.run();
    SequencedMap<String, String> params = params("bytes", "256 MiB");
    figures.add(Figure.of(ours, params, "ns/read", raw, Goal.times(1.05)));
    figures.add(
        Figure.of(ours, params, "ns/read", peer, Goal.ahead(1.8))
            .withLimit(new Limit(raw.median(), peer.median(), 0.95)));
  }

  /** Held against a C loop over as much of the image, which is in the page cache like the file. */
  private static void sums(OpenImage mount, Inode inode, List<Figure> figures) throws IOException {
    Libxip libxip = Libxip.get();
    MemorySegment mapped = mount.image().memory().asSlice(0, FILE_BYTES);
    try (WholeFile whole = mount.whole(inode)) {
      MemorySegment file = whole.memory();
      Race race = new Race();
      long longs = FILE_BYTES >>> 3;
      Contender loop = race.add("C loop, -O2", longs, () -> libxip.sumOfLongs(mapped));
      Contender ours = race.add("sum of a mapped file", longs, () -> sum(file));
      race.run();
      figures.add(Figure.of(ours, params("bytes", "256 MiB"), "ns/long", loop, Goal.ahead(0.95)));
    }
  }

  /** Adds up in four sums, which the compiler vectorizes; it leaves a single sum scalar. */
  private static long sum(MemorySegment file) {
    long first = 0;
    long second = 0;
    long third = 0;
    long fourth = 0;
    for (long at = 0; at < FILE_BYTES; at += 4 * Long.BYTES) {
      first += file.get(ValueLayout.JAVA_LONG, at);
      second += file.get(ValueLayout.JAVA_LONG, at + Long.BYTES);
      third += file.get(ValueLayout.JAVA_LONG, at + 2 * Long.BYTES);
      fourth += file.get(ValueLayout.JAVA_LONG, at + 3 * Long.BYTES);
    }
    return first + second + third + fourth;
  }

  /** Maps a scattered file contiguously. */
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
    int[] places = Reads.places(VIEW_BYTES);
    try (RewiredView view = view(file, 1)) {
      Race race = new Race();
      Contender raw = race.add("raw", Reads.READS, Reads.raw(file.raw(), places));
      Contender ours =
          race.add("random 8-byte reads", Reads.READS, Reads.raw(view.memory(), places));
      race.run();
      figures.add(
          Figure.of(ours, params("view of", "single pages"), "ns/read", raw, Goal.times(1.15)));
    }
  }

  private static void largeCopies(MappedFile file, List<Figure> figures) throws IOException {
    try (Arena arena = Arena.ofConfined();
        RewiredView view = view(file, 4)) {
      MemorySegment target = arena.allocate(Copies.PIECE, Pages.SIZE);
      Race race = new Race();
      Contender raw = race.add(COPY + ", contiguous", 1, Copies.rawPieces(file.raw(), target));
      Contender ours =
          race.add("sequential 1 MiB copies", 1, Copies.rawPieces(view.memory(), target));
      race.run();
      figures.add(Figure.of(ours, params("view of", "4 pages"), "ns/copy", raw, Goal.ahead(0.75)));
    }
  }
}
