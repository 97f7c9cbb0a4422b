package dev.xip.image.erofs;

import dev.xip.base.ByteView;
import java.io.IOException;

/**
 * The file that holds inodes in compressed form: decoded as a whole at the first use, then kept.
 */
final class Metabox {
  private final Loader loader;

  /** Null until the first use. */
  private volatile ByteView view;

  /** Decodes the file. */
  @FunctionalInterface
  interface Loader {
    ByteView load() throws IOException;
  }

  Metabox(Loader loader) {
    this.loader = loader;
  }

  /** {@return the bytes of the file, on the heap} */
  ByteView view() throws IOException {
    ByteView known = view;
    if (known == null) {
      known = loader.load();
      view = known;
    }
    return known;
  }
}
