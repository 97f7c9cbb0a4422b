package dev.xip.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/** Folders for temporary files. */
public final class Folders {
  private Folders() {}

  /**
   * Returns a folder for temporary files in which fsync is free: /dev/shm, if it has half a
   * gigabyte and the build was not given another folder by TMPDIR.
   *
   * @return a folder shared with others
   * @throws IOException if the free space cannot be read
   */
  public static Path memory() throws IOException {
    Path memory = Path.of("/dev/shm");
    boolean fit =
        System.getenv("TMPDIR") == null
            && Files.isWritable(memory)
            && Files.getFileStore(memory).getUsableSpace() > 512L << 20;
    return fit ? memory : Path.of(System.getProperty("java.io.tmpdir"));
  }

  /** Makes folders for tests in {@link #memory}. */
  public static final class InMemory implements TempDirFactory {
    /** Called by JUnit. */
    public InMemory() {}

    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext extension)
        throws IOException {
      return Files.createTempDirectory(memory(), "xip");
    }
  }

  /**
   * Deletes a folder recursively.
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
