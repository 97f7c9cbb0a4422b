package dev.xip.cli;

import dev.xip.base.FileName;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/** Paths inside an image, as bytes. */
final class Paths {
  private Paths() {}

  /**
   * Puts a path below another one.
   *
   * @param folder the path above, with or without a trailing slash
   * @param below the path below it; empty for the folder itself
   */
  static FileName join(FileName folder, FileName below) {
    if (below.length() == 0) {
      return folder;
    }
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    byte[] above = folder.bytes();
    joined.writeBytes(above);
    if (above.length > 0 && above[above.length - 1] != '/') {
      joined.write('/');
    }
    joined.writeBytes(below.bytes());
    return FileName.of(joined.toByteArray());
  }

  /** {@return the last name of a path, without trailing slashes; empty for the root} */
  static FileName last(FileName path) {
    byte[] bytes = path.bytes();
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] == '/') {
      end--;
    }
    int start = end;
    while (start > 0 && bytes[start - 1] != '/') {
      start--;
    }
    return FileName.of(Arrays.copyOfRange(bytes, start, end));
  }
}
