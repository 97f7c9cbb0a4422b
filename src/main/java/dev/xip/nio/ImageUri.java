package dev.xip.nio;

import dev.xip.base.FileName;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * A {@code xip:} URI: {@code xip:}, the URI of the image's file, a colon, and the path of a file in
 * the image, as in {@code xip:file:///srv/debian.img:/usr/bin/env}. In both, a colon of a name is
 * written {@code %3A}; in the path, each byte that is no ASCII letter or digit and not in {@code
 * -._~+,=@} has this form, so that names which are not UTF-8 keep their bytes. There is no {@code
 * !/} in it, at which {@code jar:} URIs end the name of their file: those can name a jar in an
 * image.
 *
 * @param image the image's file
 * @param path the path in the image, absolute; null if the URI has none
 */
record ImageUri(Path image, FileName path) {
  /** The scheme, in the case in which it is written. */
  static final String SCHEME = "xip";

  private static final String PLAIN =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+,=@/";

  private static final String SEPARATOR = ":/";

  /**
   * Takes a URI apart.
   *
   * @throws IllegalArgumentException if it has another form
   */
  static ImageUri of(URI uri) {
    if (uri.getRawFragment() != null) {
      throw new IllegalArgumentException(uri + ": expected no fragment");
    }
    return of(uri.toString());
  }

  /** Takes the text of a URI apart; it may hold characters that a {@link URI} cannot. */
  static ImageUri of(String uri) {
    int scheme = SCHEME.length() + 1;
    if (!uri.regionMatches(true, 0, SCHEME + ":file:", 0, scheme + "file:".length())) {
      throw new IllegalArgumentException(uri + ": expected xip:file:///IMAGE:/PATH");
    }
    int end = uri.indexOf(SEPARATOR, scheme + "file:".length());
    String image = uri.substring(scheme, end < 0 ? uri.length() : end);
    FileName path = end < 0 ? null : PathNames.tidy(decoded(uri, uri.substring(end + 1)));
    return new ImageUri(Path.of(URI.create(image)), path);
  }

  private static FileName decoded(String uri, String path) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int i = 0; i < path.length(); ) {
      int end = path.indexOf('%', i);
      bytes.writeBytes(
          path.substring(i, end < 0 ? path.length() : end).getBytes(StandardCharsets.UTF_8));
      i = end < 0 ? path.length() : end;
      if (end >= 0) {
        bytes.write(octet(uri, path, end));
        i += 3;
      }
    }
    FileName decoded = FileName.of(bytes.toByteArray());
    for (int i = 0; i < decoded.length(); i++) {
      if (decoded.at(i) == 0) {
        throw new IllegalArgumentException(uri + ": a path cannot hold NUL");
      }
    }
    return decoded;
  }

  private static int octet(String uri, String path, int at) {
    int high = at + 2 < path.length() ? Character.digit(path.charAt(at + 1), 16) : -1;
    int low = at + 2 < path.length() ? Character.digit(path.charAt(at + 2), 16) : -1;
    if (high < 0 || low < 0) {
      throw new IllegalArgumentException(uri + ": expected two hexadecimal digits after %");
    }
    return high << 4 | low;
  }

  /** {@return the beginning of the URIs of all files of an image} */
  static String prefix(Path image) {
    String file = image.toUri().toString();
    int scheme = file.indexOf(':') + 1;
    return SCHEME
        + ":"
        + file.substring(0, scheme)
        + file.substring(scheme).replace(":", "%3A")
        + ":";
  }

  /** {@return a path in the form that URIs have} */
  static String encoded(FileName path) {
    StringBuilder text = new StringBuilder(path.length() + 16);
    for (int i = 0; i < path.length(); i++) {
      char c = (char) (path.at(i) & 0xff);
      if (PLAIN.indexOf(c) >= 0) {
        text.append(c);
      } else {
        text.append("%%%02X".formatted((int) c));
      }
    }
    return text.toString();
  }
}
