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
 */
public record Figure(
    String name,
    SequencedMap<String, String> params,
    String unit,
    double median,
    String against,
    double raw,
    Goal goal) {

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
   * Tells whether the goal was met in this run.
   *
   * @return true if so
   */
  public boolean met() {
    return goal.isMet(median, raw);
  }
}
