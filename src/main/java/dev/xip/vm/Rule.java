package dev.xip.vm;

import java.util.Locale;

/**
 * One difference between releases of Linux. A machine keeps a rule or does not, as its {@link
 * Rules} say.
 *
 * <p>Lock held by the caller: none needed.
 */
public enum Rule {
  /**
   * Fork copies the entries of every mapping with MIXEDMAP; without, it leaves those without
   * private copies for the child to fault in.
   */
  FORK_WALKS_MIXED_MAPS("3.7", "fork copies the entries of every mixed mapping"),

  /**
   * A fault keeps truncation out from its check of the file's size until it has inserted the entry;
   * without, it can leave an entry for a block that was freed meanwhile.
   */
  FAULT_HOLDS_FILE_LOCK("4.0", "a fault keeps truncation out until its entry is in"),

  /**
   * The page that stands for holes is inserted under a mutex and a sequence count; without, it can
   * outlive the hole.
   */
  SPARSE_PAGE_GUARDED("2.6.27", "the page of a hole is inserted under a mutex and a count"),

  /** A mapping of device memory has DONTEXPAND and DONTDUMP; without, it has RESERVED. */
  DEVICE_MAPS_NOT_DUMPED("3.7", "a mapping of device memory has DONTDUMP in place of RESERVED"),

  /** A read fault maps the pages around it that are in the page cache; without, its page alone. */
  CACHE_FAULT_AROUND("3.15", "a read fault maps the pages around it that are in the page cache"),

  /**
   * One entry maps 2 MiB or 1 GiB of a file where the architecture has special leaves of that size
   * and the special bit decides about page frames.
   */
  HUGE_LEAVES("4.5", "one entry maps 2 MiB or 1 GiB of a file"),

  /** Huge leaves map page frame numbers too (6da8e9634bb7 and the patches around it). */
  HUGE_PFN_MAPS("6.12", "one entry maps 2 MiB or 1 GiB of a mapping with PFNMAP"),

  /** madvise makes guard regions of anonymous memory that could become writable. */
  GUARD_REGIONS("6.13", "madvise makes guard regions of anonymous memory"),

  /** The same of any mapping that may merge (f807123d578d). */
  GUARD_REGIONS_ANYWHERE("6.15", "madvise makes guard regions of files and read-only memory too"),

  /**
   * A flag of the mapping tells fork that it may hold guard regions; without, the mapping gets the
   * history of private pages that makes fork copy its entries.
   */
  GUARD_FLAG("6.19", "fork knows guard regions by a flag of their mapping");

  private final Release since;
  private final String sentence;

  Rule(String since, String sentence) {
    this.since = Release.of(since);
    this.sentence = sentence;
  }

  /**
   * Tells whether a release keeps the rule.
   *
   * @param release a mainline release
   * @return true if it does
   */
  public boolean holdsIn(Release release) {
    return since.compareTo(release) <= 0;
  }

  /** {@return what holds with the rule, in one sentence} */
  public String sentence() {
    return sentence;
  }

  /** The rule's bit in a set. */
  long bit() {
    return 1L << ordinal();
  }

  /** {@return its name as people write it, such as {@code huge-leaves}} */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
