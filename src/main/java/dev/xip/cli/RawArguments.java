package dev.xip.cli;

import dev.xip.base.FileName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Brings back the bytes of arguments and variables that are not UTF-8, which the JVM replaced:
 * names are bytes, and {@code xip cat} must reach a file by the name that {@code xip ls} printed. A
 * byte that belongs to no UTF-8 character travels as {@link FileName#exactText} has it.
 */
final class RawArguments {
  private static final char REPLACEMENT = 0xfffd;

  private RawArguments() {}

  /**
   * Replaces the arguments that lost bytes.
   *
   * @param arguments as the JVM gave them
   * @return the same, or as the system has them where that differs
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
   * Returns a variable of the environment.
   *
   * @param name its name
   * @return its value with every byte; null if it is not set or empty
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

  /** Returns the strings of a file of /proc/self; none if the system hides them. */
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
