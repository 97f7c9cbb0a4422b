package dev.xip.segment;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * The longest time that a call waits for other processes, such as one that changes the store or
 * clears a data file. At the limit it fails with EBUSY or ETIMEDOUT, and the store is as it was.
 *
 * @param limit the longest wait, from nothing to {@link #LONGEST}
 * @param told receives one line that names the process, once for each wait that lasts a second
 * @param abandoned polled during a wait and before a change takes effect: true makes the call fail
 *     at once, because its requester has disconnected
 */
public record WaitLimit(Duration limit, Consumer<String> told, BooleanSupplier abandoned) {
  /** The longest limit. */
  public static final Duration LONGEST = Duration.ofDays(365);

  /** Ten seconds, without a message. */
  public static final WaitLimit DEFAULT = of(Duration.ofSeconds(10), line -> {});

  /** Rejects a limit that is negative or too long. */
  public WaitLimit {
    if (limit.isNegative() || limit.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          "wait limit %s: expected 0 to %s".formatted(limit, LONGEST));
    }
  }

  /**
   * Makes a limit for a call that is never abandoned.
   *
   * @param limit the longest wait, from nothing to {@link #LONGEST}
   * @param told receives one line that names the process, once for each wait that lasts a second
   * @return the limit
   */
  public static WaitLimit of(Duration limit, Consumer<String> told) {
    return new WaitLimit(limit, told, () -> false);
  }

  /** {@return the limit in seconds as messages show it, such as {@code 10} or {@code 0.5}} */
  public String seconds() {
    return BigDecimal.valueOf(limit.toMillis(), 3).stripTrailingZeros().toPlainString();
  }
}
