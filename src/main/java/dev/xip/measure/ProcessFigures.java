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
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Whole processes: the command's start, and a large file through it, beside those of the host. */
final class ProcessFigures {
  private static final int RUNS = 5;
  private static final long FILE_BYTES = 1L << 30;
  private static final double ALLOWANCE_MILLIS = 150;

  private ProcessFigures() {}

  static List<Figure> measure(Path folder) throws IOException {
    String launcher = HostPaths.text(launcher());
    List<Figure> figures = new ArrayList<>();
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    double[] starts =
        medians(List.of(List.of(launcher, "--version"), List.of(java.toString(), "-version")));
    figures.add(
        new Figure(
            "xip --version",
            params(),
            "ms",
            starts[0],
            "java -version",
            starts[1],
            Goal.above(ALLOWANCE_MILLIS)));
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
        List<List<String>> commands = new ArrayList<>();
        commands.add(shell(end, launcher, "cat", HostPaths.text(image), "/file"));
        loop.ifPresent(
            mount -> commands.add(shell(end, "cat", HostPaths.text(mount.root().resolve("file")))));
        double[] medians = medians(commands);
        figures.add(
            new Figure(
                end.startsWith("|") ? "xip cat to a pipe" : "xip cat to /dev/null",
                params("bytes", "1 GiB"),
                "ms",
                medians[0],
                loop.isPresent() ? "cat on the loop mount" : "the loop mount, which is root's",
                loop.isPresent() ? medians[1] : Double.NaN,
                Goal.ahead(0.9)));
      }
    } finally {
      if (loop.isPresent()) {
        loop.get().close();
      }
    }
  }

  /** A command whose output goes where a shell sends it. */
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

  /** Runs the commands by turns and returns the median milliseconds of each. */
  private static double[] medians(List<List<String>> commands) throws IOException {
    double[][] millis = new double[commands.size()][RUNS];
    for (int run = -1; run < RUNS; run++) { // the first one only warms the caches
      for (int i = 0; i < commands.size(); i++) {
        double taken = run(commands.get(i));
        if (run >= 0) {
          millis[i][run] = taken;
        }
      }
    }
    return Arrays.stream(millis)
        .mapToDouble(each -> Arrays.stream(each).sorted().toArray()[RUNS / 2])
        .toArray();
  }

  private static double run(List<String> command) throws IOException {
    long start = System.nanoTime();
    ProcessBuilder builder =
        new ProcessBuilder(HostProcess.words(command))
            .redirectInput(new File("/dev/null"))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD);
    try (HostProcess started = HostProcess.start(builder)) {
      int exit = started.process().waitFor();
      if (exit != 0) {
        throw new IOException("%s: expected exit 0, found %d".formatted(command, exit));
      }
    } catch (InterruptedException e) {
      throw new IOException(command + " was interrupted", e);
    }
    return (System.nanoTime() - start) / 1e6;
  }

  /** The command lies beside the jar that this class is from. */
  private static Path launcher() throws IOException {
    try {
      Path jar =
          Path.of(ProcessFigures.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      Path launcher = jar.resolveSibling("xip");
      if (!Files.isExecutable(launcher)) {
        throw new IOException(launcher + ": expected the command to be measured, found none");
      }
      return launcher;
    } catch (URISyntaxException e) {
      throw new IOException("where is the command to be measured?", e);
    }
  }
}
