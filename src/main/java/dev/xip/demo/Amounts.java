package dev.xip.demo;

/** Amounts as the demo's text and picture show them. */
public final class Amounts {
  private static final long SHOWN_IN_BYTES = 1 << 20;
  private static final long SHOWN_IN_MIB = 1L << 33;

  private Amounts() {}

  /**
   * {@return an amount of memory: bytes, MiB with one decimal, or whole GiB}
   *
   * @param bytes the amount
   */
  public static String size(long bytes) {
    return bytes < SHOWN_IN_BYTES
        ? "%,d bytes".formatted(bytes)
        : bytes < SHOWN_IN_MIB
            ? "%,.1f MiB".formatted(bytes / 0x1p20)
            : "%,d GiB".formatted(bytes >> 30);
  }

  /**
   * {@return a count with its noun}
   *
   * @param count the count
   * @param noun the singular of a noun whose plural ends in s
   */
  public static String plural(long count, String noun) {
    return "%,d %s%s".formatted(count, noun, count == 1 ? "" : "s");
  }
}
