package dev.xip.cli;

import picocli.CommandLine.Option;

/** How a command prints sizes: as ls -h does, which rounds up, or exactly. */
final class Sizes {
  /** The units from 1024 on, each 1024 times the one before; --size takes the first three too. */
  private static final String UNITS = "KMGTPE";

  private static final int UNIT_SHIFT = 10;
  private static final int UNIT = 1 << UNIT_SHIFT;

  @Option(
      names = "--bytes",
      description = "Print sizes in bytes; default: from 1024 on in K, M, G, powers of 1024.")
  private boolean exact;

  Sizes() {}

  /** {@return a size for a column} */
  String of(long bytes) {
    return exact ? Long.toString(bytes) : readable(bytes);
  }

  /** {@return a size for a sentence, with its unit} */
  String text(long bytes) {
    return exact ? "%,d bytes".formatted(bytes) : readableText(bytes);
  }

  /** {@return a size for a sentence, with its unit, that a person reads} */
  static String readableText(long bytes) {
    return bytes < UNIT ? bytes + " bytes" : readable(bytes);
  }

  /** {@return a size that a person reads, and the exact one if that is another} */
  static String both(long bytes) {
    String exact = "%,d bytes".formatted(bytes);
    return bytes < UNIT ? exact : readable(bytes) + ", " + exact;
  }

  private static String readable(long bytes) {
    if (bytes < UNIT) {
      return Long.toString(bytes);
    }
    for (int i = 0; ; i++) {
      int shift = UNIT_SHIFT * (i + 1);
      long whole = bytes >>> shift;
      long rest = bytes & (1L << shift) - 1;
      // Unsigned, as ten times the rest of an exbibyte has 64 bits.
      long tenths = whole * 10 + Long.divideUnsigned(rest * 10 + (1L << shift) - 1, 1L << shift);
      if (tenths < 100) {
        return tenths / 10 + "." + tenths % 10 + UNITS.charAt(i);
      }
      long up = rest == 0 ? whole : whole + 1;
      if (up < UNIT) {
        return Long.toString(up) + UNITS.charAt(i);
      }
    }
  }
}
