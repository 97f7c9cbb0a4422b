package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs of the host run out of an image in a segment; ld.so maps their libraries in place. */
class DynamicProgramTest {
  private static final List<String> PROGRAMS =
      List.of("/bin/dash", "/bin/cat", "/usr/bin/seq", "/usr/bin/expr", "/usr/bin/stat");

  @TempDir Path folder;
  private ProgramsOfTheHost root;

  @BeforeEach
  void boot() throws IOException {
    root = new ProgramsOfTheHost(folder, PROGRAMS);
    Files.writeString(root.tree().resolve("poem"), "line of a poem\n".repeat(2000));
    Files.createSymbolicLink(root.tree().resolve("link"), Path.of("poem"));
    root.boot();
  }

  @AfterEach
  void shutDown() throws IOException {
    if (root != null) {
      root.close();
    }
  }

  @Test
  void programsGiveWhatTheyGiveOnTheHost() throws IOException {
    root.isAsOnTheHost("/usr/bin/seq", "1", "3000");
    root.isAsOnTheHost("/usr/bin/seq", "-f", "%.3f", "0.1", "0.7", "9");
    root.isAsOnTheHost("/usr/bin/expr", "6", "*", "7");
    root.isAsOnTheHost("/usr/bin/expr", "6", "/", "0");
    root.isAsOnTheHost("/bin/cat", "/no/such/file");
    root.isAsOnTheHost(
        "/bin/dash",
        "-c",
        "f() { n=$1; r=1; while [ $n -gt 1 ]; do r=$((r*n)); n=$((n-1)); done; echo $r; };"
            + " for i in 1 5 10 15; do f $i; done; echo ${0##*/}; exit 3");
  }

  @Test
  void aFileOfTheImageIsReadThroughALink() throws IOException {
    ProgramResult result = root.run("/bin/cat", "/link");
    assertThat(result.reason()).isNull();
    assertThat(root.output()).isEqualTo("line of a poem\n".repeat(2000));
  }

  @Test
  void attributesAreThoseOfTheImage() throws IOException {
    ProgramResult result = root.run("/usr/bin/stat", "-c", "%s %F", "/poem");
    assertThat(root.errors()).isEmpty();
    assertThat(root.output()).isEqualTo("30000 regular file\n");
    assertThat(result.status()).isZero();
  }
}
