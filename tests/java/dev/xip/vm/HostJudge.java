package dev.xip.vm;

import dev.xip.testing.Folders;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The host kernel, asked through the program of tests/native/judge.c, which explains the steps. The
 * file lies where writing back costs nothing, if the host has such a place.
 */
final class HostJudge implements AutoCloseable {
  private final Path file;
  private final Process process;
  private final BufferedWriter steps;
  private final BufferedReader answers;

  HostJudge() throws IOException {
    file = Files.createTempFile(Folders.memory(), "xip-judge-", ".data");
    process =
        new ProcessBuilder(program().toString(), file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    steps =
        new BufferedWriter(
            new OutputStreamWriter(process.getOutputStream(), StandardCharsets.US_ASCII));
    answers =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII));
  }

  /** The build makes it beside the library. */
  private static Path program() throws IOException {
    Path program = Path.of(System.getProperty("xip.library")).resolveSibling("tests/judge");
    if (!Files.isExecutable(program)) {
      throw new IOException(program + ": expected the judge, which native/Makefile builds");
    }
    return program;
  }

  /** Performs a step and returns what the host saw. */
  String perform(String step) throws IOException {
    steps.write(step);
    steps.write('\n');
    steps.flush();
    String answer = answers.readLine();
    if (answer == null) {
      throw new IOException("the judge ended at step: " + step);
    }
    return answer;
  }

  @Override
  public void close() throws IOException {
    try {
      steps.close();
      if (!process.waitFor(20, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IOException("the judge does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      Files.deleteIfExists(file);
    }
  }
}
