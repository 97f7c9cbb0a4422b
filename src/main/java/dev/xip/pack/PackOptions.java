package dev.xip.pack;

import dev.xip.base.FileName;
import dev.xip.host.HostPaths;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.List;

/**
 * How a tree becomes an image.
 *
 * @param format the format
 * @param excluded globs of files to leave out: one without a slash is compared with the last name
 *     of a path, one with a slash with the path from the root of the tree on; a slash at its end
 *     changes nothing
 * @param uid the owner of all files, or {@link #KEPT}
 * @param gid the group of all files, or {@link #KEPT}
 */
public record PackOptions(PackFormat format, List<String> excluded, long uid, long gid) {
  /** The owner and group that each file has. */
  public static final long KEPT = -1;

  /**
   * Copies the list, without slashes at the ends.
   *
   * @throws java.util.regex.PatternSyntaxException if a glob is malformed
   */
  public PackOptions {
    excluded = excluded.stream().map(each -> each.replaceFirst("(?<=.)/+$", "")).toList();
    excluded.forEach(PackOptions::matcher);
  }

  /**
   * {@return the options for a whole tree as it is}
   *
   * @param format the format
   */
  public static PackOptions of(PackFormat format) {
    return new PackOptions(format, List.of(), KEPT, KEPT);
  }

  /** Decides which files are left out. */
  Exclusion exclusion() {
    List<PathMatcher> names =
        excluded.stream().filter(each -> !each.contains("/")).map(PackOptions::matcher).toList();
    List<PathMatcher> paths =
        excluded.stream().filter(each -> each.contains("/")).map(PackOptions::matcher).toList();
    if (excluded.isEmpty()) {
      return path -> false;
    }
    return path -> {
      Path whole = HostPaths.of(path);
      return paths.stream().anyMatch(each -> each.matches(whole))
          || names.stream().anyMatch(each -> each.matches(whole.getFileName()));
    };
  }

  private static PathMatcher matcher(String glob) {
    String relative = glob.replaceFirst("^(\\./+|/+)", "");
    return FileSystems.getDefault().getPathMatcher("glob:" + relative);
  }

  /** Tells which files are left out. */
  @FunctionalInterface
  interface Exclusion {
    /**
     * Tells whether a file is left out, with all below it.
     *
     * @param path its path from the root of the tree on
     */
    boolean covers(FileName path);
  }
}
