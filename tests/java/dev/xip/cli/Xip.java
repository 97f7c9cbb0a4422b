package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the packaged command as a user does. */
final class Xip {
  private static final long TIMEOUT_SECONDS = 60;

  static final ObjectMapper STRICT_JSON =
      new ObjectMapper()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private Xip() {}

  /** The result of a run; the bytes of standard output are one char each. */
  record Result(int exit, String out, String err) {
    Result isDone() {
      assertThat(err).isEmpty();
      assertThat(exit).isZero();
      return this;
    }

    /**
     * Asserts exit code 0 and no message; for users other than root, one about owners is allowed.
     */
    Result isDoneButForOwners() throws IOException {
      if (Judge.isRoot()) {
        return isDone();
      }
      assertThat(err)
          .matches("(xip: .* files without their owner or group, which only root .*\n)?");
      assertThat(exit).isZero();
      return this;
    }

    /** Asserts exit code 1 and one line, and returns the line. */
    String failsWithOneLine() {
      assertThat(err).startsWith("xip: ").endsWith("\n").hasLineCount(1);
      assertThat(exit).isEqualTo(1);
      return err;
    }

    String text() {
      return new String(out.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }

    JsonNode json() throws IOException {
      assertThat(out).endsWith("}\n").hasLineCount(1);
      return STRICT_JSON.readTree(out.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  static Path launcher() {
    String launcher = System.getProperty("xip.launcher");
    assertThat(launcher).as("system property xip.launcher").isNotNull();
    return Path.of(launcher);
  }

  /**
   * Prepares a run as the user nobody, or skips the test where that is not possible.
   *
   * @param folder a folder for a copy of the command that the user nobody can reach
   */
  static ProcessBuilder builderAsNobody(Path folder, Object... arguments)
      throws IOException, InterruptedException {
    List<String> nobody = Judge.asNobody();
    Path target = launcher().getParent();
    for (String each : new String[] {"xip", "xip.jar", "xip.jsa", "lib", "native"}) {
      Processes.run("cp", "-r", target.resolve(each).toString(), folder.toString());
    }
    Processes.run("chmod", "-R", "a+rX", folder.toString());
    ProcessBuilder builder = builder(arguments);
    builder.command().set(0, folder.resolve("xip").toString());
    builder.command().addAll(0, nobody);
    List<String> version = new ArrayList<>(nobody);
    version.addAll(List.of(folder.resolve("xip").toString(), "--version"));
    Judge.needs(
        run(new ProcessBuilder(version)).exit() == 0,
        "root whose JDK and folder for temporary files others can reach");
    return builder;
  }

  static Result run(Object... arguments) throws IOException, InterruptedException {
    return run(builder(arguments));
  }

  static ProcessBuilder builder(Object... arguments) {
    List<String> command = new ArrayList<>(List.of(launcher().toString()));
    for (Object each : arguments) {
      command.add(each.toString());
    }
    return new ProcessBuilder(command);
  }

  /**
   * Prepares a run that receives signals: a suite in the background of a shell, and its children,
   * ignore SIGINT.
   */
  static ProcessBuilder interruptible(Object... arguments) {
    ProcessBuilder builder = builder(arguments);
    builder.command().addAll(0, List.of("env", "--default-signal=INT,TERM,HUP"));
    return builder;
  }

  static Result run(ProcessBuilder builder) throws IOException, InterruptedException {
    Path out = Files.createTempFile("xip-it", ".out");
    Path err = Files.createTempFile("xip-it", ".err");
    try {
      Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
      process.getOutputStream().close();
      boolean ended = process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS);
      process.destroyForcibly();
      assertThat(ended).as("%s ends by itself", builder.command()).isTrue();
      return new Result(
          process.exitValue(),
          Files.readString(out, StandardCharsets.ISO_8859_1),
          Files.readString(err, StandardCharsets.UTF_8));
    } finally {
      Files.delete(out);
      Files.delete(err);
    }
  }
}
