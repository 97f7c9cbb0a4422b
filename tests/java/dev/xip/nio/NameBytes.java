package dev.xip.nio;

import dev.xip.base.FileName;
import java.nio.file.Path;

/** The bytes of paths in an image, for tests of other packages. */
public final class NameBytes {
  private NameBytes() {}

  /**
   * {@return the bytes of a path}
   *
   * @param path a path of a file system in an image
   */
  public static FileName of(Path path) {
    return ((XipPath) path).bytes();
  }
}
