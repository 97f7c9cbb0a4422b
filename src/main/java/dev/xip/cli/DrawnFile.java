package dev.xip.cli;

import dev.xip.extract.Destination;
import dev.xip.extract.PendingFile;
import dev.xip.host.HostPaths;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A page or picture that a command writes at its end. Its folder is opened at the start, so that a
 * place that does not exist fails before anything is measured.
 */
final class DrawnFile implements AutoCloseable {
  private static final int ANYONE = 0666;

  private final Destination target;

  private DrawnFile(Destination target) {
    this.target = target;
  }

  /**
   * Opens the folder.
   *
   * @param path as the user named it; a file that exists will be replaced
   * @param kind what it will be, for the message if the path is that of a folder
   */
  static DrawnFile at(Path path, String kind) throws IOException {
    Destination target = Destination.of(HostPaths.nameOf(path), true);
    try {
      target.demandFile(kind);
      return new DrawnFile(target);
    } catch (IOException e) {
      target.close();
      throw e;
    }
  }

  /** Writes it, complete or not at all. */
  void write(String text) throws IOException {
    try (PendingFile pending = PendingFile.at(target)) {
      try {
        Files.writeString(pending.path(), text, StandardCharsets.UTF_8);
      } catch (IOException e) {
        throw new FileSystemException(target.toString(), null, e.getMessage());
      }
      pending.commit(ANYONE);
    }
  }

  @Override
  public void close() throws IOException {
    target.close();
  }
}
