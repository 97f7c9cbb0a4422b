package dev.xip.measure;

import java.util.Locale;

/**
 * The goal of a figure.
 *
 * @param sense how a figure is compared with the bound
 * @param bound a factor, or a number in the unit of the row
 */
public record Goal(Sense sense, double bound) {
  /** How a figure is compared with its bound. */
  public enum Sense {
    /** The figure is at most {@code bound} times the other one. */
    TIMES_AT_MOST,
    /** The figure is at least {@code bound} times better than the other one. */
    AHEAD_AT_LEAST,
    /** The figure itself is at most the bound. */
    AT_MOST,
    /** The figure exceeds the other one by at most the bound. */
    ABOVE_AT_MOST,
    /** A row for others to be compared with. */
    NONE
  }

  /** No goal: a row for others to be compared with. */
  static final Goal NONE = new Goal(Sense.NONE, 0);

  /** At most {@code factor} times the raw limit. */
  static Goal times(double factor) {
    return new Goal(Sense.TIMES_AT_MOST, factor);
  }

  /** At least {@code factor} times as fast as the peer. */
  static Goal ahead(double factor) {
    return new Goal(Sense.AHEAD_AT_LEAST, factor);
  }

  /** At most {@code bound}, in the unit of the row. */
  static Goal atMost(double bound) {
    return new Goal(Sense.AT_MOST, bound);
  }

  /** At most {@code bound} more than the raw limit, in the unit of the row. */
  static Goal above(double bound) {
    return new Goal(Sense.ABOVE_AT_MOST, bound);
  }

  /** {@return the number that is compared with the bound} */
  double measure(double median, double raw) {
    return switch (sense) {
      case TIMES_AT_MOST -> median / raw;
      case AHEAD_AT_LEAST -> raw / median;
      case AT_MOST -> median;
      case ABOVE_AT_MOST -> median - raw;
      case NONE -> 0;
    };
  }

  boolean isMet(double median, double raw) {
    double measured = measure(median, raw);
    return sense == Sense.AHEAD_AT_LEAST ? measured >= bound : measured <= bound;
  }

  /**
   * {@return the goal as text, such as {@code <= 1.5 x}, {@code >= 40 x ahead} or {@code <= 100}}
   */
  @Override
  public String toString() {
    String number =
        bound == Math.rint(bound)
            ? Long.toString((long) bound)
            : String.format(Locale.ROOT, "%.2f", bound).replaceAll("0+$", "");
    return switch (sense) {
      case TIMES_AT_MOST -> "<= " + number + " x";
      case AHEAD_AT_LEAST -> ">= " + number + " x ahead";
      case AT_MOST -> "<= " + number;
      case ABOVE_AT_MOST -> "<= raw + " + number;
      case NONE -> "";
    };
  }
}
