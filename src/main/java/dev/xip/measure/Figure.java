package dev.xip.measure;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * One row of a comparison: what xip needs for some work, and what the raw limit or a peer needs for
 * the same work in the same run.
 *
 * @param name the work, such as {@code random 8-byte reads}
 * @param params under what conditions, such as {@code bytes: 1 GiB}, in the order to be shown
 * @param unit what median and raw count, such as {@code ns/read}
 * @param median the median of all batches
 * @param against what it is held against, such as {@code raw} or {@code FileChannel.read}; empty if
 *     the goal is a bound for the median alone
 * @param raw the median of that, in the same unit; NaN if there is nothing
 * @param goal what is to be reached
 * @param limit what bare memory reaches of a goal to be ahead of something, or null if that is not
 *     known or the figure is held against bare memory itself
 */
public record Figure(
    String name,
    SequencedMap<String, String> params,
    String unit,
    double median,
    String against,
    double raw,
    Goal goal,
    Limit limit) {

  /** A figure that is held against its goal on every machine. */
  Figure(
      String name,
      SequencedMap<String, String> params,
      String unit,
      double median,
      String against,
      double raw,
      Goal goal) {
    this(name, params, unit, median, against, raw, goal, null);
  }

  /**
   * Makes conditions.
   *
   * @param namesAndValues each name followed by its value
   */
  static SequencedMap<String, String> params(String... namesAndValues) {
    SequencedMap<String, String> params = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      params.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return Collections.unmodifiableSequencedMap(params);
  }

  /**
   * Returns what is held against the goal's bound.
   *
   * @return how many times the other's figure this one is, or how many times ahead it is if that is
   *     what the goal asks for; NaN if there is no other
   */
  public double ratio() {
    return switch (goal.sense()) {
      case TIMES_AT_MOST, AHEAD_AT_LEAST -> goal.measure(median, raw);
      case ABOVE_AT_MOST -> median / raw;
      case AT_MOST -> Double.NaN;
    };
  }

  /**
   * Tells whether the goal is out of reach on this machine.
   *
   * @return true if bare memory missed it in this run as well
   */
  public boolean isLimited() {
    return limit != null && !goal.isMet(limit.median(), limit.raw());
  }

  /**
   * Returns what bare memory reaches.
   *
   * @return how many times ahead it is, NaN if there is no limit
   */
  public double limitRatio() {
    return limit == null ? Double.NaN : goal.measure(limit.median(), limit.raw());
  }

  /**
   * Tells whether the goal was met in this run, or, where it is out of reach, the share of what
   * bare memory reaches.
   *
   * @return true if so
   */
  public boolean met() {
    return judgedBy().isMet(median, raw);
  }

  /** The goal that counts on this machine. */
  Goal judgedBy() {
    return isLimited() ? Goal.ahead(limit.share() * limitRatio()) : goal;
  }
}
