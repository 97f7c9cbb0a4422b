package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** System calls with numbers and arguments at random, from processes at once (random_calls.c). */
class RandomCallsTest {
  private static final String SECONDS = System.getProperty("xip.seconds", "15");

  @TempDir Path folder;

  @Test
  void anyCallWithAnyArgumentsHarmsNothingButItsProgram() throws IOException {
    String seed = Long.toString(Long.getLong("xip.seed", System.nanoTime() & 0xff_ffff));
    try (ProgramsOfTheHost root = new ProgramsOfTheHost(folder, List.of("/bin/dash"))) {
      Files.createDirectory(root.tree().resolve("tmp"));
      Files.writeString(root.tree().resolve("file"), "x".repeat(10_000));
      String program = root.tree().resolve("random_calls").toString();
      Processes.run("gcc", "-O1", "-w", "-static", "-o", program, "tests/native/random_calls.c");
      root.boot();
      assertThatCode(
              () -> {
                ProgramResult result = root.run("/random_calls", seed, SECONDS);
                assertThat(result.status()).as(result.toString()).isEqualTo(42);
              })
          .as("-Dxip.seed=%s", seed)
          .doesNotThrowAnyException();
      root.isAsOnTheHost("echo alive");
    }
  }
}
