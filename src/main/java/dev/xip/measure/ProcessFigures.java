package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.ProgressListener;
import dev.xip.host.HostPaths;
import dev.xip.host.HostProcess;
import dev.xip.host.ScratchFolder;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.SequencedMap;

/** Whole processes: start-up of the command and a large file through it, beside java and cat. */
final class ProcessFigures {
  /** One process warms the caches and five count. */
  private static final Race.Rounds ROUNDS = new Race.Rounds(1, 0, 5, 5, 0);

  private static final long FILE_BYTES = 1L << 30;
  private static final double ALLOWANCE_MILLIS = 150;

  private ProcessFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    String launcher = HostPaths.text(launcher());
    List<Figure> figures = new ArrayList<>();
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Race race = new Race(ROUNDS, Race.WALL_CLOCK);
    Contender ours = add(race, "xip --version", List.of(launcher, "--version"));
    Contender peer = add(race, "java -version", List.of(java.toString(), "-version"));
    race.run();
    figures.add(Figure.of(ours, params(), "ms", peer, Goal.above(ALLOWANCE_MILLIS)));
    try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-bench")) {
      cat(launcher, scratch.path(), figures);
    }
    return figures;
  }

  /** A large file to /dev/null, and to a pipe whose other end reads it. */
  private static void cat(String launcher, Path work, List<Figure> figures) throws IOException {
    Path tree = Files.createDirectory(work.resolve("tree"));
    writeRandom(tree.resolve("file"));
    Path image = work.resolve("image");
    try {
      Packer.pack(tree, image, PackFormat.EXT2, ProgressListener.NONE);
    } catch (InterruptedException e) {
      throw new IOException("packing " + tree + " was interrupted", e);
    }
    Optional<LoopMount> loop = LoopMount.of(image, work);
    try {
      for (String end : List.of("> /dev/null", "| cat > /dev/null")) {
        Race race = new Race(ROUNDS, Race.WALL_CLOCK);
        Contender ours =
            add(
                race,
                end.startsWith("|") ? "xip cat to a pipe" : "xip cat to /dev/null",
                shell(end, launcher, "cat", HostPaths.text(image), "/file"));
        Contender peer = null;
        if (loop.isPresent()) {
          String file = HostPaths.text(loop.get().root().resolve("file"));
          peer = add(race, "cat on the loop mount", shell(end, "cat", file));
        }
        race.run();
        SequencedMap<String, String> params = params("bytes", "1 GiB");
        figures.add(
            peer == null
                ? Figure.ofMissing(ours, params, "ms", LoopMount.MISSING, Goal.ahead(0.9))
                : Figure.of(ours, params, "ms", peer, Goal.ahead(0.9)));
      }
    } finally {
      if (loop.isPresent()) {
        loop.get().close();
      }
    }
  }

  /** A shell command line that runs a command and redirects its output. */
  private static List<String> shell(String end, String... command) {
    List<String> words = new ArrayList<>(List.of("sh", "-c", "\"$@\" " + end, "sh"));
    words.addAll(List.of(command));
    return words;
  }

  private static void writeRandom(Path file) throws IOException {
    byte[] chunk = new byte[1 << 20];
    new Random(42).nextBytes(chunk);
    try (var out = Files.newOutputStream(file)) {
      for (long at = 0; at < FILE_BYTES; at += chunk.length) {
        out.write(chunk);
      }
    }
  }

  private static Contender add(Race race, String name, List<String> command) {
    return race.add(name, 1e6, () -> run(command)); // in milliseconds
  }

  /** Runs a program that must succeed; its output is not needed. */
  static long run(List<String> command) throws IOException {
    int exit = exit(command);
    if (exit != 0) {
      throw new IOException("%s: expected exit 0, found %d".formatted(command, exit));
    }
    return exit;
  }

  /** Runs a program and returns its exit code. */
  static int exit(List<String> command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(HostProcess.words(command))
            .redirectInput(new File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    try (HostProcess started = HostProcess.start(builder)) {
      return started.process().waitFor();
    } catch (InterruptedException e) {
      throw new IOException(command + " was interrupted", e);
    }
  }

  /** {@return the {@code xip} beside the jar that this class is loaded from} */
  static Path launcher() throws IOException {
    Path launcher = classes().resolveSibling("xip");
    if (!Files.isExecutable(launcher)) {
      throw new IOException(launcher + ": expected the executable to measure, found none");
    }
    return launcher;
  }

  /** {@return the jar or folder that this class is loaded from} */
  static Path classes() throws IOException {
    try {
      return Path.of(
          ProcessFigures.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IOException("the classes to measure have no path", e);
    }
  }
}
