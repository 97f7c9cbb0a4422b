package dev.xip.segment;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A process that uses a store and performs commands: the C program of
 * tests/native/segment_example.c, or a JVM with {@link JavaSegmentProgram}.
 */
final class SegmentProgram implements AutoCloseable {
  /** After that many minutes it is killed, so that no wait for an answer is endless. */
  private static final int LIFETIME = 10;

  private final Process process;
  private final BufferedWriter commands;
  private final BufferedReader answers;

  private SegmentProgram(List<String> line) throws IOException {
    process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    CompletableFuture.delayedExecutor(LIFETIME, TimeUnit.MINUTES).execute(process::destroyForcibly);
    commands =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.US_ASCII));
    answers =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
  }

  /**
   * Starts the C program.
   *
   * @param before what it is started by, such as a shell that sets limits; may be empty
   */
  static SegmentProgram inC(Path store, String... before) throws IOException {
    Path program =
        Path.of(System.getProperty("xip.library")).resolveSibling("tests/segment_example");
    if (!Files.isExecutable(program)) {
      throw new IOException(program + ": expected the program that native/Makefile builds");
    }
    List<String> line = new ArrayList<>(Arrays.asList(before));
    line.add(program.toString());
    line.add(store.toString());
    return new SegmentProgram(line);
  }

  /** Starts a JVM. */
  static SegmentProgram inJava(Path store) throws IOException {
    return new SegmentProgram(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx64m",
            "--enable-native-access=ALL-UNNAMED",
            "-Dxip.library=" + System.getProperty("xip.library"),
            "-cp",
            System.getProperty("java.class.path"),
            JavaSegmentProgram.class.getName(),
            store.toString()));
  }

  /** Gives a command and waits for its answer. */
  String ask(String command) throws IOException {
    tell(command);
    return answer();
  }

  /** Gives a command whose answer is waited for later. */
  void tell(String command) throws IOException {
    commands.write(command);
    commands.write('\n');
    commands.flush();
  }

  /** Waits for an answer. */
  String answer() throws IOException {
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("process %d ended instead of answering".formatted(process.pid()));
    }
    return answer;
  }

  /** Gives a command that must be done, and returns what was asked for. */
  String must(String command) throws IOException {
    String answer = ask(command);
    assertThat(answer).as(command).startsWith("ok");
    return answer.substring("ok".length()).strip();
  }

  /** Takes one value out of an answer. */
  static String field(String answer, String name) {
    Matcher matcher = Pattern.compile("(?:^| )" + name + "=(\\S+)").matcher(answer);
    assertThat(matcher.find()).as("%s in: %s", name, answer).isTrue();
    return matcher.group(1);
  }

  long pid() {
    return process.pid();
  }

  /** Ends it by SIGKILL. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Ends its input, on which it unloads everything, and waits for it. */
  void leave() throws IOException, InterruptedException {
    commands.close();
    assertThat(process.waitFor()).as("exit code of process %d", process.pid()).isZero();
  }

  /** Ends it, whether or not the test has passed. */
  @Override
  public void close() throws IOException {
    process.destroyForcibly();
    answers.close();
  }
}
