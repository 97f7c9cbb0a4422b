package dev.xip.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.mount.ImageSource;
import dev.xip.testing.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scripts over an image with one file of three pages. */
class ScenarioTest {
  @TempDir Path folder;
  private Scenario scenario;

  @BeforeEach
  void boot() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.writeString(tree.resolve("file"), "x".repeat(3 * 4096));
    scenario = Scenario.on(ImageSource.of(Images.ext2(tree)));
  }

  @AfterEach
  void close() throws IOException {
    scenario.close();
  }

  private void run(String... lines) throws IOException {
    scenario.run(List.of(lines));
  }

  @Test
  void theExampleShowsSpecialAndNormalEntries() throws IOException {
    scenario.run(scenario.example());
    assertThat(scenario.maps()).contains("== parent", "== child", "/file", "Special:");
    assertThat(scenario.pageTables()).contains("special: PRESENT USER ACCESSED SPECIAL", "normal:");
  }

  @Test
  void aPageThatWasWrittenPrivatelyIsNormalAndItsNeighboursStaySpecial() throws IOException {
    run("# one space", "space a", "map a m /file rw-p", "read a m 0 8192", "write a m 4096 hello");
    assertThat(scenario.pageTables().lines().filter(line -> line.contains(" special: ")))
        .hasSize(2);
    assertThat(scenario.pageTables().lines().filter(line -> line.contains(" normal: "))).hasSize(1);
  }

  @Test
  void unmappedMappingsAndExitedSpacesAreGone() throws IOException {
    run("space a", "map a m /file r--s", "read a m 0 1", "unmap a m", "space b", "exit b");
    assertThat(scenario.maps()).isEqualTo("== a\n");
  }

  @Test
  void aMalformedStepIsNamedByItsLine() {
    assertThatThrownBy(() -> run("space a", "", "dance a"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("line 3, dance a");
    for (String line :
        List.of(
            "map a m",
            "map x m /file r--p",
            "map a m /missing r--p",
            "map a m /file quick",
            "map a m /file rw-s",
            "anon a m many rw-p",
            "read a nothing 0 1",
            "fork a a",
            "exit")) {
      assertThatThrownBy(() -> run(line)).as(line).isInstanceOf(IOException.class);
    }
  }

  @Test
  void anAccessThatIsRefusedIsNamedByItsLine() throws IOException {
    run("space b", "map b m /file r--p");
    assertThatThrownBy(() -> run("write b m 0 x")).hasMessageContainingAll("line 1", "SIGSEGV");
    assertThatThrownBy(() -> run("read b m 0x10000 1")).hasMessageContaining("SIG");
  }
}
