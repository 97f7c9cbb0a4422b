package dev.xip.measure;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * One row of a comparison: the median of xip for some work, and that of the raw limit or of a peer
 * for the same work in the same run.
 *
 * @param name the work, such as {@code random 8-byte reads}
 * @param params the conditions, such as {@code bytes: 1 GiB}, in the order of display
 * @param unit the unit of median and raw, such as {@code ns/read}
 * @param median the median of all rounds
 * @param against what it is compared with, such as {@code raw} or {@code FileChannel.read}; empty
 *     if the goal is a bound for the median alone
 * @param raw the median of that, in the same unit; NaN if there is none
 * @param goal its goal
 * @param limit what bare memory reaches of a goal to be ahead of a peer; null if that was not
 *     measured or the figure is compared with bare memory itself
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

  /** A figure whose goal is the same on every machine. */
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

  /** The figure of a contender whose goal is a bound. Precondition: the race has been run. */
  static Figure of(Contender ours, SequencedMap<String, String> params, String unit, Goal goal) {
    return new Figure(ours.name(), params, unit, ours.median(), "", Double.NaN, goal);
  }

  /** The figure of a contender against another one. Precondition: the race has been run. */
  static Figure of(
      Contender ours,
      SequencedMap<String, String> params,
      String unit,
      Contender other,
      Goal goal) {
    return new Figure(ours.name(), params, unit, ours.median(), other.name(), other.median(), goal);
  }

  /** The figure of a contender whose peer this host does not have. */
  static Figure ofMissing(
      Contender ours, SequencedMap<String, String> params, String unit, String missing, Goal goal) {
    return new Figure(ours.name(), params, unit, ours.median(), missing, Double.NaN, goal);
  }

  /** The same figure with what bare memory reaches. */
  Figure withLimit(Limit limit) {
    return new Figure(name, params, unit, median, against, raw, goal, limit);
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
   * {@return how many times the other figure this one is, or how many times ahead of it if the goal
   * is to be ahead; NaN if there is no other}
   */
  public double ratio() {
    return switch (goal.sense()) {
      case TIMES_AT_MOST, AHEAD_AT_LEAST -> goal.measure(median, raw);
      case ABOVE_AT_MOST -> median / raw;
      case AT_MOST, NONE -> Double.NaN;
    };
  }

  /** {@return true if the goal is out of reach here: bare memory missed it in this run as well} */
  public boolean isLimited() {
    return limit != null && !goal.isMet(limit.median(), limit.raw());
  }

  /** {@return how many times ahead of the peer bare memory is, NaN if there is no limit} */
  public double limitRatio() {
    return limit == null ? Double.NaN : goal.measure(limit.median(), limit.raw());
  }

  /**
   * {@return true if this run met the goal or, where that is out of reach, the required share of
   * what bare memory reaches}
   */
  public boolean met() {
    return effectiveGoal().isMet(median, raw);
  }

  /** {@return the goal, or the one in its place where it is out of reach} */
  Goal effectiveGoal() {
    return isLimited() ? Goal.ahead(limit.share() * limitRatio()) : goal;
  }
}
