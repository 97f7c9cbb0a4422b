package dev.xip.segment;

import dev.xip.base.Errno;

/**
 * The name of a segment: 1 to 8 of the letters A to Z, the digits and {@code $ # @ _}, which is
 * what the hypervisor allows in file names of its own and what is safe as a file name here. Names
 * are upper case; {@link #of} folds.
 *
 * @param value the name in upper case, without the blanks that pad it to 8 in the hypervisor
 */
public record SegmentName(String value) implements Comparable<SegmentName> {
  /** The longest name, in characters. */
  public static final int MAX_LENGTH = 8;

  private static final String OTHER_CHARACTERS = "$#@_";

  /** Accepts a name in upper case only. */
  public SegmentName {
    try {
      if (!fold(value).equals(value)) {
        throw new IllegalArgumentException("segment name %s is not upper case".formatted(value));
      }
    } catch (SegmentException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /**
   * Makes a name from user input.
   *
   * @param text the name, in any case
   * @return the name
   * @throws SegmentException if it is empty or longer than 8 (ENAMETOOLONG), or holds a character
   *     that no name has (EINVAL)
   */
  public static SegmentName of(String text) throws SegmentException {
    return new SegmentName(fold(text));
  }

  private static String fold(String text) throws SegmentException {
    if (text.isEmpty() || text.length() > MAX_LENGTH) {
      throw new SegmentException(
          Errno.ENAMETOOLONG,
          "segment name " + quote(text),
          "1 to %d characters".formatted(MAX_LENGTH),
          text.isEmpty() ? "none" : text.length() + " characters");
    }
    StringBuilder folded = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      // Only ASCII is folded: other alphabets have letters whose upper case is two characters.
      char upper = c >= 'a' && c <= 'z' ? (char) (c - 'a' + 'A') : c;
      boolean known = upper >= 'A' && upper <= 'Z' || upper >= '0' && upper <= '9';
      if (!known && OTHER_CHARACTERS.indexOf(upper) < 0) {
        throw new SegmentException(
            Errno.EINVAL,
            "segment name " + quote(text),
            "only letters A to Z, digits and $ # @ _",
            "%s as character %d".formatted(quote(text.substring(i, i + 1)), i + 1));
      }
      folded.append(upper);
    }
    return folded.toString();
  }

  /** Puts text that may hold anything into quotes, on one line and at most 60 characters long. */
  static String quote(String text) {
    StringBuilder shown = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      if (i == 60) {
        return shown.append("…\"").toString();
      }
      char c = text.charAt(i);
      shown.append(c > 0x1f && c < 0x7f ? String.valueOf(c) : "\\u%04x".formatted((int) c));
    }
    return shown.append('"').toString();
  }

  @Override
  public int compareTo(SegmentName other) {
    return value.compareTo(other.value);
  }

  @Override
  public String toString() {
    return value;
  }
}
