package dev.xip.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Brings back the bytes of arguments that are not UTF-8, which the JVM replaced: names in an image
 * are bytes, and {@code xip cat} must reach a file by the name that {@code xip ls} printed. A byte
 * that belongs to no UTF-8 character travels as the lone surrogate U+DC00 + byte, which no text
 * holds.
 */
final class RawArguments {
  private static final char ESCAPE = 0xdc00;
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
    List<byte[]> raw = null;
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].indexOf(REPLACEMENT) >= 0) {
        raw = raw == null ? commandLine() : raw;
        int index = raw.size() - arguments.length + i;
        recovered[i] = index >= 0 ? decode(raw.get(index)) : arguments[i];
      }
    }
    return recovered;
  }

  /**
   * Gives back an argument's bytes.
   *
   * @param argument an argument, perhaps recovered
   */
  static byte[] bytes(String argument) {
    if (!hasEscape(argument)) {
      return argument.getBytes(StandardCharsets.UTF_8);
    }
    ByteBuffer bytes = ByteBuffer.allocate(argument.length() * 3);
    for (int i = 0; i < argument.length(); ) {
      char c = argument.charAt(i);
      if (isEscape(c)) {
        bytes.put((byte) (c - ESCAPE));
        i++;
      } else {
        int next = argument.offsetByCodePoints(i, 1);
        bytes.put(argument.substring(i, next).getBytes(StandardCharsets.UTF_8));
        i = next;
      }
    }
    byte[] exact = new byte[bytes.position()];
    bytes.flip().get(exact);
    return exact;
  }

  private static boolean hasEscape(String argument) {
    // A loop, for the first stream of a process takes longer than to open an image.
    for (int i = 0; i < argument.length(); i++) {
      if (isEscape(argument.charAt(i))) {
        return true;
      }
    }
    return false;
  }

  private static boolean isEscape(char c) {
    return c >= ESCAPE + 0x80 && c <= ESCAPE + 0xff;
  }

  /**
   * Returns the arguments of this process, those of the JVM first; none if the system hides them.
   */
  private static List<byte[]> commandLine() {
    List<byte[]> arguments = new ArrayList<>();
    try {
      byte[] all = Files.readAllBytes(Path.of("/proc/self/cmdline"));
      int start = 0;
      for (int i = 0; i < all.length; i++) {
        if (all[i] == 0) {
          arguments.add(Arrays.copyOfRange(all, start, i));
          start = i + 1;
        }
      }
    } catch (IOException e) {
      return List.of();
    }
    return arguments;
  }

  /** Decodes UTF-8 and keeps each byte that is none. */
  static String decode(byte[] bytes) {
    StringBuilder text = new StringBuilder(bytes.length);
    int i = 0;
    while (i < bytes.length) {
      int length = sequenceLength(bytes[i]);
      String character = length == 0 ? null : strict(bytes, i, length);
      if (character == null) {
        text.append((char) (ESCAPE + (bytes[i] & 0xff)));
        i++;
      } else {
        text.append(character);
        i += length;
      }
    }
    return text.toString();
  }

  /** How many bytes a character has that starts with this one, 0 if none does. */
  private static int sequenceLength(byte first) {
    int b = first & 0xff;
    if (b < 0x80) {
      return 1;
    }
    return b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
  }

  private static String strict(byte[] bytes, int from, int length) {
    if (from + length > bytes.length) {
      return null;
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes, from, length))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
