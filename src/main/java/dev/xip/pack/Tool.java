package dev.xip.pack;

import dev.xip.host.HostPaths;
import dev.xip.host.HostProcess;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A program of the host, found on PATH or where system tools lie, run without a shell. */
record Tool(Path program) {
  private static final long POLL_MILLIS = 100;

  /** The result of a program: its exit code and all that it printed. */
  record Result(int exit, String output) {
    private static final String ERROR = "<E>";

    /**
     * Returns the reason of a failure: the first line that erofs-utils mark as an error, else the
     * last line that is not empty.
     */
    String reason() {
      List<String> lines =
          output
              .lines()
              .map(line -> line.substring(line.lastIndexOf('\r') + 1).strip())
              .filter(line -> !line.isEmpty())
              .toList();
      return lines.stream()
          .filter(line -> line.startsWith(ERROR))
          .map(line -> line.substring(ERROR.length()).strip())
          .findFirst()
          .orElse(lines.isEmpty() ? "no message" : lines.getLast());
    }
  }

  /** Called while a program runs. */
  @FunctionalInterface
  interface Watcher {
    /** Looks at the progress. */
    void look() throws IOException;
  }

  /**
   * Finds a program.
   *
   * @param name its name
   * @return the program, if the host has it
   */
  static Optional<Tool> find(String name) {
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("");
    return Stream.of((path + ":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin").split(":"))
        .filter(folder -> !folder.isEmpty())
        .map(folder -> Path.of(folder, name))
        .filter(file -> Files.isExecutable(file) && !Files.isDirectory(file))
        .findFirst()
        .map(Tool::new);
  }

  /**
   * Runs it to its end; ends it if the waiting thread is interrupted or the watcher fails.
   *
   * @param environment variables added to those of the JVM
   * @param watcher is called some ten times a second
   * @param arguments its arguments, paths as {@link HostPaths#text} has them
   * @return its result
   */
  Result run(Map<String, String> environment, Watcher watcher, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> words = new ArrayList<>(List.of(HostPaths.text(program)));
    words.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(HostProcess.words(words)).redirectErrorStream(true);
    builder.redirectInput(new File("/dev/null"));
    // Settings of the user for these tools must not change the image.
    builder.environment().keySet().removeIf(each -> each.matches("(MKE2FS|E2FSPROGS)_.*"));
    builder.environment().putAll(environment);
    try (HostProcess started = HostProcess.start(builder)) {
      Process process = started.process();
      CompletableFuture<byte[]> output =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return process.getInputStream().readAllBytes();
                } catch (IOException e) {
                  return new byte[0];
                }
              });
      while (!process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
        watcher.look();
      }
      return new Result(process.exitValue(), new String(output.join(), StandardCharsets.UTF_8));
    }
  }
}
