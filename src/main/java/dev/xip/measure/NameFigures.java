package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.mount.OpenImage;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;

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
    Contender ours =
        race.add(
            "name, attributes, 4 KiB", NameLookups.LOOKUPS, NameLookups.in(mount.image(), FILES));
    Contender mounted = null;
    if (loop.isPresent()) {
      mounted =
          race.add(
              "java.nio on the loop mount", NameLookups.LOOKUPS, NameLookups.in(loop.get(), FILES));
    }
    Contender zipped = race.add("zipfs, stored", NameLookups.LOOKUPS, NameLookups.in(zip, FILES));
    race.run();
    SequencedMap<String, String> params = params("files", "100,000");
    return List.of(
        mounted == null
            ? Figure.ofMissing(ours, params, "ns/file", LoopMount.MISSING, Goal.ahead(1))
            : Figure.of(ours, params, "ns/file", mounted, Goal.ahead(1)),
        Figure.of(ours, params, "ns/file", zipped, Goal.ahead(1)));
  }
}
