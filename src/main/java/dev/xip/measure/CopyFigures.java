package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Pages;
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
  private static final String UNIT = "ns/copy";
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
    Contender raw = race.add(COPY, Copies.PAGES, Copies.raw(file.raw(), places, target));
    Contender ours =
        race.add(
            "random 4 KiB copies",
            Copies.PAGES,
            Copies.together(view.reader(), view.start(), places, target));
    Contender calls = race.add(CHANNEL, Copies.PAGES, Copies.calls(file.channel(), places, target));
    race.run();
    String atOnce = Integer.toString(Copies.AT_ONCE);
    SequencedMap<String, String> params = params("bytes", "1 GiB", "in calls of", atOnce);
    figures.add(Figure.of(ours, params, UNIT, raw, Goal.times(1.05)));
    figures.add(ahead(ours, params, calls, Goal.ahead(1.8), raw));
  }

  private static void inOrder(
      MappedFile file, MappedFile.View view, MemorySegment target, List<Figure> figures)
      throws IOException {
    Race race = new Race();
    Contender raw = race.add(COPY, 1, Copies.rawPieces(file.raw(), target));
    Contender ours =
        race.add(IN_ORDER, 1, Copies.pieces(view.reader(), view.start(), BYTES, target));
    Contender calls = race.add(CHANNEL, 1, Copies.pieceCalls(file.channel(), BYTES, target));
    race.run();
    SequencedMap<String, String> params = params("extents", "1");
    figures.add(Figure.of(ours, params, UNIT, raw, Goal.ahead(0.97)));
    figures.add(ahead(ours, params, calls, Goal.ahead(1.5), raw));
  }

  private static void extents(MappedFile file, MemorySegment target, List<Figure> figures)
      throws IOException {
    MappedFile.ScatteredFile scattered = file.scattered(EXTENT_PAGES);
    try (MappedFile.View view = file.map(scattered)) {
      Race race = new Race();
      Contender raw = race.add(COPY + " of the extents", 1, Copies.rawExtents(scattered, target));
      Contender ours =
          race.add(IN_ORDER, 1, Copies.pieces(view.reader(), view.start(), BYTES, target));
      race.run();
      figures.add(Figure.of(ours, params("extents", "of 4 pages"), UNIT, raw, Goal.ahead(0.95)));
    }
  }

  /** A figure that must be ahead of system calls, with how far ahead bare memory is. */
  private static Figure ahead(
      Contender ours,
      SequencedMap<String, String> params,
      Contender calls,
      Goal goal,
      Contender raw) {
    return Figure.of(ours, params, UNIT, calls, goal)
        .withLimit(new Limit(raw.median(), calls.median(), 0.95));
  }
}
