package dev.xip.measure;

import java.util.Locale;

/** Text of an HTML page or drawing that is well-formed XML. Every text in it passes {@link #of}. */
public final class XmlText {
  private static final char REPLACEMENT = 0xfffd;

  private final StringBuilder text = new StringBuilder();

  /** Starts without any text. */
  public XmlText() {}

  /**
   * Escapes a text, for content and for attributes in double quotes. A percent sign stays on the
   * line of its number.
   *
   * @param plain the text, such as a file name of an image
   * @return the same, with U+FFFD for each character that XML does not allow
   */
  public static String of(String plain) {
    StringBuilder escaped = new StringBuilder(plain.length() + 16);
    plain
        .replace(" %", "\u00a0%")
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(isAllowed(c) ? c : REPLACEMENT);
              }
            });
    return escaped.toString();
  }

  private static boolean isAllowed(int c) {
    return c == '\n'
        || c == '\t'
        || !Character.isISOControl(c)
            && Character.getType(c) != Character.SURROGATE
            && (c & 0xfffe) != 0xfffe;
  }

  /**
   * Adds markup as it is.
   *
   * @param markup the markup
   * @return this
   */
  public XmlText raw(String markup) {
    text.append(markup);
    return this;
  }

  /**
   * Adds markup in which each {@code %s} is an escaped text; numbers are formatted as in the code,
   * whatever the user's language.
   *
   * @param markup a format
   * @param texts its arguments
   * @return this
   */
  public XmlText add(String markup, Object... texts) {
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
