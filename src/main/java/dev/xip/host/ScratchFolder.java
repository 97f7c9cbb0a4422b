package dev.xip.host;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A {@link PrivateFolder} in a folder that is known by its path, for files that do not stay. With
 * {@link #close}, or when the process ends, it goes with all that is in it.
 */
public final class ScratchFolder implements AutoCloseable {
  private final OpenFolder parent;
  private final PrivateFolder folder;
  private final Path path;

  private ScratchFolder(OpenFolder parent, PrivateFolder folder, Path path) {
    this.parent = parent;
    this.folder = folder;
    this.path = path;
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
    OpenFolder open = OpenFolder.open(parent);
    try {
      PrivateFolder made = PrivateFolder.in(open, prefix);
      return new ScratchFolder(open, made, parent.resolve(HostPaths.of(made.name())));
    } catch (IOException e) {
      open.close();
      throw e;
    }
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
    try {
      folder.close();
    } finally {
      parent.close();
    }
  }
}
