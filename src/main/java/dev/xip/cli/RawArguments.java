package dev.xip.cli;

import dev.xip.base.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Recovers the bytes of arguments and variables that are not UTF-8, which the JVM replaced: names
 * are bytes, and {@code xip cat} must reach a file by the name that {@code xip ls} printed. A byte
 * outside UTF-8 becomes a character as in {@link FileName#exactText}.
 */
final class RawArguments {
  private static final char REPLACEMENT = 0xfffd;

  private RawArguments() {}

  /**
   * {@return the arguments, those that lost bytes replaced by those of /proc/self/cmdline}
   *
   * @param arguments as the JVM passed them
   */
  static String[] recover(String[] arguments) {
    String[] recovered = arguments.clone();
    List<FileName> raw = null;
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].indexOf(REPLACEMENT) >= 0) {
        raw = raw == null ? strings("cmdline") : raw;
        // The arguments of the JVM come first.
        int index = raw.size() - arguments.length + i;
        recovered[i] = index >= 0 ? raw.get(index).exactText() : arguments[i];
      }
    }
    return recovered;
  }

  /**
   * {@return the value of an environment variable with every byte; null if it is unset or empty}
   *
   * @param name its name
   */
  static String variable(String name) {
    String value = System.getenv(name);
    if (value == null || value.isEmpty() || value.indexOf(REPLACEMENT) < 0) {
      return value == null || value.isEmpty() ? null : value;
    }
    String start = name + "=";
    for (FileName each : strings("environ")) {
      String text = each.exactText();
      if (text.startsWith(start)) {
        return text.substring(start.length());
      }
    }
    return value;
  }

  /** {@return the strings of a file of /proc/self; none if it cannot be read} */
  private static List<FileName> strings(String file) {
    List<FileName> strings = new ArrayList<>();
    try {
      byte[] all = Files.readAllBytes(Path.of("/proc/self", file));
      int start = 0;
      for (int i = 0; i < all.length; i++) {
        if (all[i] == 0) {
          strings.add(FileName.of(Arrays.copyOfRange(all, start, i)));
          start = i + 1;
        }
      }
    } catch (IOException e) {
      return List.of();
    }
    return strings;
  }
}
