package dev.xip.vm;

import java.util.Comparator;

/**
 * A mainline release of Linux.
 *
 * <p>Lock held by the caller: none needed.
 *
 * @param major 2 in 2.6.26 and 3 in 3.19
 * @param minor 6 in 2.6.26 and 19 in 3.19
 * @param patch 26 in 2.6.26; 0 where a release has two numbers
 */
public record Release(int major, int minor, int patch) implements Comparable<Release> {
  private static final Comparator<Release> ORDER =
      Comparator.comparingInt(Release::major)
          .thenComparingInt(Release::minor)
          .thenComparingInt(Release::patch);

  /** The release of a name such as {@code 2.6.26} or {@code 3.19}. */
  static Release of(String name) {
    String[] parts = name.split("\\.");
    return new Release(
        Integer.parseInt(parts[0]),
        Integer.parseInt(parts[1]),
        parts.length > 2 ? Integer.parseInt(parts[2]) : 0);
  }

  @Override
  public int compareTo(Release other) {
    return ORDER.compare(this, other);
  }

  /** Names the release as Linux does. */
  @Override
  public String toString() {
    return major + "." + minor + (patch > 0 ? "." + patch : "");
  }
}
