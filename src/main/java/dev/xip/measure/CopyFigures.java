package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Pages;
import dev.xip.measure.Race.Lane;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;

/** Copies out of a mapped file into native memory, beside MemorySegment.copy and a system call. */
final class CopyFigures {
  private static final String COPY = "MemorySegment.copy";
  private static final String CHANNEL = "FileChannel.read";
  private static final String IN_ORDER = "sequential 1 MiB copies";
  private static final long BYTES = 1L << 30;
  private static final long EXTENT_PAGES = 4;

  private CopyFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    List<Figure> figures = new ArrayList<>();
    try (Arena arena = Arena.ofConfined();
        MappedFile file = MappedFile.create(folder, BYTES)) {
      MemorySegment target = arena.allocate(Copies.PIECE, Pages.SIZE);
      try (MappedFile.View view = file.map(file.contiguous())) {
        pages(file, view, target, figures);
        inOrder(file, view, target, figures);
      }
      extents(file, target, figures);
    }
    return figures;
  }

  private static void pages(
      MappedFile file, MappedFile.View view, MemorySegment target, List<Figure> figures)
      throws IOException {
    long[] places = Copies.places(BYTES);
    Race race = new Race();
    Lane raw = race.lane(Copies.PAGES, Copies.raw(file.raw(), places, target));
    Lane ours =
        race.lane(Copies.PAGES, Copies.together(view.reader(), view.start(), places, target));
    Lane calls = race.lane(Copies.PAGES, Copies.calls(file.channel(), places, target));
    race.run();
    String name = "random 4 KiB copies";
    String atOnce = Integer.toString(Copies.AT_ONCE);
    SequencedMap<String, String> params = params("bytes", "1 GiB", "in calls of", atOnce);
    figures.add(figure(name, params, ours, COPY, raw, Goal.times(1.05)));
    figures.add(ahead(name, params, ours, calls, Goal.ahead(1.8), raw));
  }

  private static void inOrder(
      MappedFile file, MappedFile.View view, MemorySegment target, List<Figure> figures)
      throws IOException {
    Race race = new Race();
    Lane raw = race.lane(1, Copies.rawPieces(file.raw(), target));
    Lane ours = race.lane(1, Copies.pieces(view.reader(), view.start(), BYTES, target));
    Lane calls = race.lane(1, Copies.pieceCalls(file.channel(), BYTES, target));
    race.run();
    figures.add(figure(IN_ORDER, params("extents", "1"), ours, COPY, raw, Goal.ahead(0.97)));
    figures.add(ahead(IN_ORDER, params("extents", "1"), ours, calls, Goal.ahead(1.5), raw));
  }

  private static void extents(MappedFile file, MemorySegment target, List<Figure> figures)
      throws IOException {
    MappedFile.ScatteredFile scattered = file.scattered(EXTENT_PAGES);
    try (MappedFile.View view = file.map(scattered)) {
      Race race = new Race();
      Lane raw = race.lane(1, Copies.rawExtents(scattered, target));
      Lane ours = race.lane(1, Copies.pieces(view.reader(), view.start(), BYTES, target));
      race.run();
      figures.add(
          figure(
              IN_ORDER,
              params("extents", "of 4 pages"),
              ours,
              COPY + " of the extents",
              raw,
              Goal.ahead(0.95)));
    }
  }

  private static Figure ahead(
      String name,
      SequencedMap<String, String> params,
      Lane ours,
      Lane calls,
      Goal goal,
      Lane raw) {
    return new Figure(
        name,
        params,
        "ns/copy",
        ours.median(),
        CHANNEL,
        calls.median(),
        goal,
        new Limit(raw.median(), calls.median(), 0.95));
  }

  private static Figure figure(
      String name,
      SequencedMap<String, String> params,
      Lane ours,
      String against,
      Lane other,
      Goal goal) {
    return new Figure(name, params, "ns/copy", ours.median(), against, other.median(), goal);
  }
}
