package dev.xip.nio;

import dev.xip.base.FileName;
import dev.xip.mount.ImageSource;
import dev.xip.mount.Recovery;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which image a caller means, and how it is to be read.
 *
 * @param file the file or block device that holds it
 * @param options what more the caller says, by the keys below
 */
record ImageName(Path file, SortedMap<String, String> options) {
  /** A partition of the disk in the file: {@code 2}, {@code label=NAME}, {@code uuid=UUID}, … */
  static final String PARTITION = "partition";

  /** Where the image or disk begins in the file, in bytes. */
  static final String OFFSET = "offset";

  /** The length of the image or disk, in bytes. */
  static final String SIZE = "size";

  /** The format to read the image as, if it has the magic numbers of several. */
  static final String FORMAT = "format";

  /** What is done with a journal that needs recovery, a constant of {@link Recovery}. */
  static final String RECOVERY = "recovery";

  private static final String[] KEYS = {PARTITION, OFFSET, SIZE, FORMAT, RECOVERY};

  private static final long TO_THE_END = -1;

  /** Copies the options. */
  ImageName {
    options = Collections.unmodifiableSortedMap(new TreeMap<>(options));
  }

  /** Takes the options that are known from an environment, in which they win. */
  ImageName with(Map<String, ?> environment) {
    SortedMap<String, String> all = new TreeMap<>(options);
    for (String key : KEYS) {
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
    ImageSource source = ImageSource.of(file);
    if (options.containsKey(OFFSET) || options.containsKey(SIZE)) {
      source = source.within(number(OFFSET, 0), number(SIZE, TO_THE_END));
    }
    if (options.containsKey(PARTITION)) {
      source = source.partition(options.get(PARTITION));
    }
    if (options.containsKey(RECOVERY)) {
      source = source.with(recovery(options.get(RECOVERY)));
    }
    return options.containsKey(FORMAT) ? source.as(options.get(FORMAT)) : source;
  }

  /** {@return whether the caller says where in the file the image lies, or what it is} */
  boolean isPlaced() {
    return !Set.of(RECOVERY).containsAll(options.keySet());
  }

  private static Recovery recovery(String value) {
    for (Recovery each : Recovery.values()) {
      if (each.name().equalsIgnoreCase(value)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        "%s=%s: expected one of %s".formatted(RECOVERY, value, List.of(Recovery.values())));
  }

  /** Reads a number, decimal or with the prefix 0x; zeros in front change nothing. */
  private long number(String key, long missing) {
    String value = options.get(key);
    try {
      if (value == null) {
        return missing;
      }
      return value.startsWith("0x")
          ? Long.parseLong(value.substring(2), 16)
          : Long.parseLong(value);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("%s=%s: expected a number".formatted(key, value), e);
    }
  }

  /** Takes what stands in a URI between two colons behind the file. */
  static void addOption(String text, Map<String, String> to) {
    int equals = text.indexOf('=');
    for (String key : KEYS) {
      if (equals > 0 && text.substring(0, equals).equals(key)) {
        to.put(key, text.substring(equals + 1));
        return;
      }
    }
    to.put(PARTITION, text);
  }

  /** {@return the beginning of the URIs of all files of the image} */
  String uriPrefix() {
    StringBuilder text = new StringBuilder(ImageUri.SCHEME).append(":file:");
    text.append(file.toUri().getRawSchemeSpecificPart().replace(":", "%3A")).append(':');
    options.forEach(
        (key, value) -> {
          text.append(key.equals(PARTITION) ? "" : key + "=");
          text.append(ImageUri.encoded(FileName.of(value)).replace("/", "%2F")).append(':');
        });
    return text.toString();
  }

  @Override
  public String toString() {
    return file + (options.isEmpty() ? "" : " " + options);
  }
}
