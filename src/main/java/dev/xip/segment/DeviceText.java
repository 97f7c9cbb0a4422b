package dev.xip.segment;

import dev.xip.base.Errno;
import java.util.ArrayList;
import java.util.List;

/**
 * Parses what is written to the attributes of segment devices and to the driver's parameter. Linux
 * counterpart: the parsing in drivers/s390/block/dcssblk.c.
 */
final class DeviceText {
  private static final String LOCAL = "(local)";

  private DeviceText() {}

  /**
   * One device of the driver's parameter.
   *
   * @param names the list of names, as {@link #names} takes it
   * @param suffix what follows the list, from the opening bracket on; may be empty
   */
  record Entry(String names, String suffix) {
    /**
     * Tells whether the device is to be private.
     *
     * @throws SegmentException EINVAL for a suffix that means nothing
     */
    boolean isLocal() throws SegmentException {
      if (!suffix.isEmpty() && !suffix.equals(LOCAL)) {
        throw new SegmentException(
            Errno.EINVAL,
            "segment device " + SegmentName.quote(names),
            "nothing or %s behind the names".formatted(LOCAL),
            SegmentName.quote(suffix));
      }
      return !suffix.isEmpty();
    }
  }

  /** Cuts input where the driver stops to read it: at a newline or a NUL. */
  private static String line(String text) {
    int end = 0;
    while (end < text.length() && text.charAt(end) != '\n' && text.charAt(end) != '\0') {
      end++;
    }
    return text.substring(0, end);
  }

  /**
   * Reads names with a colon between any two.
   *
   * @throws SegmentException if a name is empty or too long, also because a colon is doubled or
   *     trailing (ENAMETOOLONG), or holds a character that no name has (EINVAL)
   */
  static List<SegmentName> names(String text) throws SegmentException {
    List<SegmentName> names = new ArrayList<>();
    for (String each : line(text).split(":", -1)) {
      names.add(SegmentName.of(each));
    }
    return List.copyOf(names);
  }

  /** Reads one name, with the errors of {@link #names}. */
  static SegmentName name(String text) throws SegmentException {
    return SegmentName.of(line(text));
  }

  /**
   * Reads "0" or "1", followed by nothing or a newline.
   *
   * @throws SegmentException EINVAL for anything else
   */
  static boolean flag(String attribute, String text) throws SegmentException {
    String value = line(text);
    if (!value.equals("0") && !value.equals("1")) {
      throw new SegmentException(
          Errno.EINVAL, "attribute " + attribute, "0 or 1", SegmentName.quote(text));
    }
    return value.equals("1");
  }

  /** Splits the driver's parameter at its commas. One at the end is allowed, as in the driver. */
  static List<Entry> entries(String parameter) {
    List<Entry> entries = new ArrayList<>();
    String text = line(parameter);
    if (text.endsWith(",")) {
      text = text.substring(0, text.length() - 1);
    }
    if (parameter.isEmpty()) {
      return entries;
    }
    for (String each : text.split(",", -1)) {
      int bracket = each.indexOf('(');
      entries.add(
          bracket < 0
              ? new Entry(each, "")
              : new Entry(each.substring(0, bracket), each.substring(bracket)));
    }
    return entries;
  }
}
