package dev.xip.vm;

import dev.xip.base.Errno;
import java.util.Arrays;

/**
 * The rules that a machine keeps from boot on, where releases of Linux differ. Code on a hot path
 * reads those that it needs into final fields when it is made.
 *
 * <p>Lock held by the caller: none needed.
 */
public final class Rules {
  /** The number of entries of the smallest table of any architecture. */
  public static final int MOST_FAULT_AROUND = 256;

  /**
   * The default: 3.19 without its known race, and with what later releases and we do better:
   * fault-around of 16 pages as for files in the page cache since 3.15, huge leaves as for DAX, a
   * MAP_POPULATE that goes on, and mremap and MAP_FIXED_NOREPLACE as of today.
   */
  public static final Rules DEFAULT =
      of(Release.of("3.19"))
          .with(
              Rule.FAULT_HOLDS_FILE_LOCK,
              Rule.HUGE_LEAVES,
              Rule.INVALIDATION_EMPTIES_HOLES,
              Rule.MAP_COUNT_DROPS_AFTER_FLUSH,
              Rule.POPULATE_PASSES_SPECIAL,
              Rule.FIXED_NOREPLACE,
              Rule.MREMAP_GROWTH_MERGES,
              Rule.MREMAP_CHECKS_FIRST,
              Rule.FORK_FLUSHES_FOR_CHANGES)
          .withFaultAround(16);

  private final long bits;
  private final int faultAroundPages;

  private Rules(long bits, int faultAroundPages) {
    this.bits = bits;
    this.faultAroundPages = faultAroundPages;
  }

  /**
   * Returns the rules of a release.
   *
   * @param release a mainline release
   * @return all that it keeps; a fault maps the page itself alone
   */
  static Rules of(Release release) {
    return new Rules(0, 1)
        .with(
            Arrays.stream(Rule.values())
                .filter(rule -> rule.holdsIn(release))
                .toArray(Rule[]::new));
  }

  /**
   * Tells whether a rule is kept.
   *
   * @param rule the rule
   * @return true if it is
   */
  public boolean has(Rule rule) {
    return (bits & rule.bit()) != 0;
  }

  /**
   * Adds rules.
   *
   * @param more what is kept as well
   * @return the rules
   */
  public Rules with(Rule... more) {
    return new Rules(bits | bitsOf(more), faultAroundPages);
  }

  /**
   * Takes rules away.
   *
   * @param fewer what is not kept
   * @return the rules
   */
  public Rules without(Rule... fewer) {
    return new Rules(bits & ~bitsOf(fewer), faultAroundPages);
  }

  private static long bitsOf(Rule... rules) {
    return Arrays.stream(rules).mapToLong(Rule::bit).reduce(0, (a, b) -> a | b);
  }

  /**
   * {@return the size of the aligned group of pages that a read fault maps, as far as they lie in
   * memory: a power of two, from 1 (the page itself) to {@value #MOST_FAULT_AROUND}}
   */
  public int faultAroundPages() {
    return faultAroundPages;
  }

  /**
   * Changes how many pages a fault maps.
   *
   * @param pages a power of two; 1 for the page itself
   * @return the rules
   * @throws IllegalArgumentException if that is not so, or more than {@value #MOST_FAULT_AROUND}
   */
  public Rules withFaultAround(int pages) {
    if (Integer.bitCount(pages) != 1 || pages < 1 || pages > MOST_FAULT_AROUND) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "%d pages for a fault: expected a power of two, at most %d",
              pages, MOST_FAULT_AROUND));
    }
    return new Rules(bits, pages);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Rules rules
        && bits == rules.bits
        && faultAroundPages == rules.faultAroundPages;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(bits) + faultAroundPages;
  }

  /** Prints the rules that are kept. */
  @Override
  public String toString() {
    return Arrays.stream(Rule.values()).filter(this::has).toList()
        + ", %d pages for a fault".formatted(faultAroundPages);
  }
}
