package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A command that a signal ends takes away what it has made, and exits as the signal asks. */
class InterruptedIT {
  private static final long LONGEST_WAIT_MILLIS = 2_500;

  private final long seed = Long.getLong("xip.seed", System.nanoTime());
  private final Random random = new Random(seed);

  @TempDir Path folder;

  /** Starts a command, sends it a signal once it has made something, and waits for its end. */
  private Xip.Result interrupt(String signal, Path made, Object... arguments) throws Exception {
    Path err = folder.resolve("err");
    ProcessBuilder builder = Xip.builder(arguments);
    builder.environment().put("TMPDIR", made.toString());
    builder.environment().put("XIP_STORE", folder.resolve("store").toString());
    Process process =
        builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(err.toFile()).start();
    try {
      for (int i = 0; i < 3_000 && names(made).isEmpty() && process.isAlive(); i++) {
        Thread.sleep(10);
      }
      Thread.sleep(random.nextLong(LONGEST_WAIT_MILLIS));
      assertThat(process.isAlive()).as("-Dxip.seed=%d: it still runs", seed).isTrue();
      new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
      return new Xip.Result(process.exitValue(), "", Files.readString(err));
    } finally {
      process.destroyForcibly();
    }
  }

  private static List<Path> names(Path folder) throws IOException {
    try (Stream<Path> names = Files.list(folder)) {
      return names.toList();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "INT, 130, bench names",
    "TERM, 143, bench names",
    "HUP, 129, bench copies",
    "INT, 130, bench processes",
    "TERM, 143, bench files",
    "HUP, 129, demo",
    "INT, 130, demo",
    "TERM, 143, bench segments"
  })
  void nothingIsLeftInTheFolderForTemporaryFiles(String signal, int exit, String command)
      throws Exception {
    Path made = Files.createDirectory(folder.resolve("made"));
    List<Object> words = new ArrayList<>(List.of((Object[]) command.split(" ")));
    Xip.Result result = interrupt(signal, made, words.toArray());
    assertThat(names(made)).as("-Dxip.seed=%d", seed).isEmpty();
    assertThat(Files.readString(Path.of("/proc/mounts"))).doesNotContain(made.toString());
    assertThat(result).isEqualTo(new Xip.Result(exit, "", ""));
  }
}
