package dev.xip.segment;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * How long a call waits for other processes at most: for one that changes the store, or one that
 * clears a data file. At the limit it fails with EBUSY or ETIMEDOUT, and the store is as it was.
 *
 * @param limit the longest wait, from nothing to {@link #LONGEST}
 * @param told is given one line that names the process, once for each wait that lasts a second
 * @param abandoned asked again and again during a wait, and before a change takes effect, whether
 *     the call is to fail at once because what it is for has gone
 */
public record WaitLimit(Duration limit, Consumer<String> told, BooleanSupplier abandoned) {
  /** The longest limit. */
  public static final Duration LONGEST = Duration.ofDays(365);

  /** Ten seconds, of which nothing is told. */
  public static final WaitLimit DEFAULT = of(Duration.ofSeconds(10), line -> {});

  /** Rejects a limit that is none. */
  public WaitLimit {
    if (limit.isNegative() || limit.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "wait limit %s: expected 0 to %s".formatted(limit, LONGEST));
    }
  }

  /**
   * Makes a limit for a call that nothing abandons.
   *
   * @param limit the longest wait, from nothing to {@link #LONGEST}
   * @param told is given one line that names the process, once for each wait that lasts a second
   * @return the limit
   */
  public static WaitLimit of(Duration limit, Consumer<String> told) {
    return new WaitLimit(limit, told, () -> false);
  }

  /**
   * Returns the limit as messages show it.
   *
   * @return seconds, such as {@code 10} or {@code 0.5}, without a unit
   */
  public String seconds() {
    return BigDecimal.valueOf(limit.toMillis(), 3).stripTrailingZeros().toPlainString();
  }
}
