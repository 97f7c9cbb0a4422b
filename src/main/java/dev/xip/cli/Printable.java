package dev.xip.cli;

import dev.xip.base.FileName;

/**
 * Escapes text that other users may have written: names, labels, contents of a store, messages of
 * tools. Everything printed passes through here. A terminal obeys control characters, and format
 * characters reverse or hide their neighbours, so on a terminal they are printed as in {@code \x1b}
 * and <code>&#92;u202e</code>; pipes and files get the bytes.
 */
final class Printable {
  private static final char NEXT_LINE = 0x85;
  private static final char LINE_SEPARATOR = 0x2028;
  private static final char PARAGRAPH_SEPARATOR = 0x2029;

  private Printable() {}

  /** {@return the text with every character escaped that a terminal obeys or breaks lines at} */
  static String onTerminal(String text) {
    return escaped(text, true);
  }

  /** {@return the text with every character escaped at which a program may break lines} */
  static String onOneLine(String text) {
    return escaped(text, false);
  }

  /** {@return the bytes of a text, including those outside UTF-8} */
  static byte[] bytes(String text) {
    return FileName.of(text).bytes();
  }

  private static String escaped(String text, boolean terminal) {
    int plain = 0;
    while (plain < text.length() && isPlain(text.charAt(plain))) {
      plain++;
    }
    if (plain == text.length()) {
      return text;
    }
    StringBuilder shown = new StringBuilder(text.length() + 16).append(text, 0, plain);
    for (int i = plain; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (terminal ? isObeyed(c) : isBreak(c)) {
        escape(c, shown);
      } else {
        shown.appendCodePoint(c);
      }
    }
    return shown.toString();
  }

  private static boolean isPlain(char c) {
    return c >= 0x20 && c < 0x7f;
  }

  /** {@return whether a program may break lines at a character, or a terminal obey it} */
  private static boolean isBreak(int c) {
    return c < 0x20
        || c == 0x7f
        || c == NEXT_LINE
        || c == LINE_SEPARATOR
        || c == PARAGRAPH_SEPARATOR;
  }

  /** {@return whether a character is invisible and controls the display of others} */
  static boolean isObeyed(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      default -> false;
    };
  }

  private static void escape(int c, StringBuilder shown) {
    if (c < 0x80 || c <= Character.MAX_VALUE && FileName.isEscape((char) c)) {
      shown.append("\\x%02x".formatted(c & 0xff));
    } else if (c <= Character.MAX_VALUE) {
      shown.append("\\u%04x".formatted(c));
    } else {
      shown.append("\\U%08x".formatted(c));
    }
  }
}
