package dev.xip.host;

import dev.xip.base.FileName;
import java.net.URI;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.util.Arrays;

/**
 * Converts host paths to bytes and back. A {@link Path} of the default file system holds bytes, but
 * is made from text and shown as text, which cannot hold bytes that are invalid in the locale's
 * encoding; a file URI can.
 */
public final class HostPaths {
  /** How the JVM turns file names into bytes, which need not be UTF-8. */
  private static final Charset ENCODING =
      Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"), StandardCharsets.UTF_8);

  private static final char REPLACEMENT = 0xfffd;
  private static final Path ROOT = Path.of("/");

  private HostPaths() {}

  /**
   * Makes a path of bytes.
   *
   * @param bytes an absolute or relative path; runs of slashes count as one
   * @return the path, of the default file system
   * @throws InvalidPathException if it holds NUL
   */
  public static Path of(FileName bytes) {
    if (bytes.length() == 0) {
      return Path.of("");
    }
    StringBuilder uri = new StringBuilder("file:///");
    for (byte b : bytes.bytes()) {
      if (b == 0) {
        throw new InvalidPathException(bytes.toString(), "a path cannot hold NUL");
      }
      uri.append(b == '/' ? "/" : "%%%02X".formatted(b & 0xff));
    }
    Path absolute = Path.of(URI.create(uri.toString()));
    boolean isAbsolute = bytes.at(0) == '/' || absolute.getNameCount() == 0;
    return isAbsolute ? absolute : absolute.subpath(0, absolute.getNameCount());
  }

  /**
   * Makes a path of what a user typed. A slash at its end, which Java's paths drop, requires a
   * folder.
   *
   * @param text the text, see {@link FileName#exactText}
   * @return the path; with a dot as its last name if it must be a folder and is none
   * @throws InvalidPathException if it holds NUL
   */
  public static Path typed(String text) {
    Path path = of(FileName.of(text));
    boolean plain = !text.endsWith("/") || Files.isDirectory(path);
    return plain ? path : path.resolve(".");
  }

  /**
   * Returns the bytes of a path.
   *
   * @param path a path of the default file system
   * @return what the system takes; {@code .} for the empty path, which means the working folder
   */
  public static FileName nameOf(Path path) {
    if (path.getFileSystem() != FileSystems.getDefault()) {
      throw new ProviderMismatchException(path + ": expected a path of the default file system");
    }
    String text = path.toString();
    if (text.isEmpty()) {
      return FileName.of(".");
    }
    return text.indexOf(REPLACEMENT) < 0
        ? FileName.of(text.getBytes(ENCODING))
        : FileName.of(bytesOf(path));
  }

  /**
   * Returns a path as text that keeps every byte, for a message or a name.
   *
   * @param path a path of the default file system
   * @return the text, see {@link FileName#exactText}
   */
  public static String text(Path path) {
    String text = path.toString();
    return text.indexOf(REPLACEMENT) < 0 ? text : nameOf(path).exactText();
  }

  /** Decodes the path's URI, which is that of an absolute path and may end in a slash. */
  private static byte[] bytesOf(Path path) {
    String uri = ROOT.resolve(path).toUri().getRawPath();
    byte[] bytes = new byte[uri.length()];
    int length = 0;
    for (int i = 0; i < uri.length(); i++) {
      boolean escaped = uri.charAt(i) == '%';
      bytes[length++] = (byte) (escaped ? Integer.parseInt(uri, i + 1, i + 3, 16) : uri.charAt(i));
      i += escaped ? 2 : 0;
    }
    int start = path.isAbsolute() ? 0 : 1;
    return Arrays.copyOfRange(bytes, start, bytes[length - 1] == '/' ? length - 1 : length);
  }
}
