package dev.xip.nio;

import dev.xip.base.FileName;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A {@code xip:} URI: {@code xip:}, the URI of the image's file, a colon, and the path of a file in
 * the image, as in {@code xip:file:///srv/debian.img:/usr/bin/env}. Behind the file may stand a
 * partition, as in {@code xip:file:///srv/disk.img:2:/etc}, and options of {@link ImageName}, each
 * with a colon before it. A colon of a name is written {@code %3A}; in the path, each byte that is
 * no ASCII letter or digit and not in {@code -._~+,=@} has this form, so that names which are not
 * UTF-8 keep their bytes. There is no {@code !/} in it, at which {@code jar:} URIs end the name of
 * their file: those can name a jar in an image.
 *
 * @param image the image
 * @param path the path in the image, absolute; null if the URI has none
 */
record ImageUri(ImageName image, FileName path) {
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
    FileName path = end < 0 ? null : PathNames.tidy(decoded(uri, uri.substring(end + 1)));
    String[] image =
        uri.substring(scheme + "file:".length(), end < 0 ? uri.length() : end).split(":", -1);
    SortedMap<String, String> options = new TreeMap<>();
    for (int i = 1; i < image.length; i++) {
      ImageName.addOption(decoded(uri, image[i]).exactText(), options);
    }
    return new ImageUri(new ImageName(Path.of(URI.create("file:" + image[0])), options), path);
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
