package dev.xip.host;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A {@link PrivateFolder} for temporary files, in a folder given by its path. {@link #close}, or
 * the end of the process, removes it with all its contents.
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
    OpenFolder open;
    try {
      open = OpenFolder.open(parent);
    } catch (HostException e) {
      throw e.at(parent.toString());
    }
    try {
      PrivateFolder made = PrivateFolder.in(open, prefix);
      return new ScratchFolder(open, made, parent.resolve(HostPaths.of(made.name())));
    } catch (HostException e) {
      open.close();
      throw e.at(parent.toString());
    }
  }

  /** {@return the folder's path, below the one that it was made in} */
  public Path path() {
    return path;
  }

  /**
   * Removes it with all its contents; a second time does nothing.
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
