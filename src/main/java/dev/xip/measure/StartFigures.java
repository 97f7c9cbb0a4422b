package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.host.HostPaths;
import dev.xip.host.ScratchFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The time from the start of a JVM to the first byte of a mapped file, as a program sees it that
 * has xip on its class path; also with an ahead-of-time cache of its classes (JEP 514).
 */
final class StartFigures {
  /** The first byte of the file. */
  static final byte FIRST = 42;

  private static final String FILE = "folder/file";
  private static final String START = "JVM start to first mapped byte";
  private static final String CACHED = "the same, with an AOT cache";
  private static final String NOTHING = "a JVM that does nothing";
  private static final double MOST_MILLIS = 100;

  /** One start warms the caches and 21 count. */
  private static final Race.Rounds ROUNDS = new Race.Rounds(1, 0, 21, 21, 0);

  private StartFigures() {}

  static void measure(Path folder, List<Figure> figures) throws IOException {
    try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-bench")) {
      Path tree = Files.createDirectory(scratch.path().resolve("tree"));
      Path file = tree.resolve(FILE);
      Files.createDirectory(file.getParent());
      Files.write(file, new byte[] {FIRST});
      for (ImageTool tool : ImageTool.values()) {
        Path image = scratch.path().resolve(tool.driver());
        tool.pack(tree, image);
        measure(tool, image, scratch.path().resolve(tool.driver() + ".aot"), figures);
      }
    }
  }

  private static void measure(ImageTool tool, Path image, Path cache, List<Figure> figures)
      throws IOException {
    String[] arguments = {HostPaths.text(image), FILE};
    ProcessFigures.run(java("-XX:AOTCacheOutput=" + HostPaths.text(cache), arguments));
    String cached = "-XX:AOTCache=" + HostPaths.text(cache);
    Race race = new Race(ROUNDS, Race.WALL_CLOCK);
    Contender nothing = race.add(NOTHING, 1e6, () -> ProcessFigures.run(java("-Xshare:auto")));
    Contender plain =
        race.add(START, 1e6, () -> ProcessFigures.run(java("-Xshare:auto", arguments)));
    Contender quick = race.add(CACHED, 1e6, () -> ProcessFigures.run(java(cached, arguments)));
    race.run();
    for (Contender each : List.of(plain, quick)) {
      figures.add(
          new Figure(
              each.name(),
              params("format", tool.driver()),
              "ms",
              each.median(),
              nothing.name(),
              nothing.median(),
              Goal.atMost(MOST_MILLIS)));
    }
  }

  /** The command that runs {@link FirstByte} with the classes and the library of this process. */
  private static List<String> java(String option, String... arguments) throws IOException {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> words =
        new ArrayList<>(
            List.of(HostPaths.text(java), option, "--enable-native-access=ALL-UNNAMED"));
    String library = System.getProperty("xip.library");
    if (library != null) {
      words.add("-Dxip.library=" + library);
    }
    words.addAll(
        List.of("-cp", HostPaths.text(ProcessFigures.classes()), FirstByte.class.getName()));
    words.addAll(List.of(arguments));
    return words;
  }
}
