package dev.xip.host;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/**
 * A folder for files that do not stay, closed to other users. With {@link #close}, or when the
 * process ends, it goes with all that is in it.
 */
public final class ScratchFolder implements AutoCloseable {
  private final Path path;
  private final String prefix;
  private final Leftovers.Leftover leftover = this::remove;
  private boolean closed;

  private ScratchFolder(Path path, String prefix) {
    this.path = path;
    this.prefix = prefix;
  }

  /**
   * Makes a folder.
   *
   * @param parent where
   * @param prefix what its name begins with
   * @return the folder, to be closed
   * @throws IOException if it cannot be made
   */
  public static ScratchFolder in(Path parent, String prefix) throws IOException {
    return Leftovers.step(
        () -> {
          Path path = Files.createTempDirectory(parent, prefix);
          ScratchFolder folder = new ScratchFolder(path, prefix);
          Leftovers.add(folder.leftover);
          return folder;
        });
  }

  /**
   * Returns where it is.
   *
   * @return its path, below the one that it was made in
   */
  public Path path() {
    return path;
  }

  /**
   * Removes it and all that is in it; a second time does nothing.
   *
   * @throws IOException if something in it cannot be removed
   */
  @Override
  public void close() throws IOException {
    Leftovers.step(
        () -> {
          if (!closed) {
            closed = true;
            Leftovers.forget(leftover);
            delete(path);
          }
          return null;
        });
  }

  /** Moves it away first, so that a thread that still makes files in it finds no place for more. */
  private void remove() throws IOException {
    Path aside = Files.createTempDirectory(path.toAbsolutePath().getParent(), prefix);
    try {
      Files.move(path, aside.resolve("x"));
    } finally {
      delete(aside);
    }
  }

  private static void delete(Path folder) throws IOException {
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.deleteIfExists(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path directory, IOException failure)
              throws IOException {
            Files.deleteIfExists(directory);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
