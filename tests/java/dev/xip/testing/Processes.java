package dev.xip.testing;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Runs other programs, found on PATH or in the folder {@code sbin} beside each {@code bin} there.
 * If a program that hosts may lack according to {@link Judge} is missing, the test is skipped.
 */
public final class Processes {
  private static final long TIMEOUT_SECONDS = 300;

  private Processes() {}

  /**
   * The result of a program.
   *
   * @param exit its exit code
   * @param out its standard output, one char per byte
   * @param err its standard error, one char per byte
   */
  public record Output(int exit, String out, String err) {
    /** {@return the standard output, decoded as UTF-8} */
    public String text() {
      return new String(out.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }
  }

  /**
   * Finds a program.
   *
   * @param program its name, or its path
   * @return its path, if the host has it
   */
  public static Optional<Path> find(String program) {
    if (program.contains("/")) {
      return Optional.of(Path.of(program)).filter(Files::isExecutable);
    }
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .flatMap(folder -> Stream.of(folder, folder.replaceFirst("/bin/?$", "/sbin")))
        .map(folder -> Path.of(folder, program))
        .filter(Files::isExecutable)
        .findFirst();
  }

  /**
   * Runs a program that must succeed.
   *
   * @param command the program's name and its arguments
   * @return its result
   * @throws IOException if it is missing, fails or does not end
   */
  public static Output run(String... command) throws IOException {
    Output output = runAny(command);
    if (output.exit != 0) {
      throw new IOException(
          "%s: exit %d: %s".formatted(String.join(" ", command), output.exit, output.err));
    }
    return output;
  }

  /**
   * Runs a program that may fail.
   *
   * @param command the program's name and its arguments
   * @return its result
   * @throws IOException if it is missing or does not end
   */
  public static Output runAny(String... command) throws IOException {
    Path out = Files.createTempFile("xip-out", "");
    Path err = Files.createTempFile("xip-err", "");
    try {
      Process process =
          builder(command).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
      process.getOutputStream().close();
      if (!waitFor(process)) {
        throw new IOException(
            "%s: still running after %d s".formatted(String.join(" ", command), TIMEOUT_SECONDS));
      }
      return new Output(
          process.exitValue(),
          Files.readString(out, StandardCharsets.ISO_8859_1),
          Files.readString(err, StandardCharsets.ISO_8859_1));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }

  /**
   * Prepares a program to be started by the caller, who ends it.
   *
   * @param command the program's name and its arguments
   * @return the builder, with the program's path filled in
   * @throws IOException if the program is missing
   */
  public static ProcessBuilder builder(String... command) throws IOException {
    Path program =
        Judge.isOptional(command[0])
            ? Judge.program(command[0])
            : find(command[0])
                .orElseThrow(() -> new IOException("%s: not on this host".formatted(command[0])));
    List<String> line = new ArrayList<>(List.of(command));
    line.set(0, program.toString());
    return new ProcessBuilder(line);
  }

  private static boolean waitFor(Process process) throws IOException {
    try {
      return process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      process.destroyForcibly();
    }
  }
}
