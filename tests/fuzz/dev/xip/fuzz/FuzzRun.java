package dev.xip.fuzz;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/**
 * Runs each class of {@link ImageTargets} under Jazzer, one after the other, each in a JVM of its
 * own. Inputs that reach new code are kept in the working directory, where the next run begins with
 * them; a finding is a file {@code crash-…}, {@code timeout-…} or {@code oom-…} there.
 */
public final class FuzzRun {
  private static final int MOST_BYTES = 4 << 20;

  private FuzzRun() {}

  /**
   * Runs them.
   *
   * @param args a regular expression that chooses targets by name; the seconds for each; the folder
   *     with a folder of packed seeds for each
   * @throws Exception if there was a finding
   */
  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      throw new IllegalArgumentException("expected: REGEX SECONDS SEEDS");
    }
    List<String> found = new ArrayList<>();
    for (Class<?> target : ImageTargets.class.getDeclaredClasses()) {
      String name = target.getSimpleName().toLowerCase(Locale.ROOT);
      if (name.matches(args[0])) {
        Path work = Files.createDirectories(Path.of(name));
        unpack(Path.of(args[2], name), Files.createDirectories(work.resolve("seeds")));
        if (fuzz(target.getName(), work, args[1]) != 0) {
          found.add(name);
        }
      }
    }
    if (!found.isEmpty()) {
      throw new IOException("findings in " + found + ", see " + Path.of("").toAbsolutePath());
    }
  }

  private static void unpack(Path packed, Path seeds) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(packed, "*.gz")) {
      for (Path each : files) {
        String name = each.getFileName().toString().replaceFirst("\\.gz$", "");
        try (InputStream bytes = new GZIPInputStream(Files.newInputStream(each))) {
          Files.copy(bytes, seeds.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  private static int fuzz(String target, Path work, String seconds) throws Exception {
    Path corpus = Files.createDirectories(work.resolve("corpus"));
    List<String> words =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx512m",
            "-XX:+EnableDynamicAgentLoading",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            "com.code_intelligence.jazzer.Jazzer",
            "--target_class=" + target,
            "--instrumentation_includes=dev.xip.**",
            "--reproducer_path=" + work.toAbsolutePath(),
            "-artifact_prefix=" + work.toAbsolutePath() + File.separator,
            "-max_total_time=" + seconds,
            "-timeout=10",
            "-rss_limit_mb=2048",
            "-max_len=" + MOST_BYTES,
            "-print_final_stats=1",
            corpus.toAbsolutePath().toString(),
            work.resolve("seeds").toAbsolutePath().toString());
    return new ProcessBuilder(words).inheritIO().start().waitFor();
  }
}
