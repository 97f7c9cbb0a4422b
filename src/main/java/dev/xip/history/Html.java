package dev.xip.history;

import java.util.Locale;

/** Text of an HTML page that is well-formed XML too. Every text of a finding passes {@link #of}. */
final class Html {
  private final StringBuilder text = new StringBuilder();

  /**
   * Escapes a text, for content and for attributes in double quotes. A percent sign stays on the
   * line of its number.
   */
  static String of(String plain) {
    StringBuilder escaped = new StringBuilder(plain.length() + 16);
    String kept = plain.replace(" %", "\u00a0%");
    for (int i = 0; i < kept.length(); i++) {
      char c = kept.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        case '\'' -> escaped.append("&#39;");
        default -> escaped.append(c < ' ' && c != '\n' && c != '\t' ? '\ufffd' : c);
      }
    }
    return escaped.toString();
  }

  /** Adds markup as it is. */
  Html raw(String markup) {
    text.append(markup);
    return this;
  }

  /**
   * Adds markup in which each {@code %s} is an escaped text; numbers are formatted as in the code,
   * whatever the user's language.
   */
  Html add(String markup, Object... texts) {
    Object[] escaped = new Object[texts.length];
    for (int i = 0; i < texts.length; i++) {
      escaped[i] = texts[i] instanceof String plain ? of(plain) : texts[i];
    }
    text.append(String.format(Locale.ROOT, markup, escaped));
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
