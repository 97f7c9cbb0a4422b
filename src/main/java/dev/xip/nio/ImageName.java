package dev.xip.nio;

import dev.xip.base.FileName;
import dev.xip.mount.ImageSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which image a caller means, and how it is to be read.
 *
 * @param file the file or block device that holds it
 * @param options what more the caller says, by {@link ImageSource#OPTIONS}
 */
record ImageName(Path file, SortedMap<String, String> options) {
  /** Copies the options. */
  ImageName {
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  /** Takes the options that are known from an environment, in which they win. */
  ImageName with(Map<String, ?> environment) {
    SortedMap<String, String> all = new TreeMap<>(options);
    for (String key : ImageSource.OPTIONS) {
      if (environment.get(key) != null) {
        all.put(key, environment.get(key).toString());
      }
    }
    return new ImageName(file, all);
  }

  /** {@return the same, with the path of the file that has no links} */
  ImageName real() throws IOException {
    return new ImageName(file.toRealPath(), options);
  }

  /**
   * {@return where the image lies}
   *
   * @throws IllegalArgumentException if an option has a value that it cannot have
   */
  ImageSource source() {
    return ImageSource.of(file, options);
  }

  /** {@return whether the caller says where in the file the image lies, or what it is} */
  boolean isPlaced() {
    return !Set.of(ImageSource.RECOVERY).containsAll(options.keySet());
  }

  /** Takes what stands in a URI between two colons behind the file. */
  static void addOption(String text, Map<String, String> to) {
    int equals = text.indexOf('=');
    for (String key : ImageSource.OPTIONS) {
      if (equals > 0 && text.substring(0, equals).equals(key)) {
        to.put(key, text.substring(equals + 1));
        return;
      }
    }
    to.put(ImageSource.PARTITION, text);
  }

  /** {@return the beginning of the URIs of all files of the image} */
  String uriPrefix() {
    StringBuilder text = new StringBuilder(ImageUri.SCHEME).append(":file:");
    String path = file.toUri().getRawSchemeSpecificPart();
    text.append(path.replace(":", "%3A").replace("!", "%21")).append(':');
    options.forEach(
        (key, value) -> {
          text.append(key.equals(ImageSource.PARTITION) ? "" : key + "=");
          text.append(ImageUri.encoded(FileName.of(value)).replace("/", "%2F")).append(':');
        });
    return text.toString();
  }

  @Override
  public String toString() {
    return file + (options.isEmpty() ? "" : " " + options);
  }
}
