package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.measure.Race.Lane;
import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Name, attributes and first page of files in one image, beside the kernel's mount and a zip. */
final class NameFigures {
  private static final int FILES = 100_000;
  private static final int PAGE = 4096;

  private NameFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    byte[] content = new byte[PAGE];
    new Random(42).nextBytes(content);
    try (WorkTree work = WorkTree.create(folder, FILES, content)) {
      try (OpenImage mount = OpenImage.open(work.image());
          FileSystem zipFs = FileSystems.newFileSystem(work.zip())) {
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

  private static List<Figure> race(OpenImage mount, Optional<Path> loop, Path zip)
      throws IOException {
    Race race = new Race();
    Lane ours = race.lane(Visits.VISITS, Visits.in(mount.image(), FILES));
    Optional<Lane> mounted = Optional.empty();
    if (loop.isPresent()) {
      mounted = Optional.of(race.lane(Visits.VISITS, Visits.in(loop.get(), FILES)));
    }
    Lane zipped = race.lane(Visits.VISITS, Visits.in(zip, FILES));
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
}
