package dev.xip.vm;

/**
 * A state of Linux that a machine can boot as.
 *
 * <p>Lock held by the caller: none needed.
 */
public enum Era {
  /** The state that the thread began with. */
  LINUX_2_6_24("2.6.24"),
  /** The release that the special bit came with. */
  LINUX_2_6_26("2.6.26"),
  /** The zero page is back, and special. */
  LINUX_2_6_32("2.6.32"),
  /** The last release with filemap_xip. */
  LINUX_3_19("3.19"),
  /** DAX, before it went back to page frames. */
  LINUX_4_5("4.5"),
  /** Today. */
  LINUX_6_19("6.19"),
  /** What a machine boots as if nothing else is said. */
  XIP("xip", Rules.DEFAULT);

  private final String label;
  private final Rules rules;

  Era(String release) {
    this(release, Rules.of(Release.of(release)));
  }

  Era(String label, Rules rules) {
    this.label = label;
    this.rules = rules;
  }

  /**
   * Finds an era by its name.
   *
   * @param label such as {@code 2.6.26}
   * @return the era
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  public static Era named(String label) {
    return Names.find("era", label, values());
  }

  /** {@return the rules of a machine of the era} */
  public Rules rules() {
    return rules;
  }

  /** {@return its name, such as {@code 2.6.26}} */
  @Override
  public String toString() {
    return label;
  }
}
