package dev.xip.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/** Folders for tests that make thousands of them. */
public final class Folders {
  private Folders() {}

  /** Makes temporary folders in memory, if the host has a place for that: forcing costs nothing. */
  public static final class InMemory implements TempDirFactory {
    private static final Path MEMORY = Path.of("/dev/shm");

    /** Called by JUnit. */
    public InMemory() {}

    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext extension)
        throws IOException {
      return Files.isWritable(MEMORY)
          ? Files.createTempDirectory(MEMORY, "xip")
          : Files.createTempDirectory("xip");
    }
  }

  /**
   * Deletes a folder and all that is in it.
   *
   * @param folder the folder
   */
  public static void delete(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
