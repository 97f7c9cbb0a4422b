package dev.xip.mount;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Images;
import dev.xip.testing.Jvm;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One JVM may have xip's classes several times, as servers of applications do. */
class SeveralLoadersTest {
  @TempDir Path folder;

  @Test
  void eachClassLoaderIsToldOfItsOwnCutImageAndTheHandlerOutlivesThemAll() throws IOException {
    assertEachIsTold(folder, System.getProperty("java.class.path"));
  }

  /** Precondition: xip's classes, these and the libraries are on the class path. */
  static void assertEachIsTold(Path folder, String classPath) throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.write(tree.resolve("file"), "twopages".repeat(1024).getBytes(US_ASCII));
    Path image = Images.ext2(tree);
    List<String> images = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      images.add(Files.copy(image, folder.resolve(i + ".img")).toString());
    }
    List<String> command = Jvm.command(SeveralLoaders.class, images.toArray(String[]::new));
    command.set(command.indexOf("-cp") + 1, classPath);
    Processes.Output output = Processes.runAny(command.toArray(String[]::new));
    assertThat(output.err()).isEmpty();
    assertThat(output.exit()).isZero();
    assertThat(output.out().lines())
        .containsExactly(
            images.get(0) + " 4096 42",
            images.get(1) + " 4096 42",
            images.get(2) + " 4096 42",
            "loaders left: 0",
            "InternalError");
  }
}
