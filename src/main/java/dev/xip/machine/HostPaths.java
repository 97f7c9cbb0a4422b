package dev.xip.machine;

import dev.xip.base.FileName;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystemException;
import java.nio.file.Path;

/**
 * Host paths made of bytes. The JVM makes a path of text, and text has no place for bytes that are
 * not UTF-8; a file URI has.
 */
final class HostPaths {
  private HostPaths() {}

  /**
   * Names a file in a folder.
   *
   * @param folder the folder
   * @param name one name as an image has it
   * @return the path, always directly below the folder
   * @throws FileSystemException if no file can have that name: it is empty, {@code .} or {@code
   *     ..}, or holds a slash or NUL
   */
  static Path child(Path folder, FileName name) throws IOException {
    String text = name.toString();
    if (text.isEmpty() || text.equals(".") || text.equals("..") || text.indexOf('/') >= 0) {
      throw new FileSystemException(folder.toString(), text, "no file can have this name: " + text);
    }
    return folder.resolve(relative(name));
  }

  /**
   * Makes a relative or absolute path of bytes.
   *
   * @param bytes the path as an image has it, not empty
   * @return the path, with runs of slashes as one
   * @throws FileSystemException if it is empty or holds NUL
   */
  static Path relative(FileName bytes) throws IOException {
    StringBuilder uri = new StringBuilder("file:///");
    for (byte b : bytes.bytes()) {
      if (b == 0) {
        throw new FileSystemException(bytes.toString(), null, "a path cannot hold NUL");
      }
      uri.append(b == '/' ? "/" : "%%%02X".formatted(b & 0xff));
    }
    Path absolute = Path.of(URI.create(uri.toString()));
    if (absolute.getNameCount() == 0) {
      return absolute;
    }
    boolean isRelative = bytes.bytes()[0] != '/';
    return isRelative ? absolute.subpath(0, absolute.getNameCount()) : absolute;
  }
}
