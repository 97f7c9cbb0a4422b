package dev.xip.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Folders nested deeper than any stack, with paths longer than the host allows, are read as fast as
 * folders side by side. Time that grows with the square of the depth would exceed {@link Xip}'s
 * limit.
 */
class DeepImageIT {
  private static final int DEPTH = 50_000;

  /** The depth of a path that fits a command line. */
  private static final int LEAF = 40_000;

  @TempDir static Path folder;
  private static Path image;

  @BeforeAll
  static void makeImage() throws IOException {
    Path leaf = Files.writeString(folder.resolve("leaf"), "bottom\n");
    List<String> commands = new ArrayList<>();
    for (int i = 1; i <= DEPTH; i++) {
      commands.add("mkdir d");
      commands.add("cd d");
      if (i == LEAF) {
        commands.add("write \"%s\" leaf".formatted(leaf));
      }
    }
    image = folder.resolve("deep.img");
    String options = "-q -t ext2 -b 4096 -I 128 -N " + (DEPTH + 100);
    List<String> command = new ArrayList<>(List.of("mke2fs"));
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of(image.toString(), Integer.toString(DEPTH + 10_000)));
    Processes.run(command.toArray(String[]::new));
    Images.debugfsWrite(image, commands.toArray(String[]::new));
  }

  @Test
  void checkSeesTheOneFile() throws Exception {
    assertThat(Xip.run("check", "--all", image).isDone().out())
        .contains("/d".repeat(LEAF) + "/leaf\n")
        .contains("in place: 1 files with 7 bytes");
  }

  @Test
  void aFileAtAPathLongerThanTheHostAllowsIsRead() throws Exception {
    String path = "/d".repeat(LEAF) + "/leaf";
    assertThat(Xip.run("cat", image, path).isDone().out()).isEqualTo("bottom\n");
    assertThat(Xip.run("ls", image, path).isDone().out()).isEqualTo(path + "\n");
    assertThat(Xip.run("stat", "--json", image, path).isDone().json().get("size").asInt())
        .isEqualTo(7);
  }

  @Test
  void listingGoesDownToTheLastFolder() throws Exception {
    String from = "/d".repeat(DEPTH - 3000);
    assertThat(Xip.run("ls", "-R", image, from).isDone().out())
        .startsWith(from + ":\nd\n")
        .endsWith("/d".repeat(DEPTH) + ":\n");
  }
}
