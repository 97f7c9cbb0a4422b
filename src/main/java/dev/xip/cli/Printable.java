package dev.xip.cli;

import dev.xip.base.FileName;

/**
 * How text is shown that others may have written: names, labels, what files of a store and tools
 * say. All that is printed comes through here. A terminal obeys control characters and lets others
 * turn round or hide what stands beside them, so there they become {@code \x1b}, <code>&#92;u202e
 * </code> and the like; whatever else reads what is printed gets the bytes.
 */
final class Printable {
  private static final char NEXT_LINE = 0x85;
  private static final char LINE_SEPARATOR = 0x2028;
  private static final char PARAGRAPH_SEPARATOR = 0x2029;

  private Printable() {}

  /** Returns what a terminal shows as it is and on one line. */
  static String onTerminal(String text) {
    return escaped(text, true);
  }

  /** Returns text that is one line to whatever program reads it. */
  static String onOneLine(String text) {
    return escaped(text, false);
  }

  /** Returns the bytes of text, those included that are no UTF-8. */
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

  /**
   * Tells whether a program could take a character for the end of a line, or a terminal obey it.
   */
  private static boolean isBreak(int c) {
    return c < 0x20
        || c == 0x7f
        || c == NEXT_LINE
        || c == LINE_SEPARATOR
        || c == PARAGRAPH_SEPARATOR;
  }

  /** Tells whether a character is no sign to be seen but says what becomes of others. */
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
