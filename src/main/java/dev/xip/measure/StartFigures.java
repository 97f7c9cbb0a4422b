package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.host.HostPaths;
import dev.xip.host.Libxip;
import dev.xip.host.ScratchFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/**
 * The time from the start of a JVM to the first byte of a mapped file, as a program in a jar sees
 * it that has xip on its class path and libxip.so in a file; also with an ahead-of-time cache of
 * its classes (JEP 514), and with libxip.so in xip's jar alone, for which a JVM must link its first
 * native call. The manifest of the program permits native calls: the option of the command does
 * that too, but keeps the JVM from using its archive of modules, which takes 5 ms.
 */
final class StartFigures {
  /** The first byte of the file. */
  static final byte FIRST = 42;

  private static final String FILE = "folder/file";
  private static final String START = "JVM start to first mapped byte";
  private static final String CACHED = "the same, with an AOT cache";
  private static final String PACKED = "the same, with libxip.so in the jar alone";
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
      Path program = program(scratch.path().resolve("program"));
      Path library = program.resolveSibling("native/libxip.so");
      Files.createDirectory(library.getParent());
      copyLibrary(Libxip.get().place(), library);
      Path packed = program(scratch.path().resolve("packed"));
      for (ImageTool tool : ImageTool.values()) {
        Path image = scratch.path().resolve(tool.driver());
        tool.pack(tree, image);
        measure(tool, program, packed, image, figures);
      }
    }
  }

  /**
   * Makes a folder with a jar that runs {@link FirstByte} and a copy of the jar of this process.
   */
  private static Path program(Path folder) throws IOException {
    Path own = ProcessFigures.classes();
    if (!Files.isRegularFile(own)) {
      throw new IOException(own + ": expected the jar to measure, found a folder");
    }
    Path classes = Files.createDirectory(folder).resolve("xip.jar");
    Files.copy(own, classes);
    Manifest manifest = new Manifest();
    Attributes main = manifest.getMainAttributes();
    main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    main.put(Attributes.Name.MAIN_CLASS, FirstByte.class.getName());
    main.put(Attributes.Name.CLASS_PATH, classes.getFileName().toString());
    main.putValue("Enable-Native-Access", "ALL-UNNAMED");
    Path jar = folder.resolve("program.jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return jar;
  }

  /** Copies the library from the file, or the entry of the jar, in which it was found. */
  static void copyLibrary(String place, Path to) throws IOException {
    if (Path.of(place).isAbsolute()) {
      Files.copy(Path.of(place), to);
      return;
    }
    String entry = place.substring(place.lastIndexOf('!') + 1);
    try (InputStream packed = StartFigures.class.getResourceAsStream(entry)) {
      if (packed == null) {
        throw new NoSuchFileException(place);
      }
      Files.copy(packed, to);
    }
  }

  private static void measure(
      ImageTool tool, Path program, Path packed, Path image, List<Figure> figures)
      throws IOException {
    String[] arguments = {HostPaths.text(image), FILE};
    String cache = HostPaths.text(image) + ".aot";
    ProcessFigures.run(java("-XX:AOTCacheOutput=" + cache, program, arguments));
    Race race = new Race(ROUNDS, Race.WALL_CLOCK);
    Contender nothing = race.add(NOTHING, 1e6, run("-Xshare:auto", program));
    Contender plain = race.add(START, 1e6, run("-Xshare:auto", program, arguments));
    Contender quick = race.add(CACHED, 1e6, run("-XX:AOTCache=" + cache, program, arguments));
    Contender slow = race.add(PACKED, 1e6, run("-Xshare:auto", packed, arguments));
    race.run();
    for (Contender each : List.of(plain, quick, slow)) {
      figures.add(
          new Figure(
              each.name(),
              params("format", tool.driver()),
              "ms",
              each.median(),
              nothing.name(),
              nothing.median(),
              each == slow ? Goal.NONE : Goal.atMost(MOST_MILLIS)));
    }
  }

  private static Workload run(String option, Path program, String... arguments) {
    List<String> command = java(option, program, arguments);
    return () -> ProcessFigures.run(command);
  }

  private static List<String> java(String option, Path program, String... arguments) {
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    List<String> words =
        new ArrayList<>(List.of(HostPaths.text(java), option, "-jar", HostPaths.text(program)));
    words.addAll(List.of(arguments));
    return words;
  }
}
