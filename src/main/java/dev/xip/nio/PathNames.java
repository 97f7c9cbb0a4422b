package dev.xip.nio;

import dev.xip.base.FileName;
import java.nio.file.InvalidPathException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Paths as bytes: names with one slash between them, and one before the first if the path is
 * absolute. Every path here has that form, without a slash at its end; the root is a slash alone,
 * the empty path has no byte.
 */
final class PathNames {
  static final FileName ROOT = FileName.of("/");
  static final FileName EMPTY = FileName.of("");
  static final FileName DOT = FileName.of(".");
  static final FileName DOT_DOT = FileName.of("..");

  /** The longest path that Linux takes (include/uapi/linux/limits.h, PATH_MAX, with a NUL). */
  static final int MOST_BYTES = 4095;

  private PathNames() {}

  /**
   * Makes a path of text.
   *
   * @param text the text, in which a lone surrogate U+DC80 to U+DCFF stands for a byte that is not
   *     UTF-8, see {@link FileName#exactText}
   * @throws InvalidPathException if it holds NUL or another lone surrogate
   */
  static FileName parse(String text) {
    FileName path = FileName.of(text);
    if (path.length() != text.length() || !isPlain(path)) {
      check(text);
    }
    return tidy(path);
  }

  /** Tells whether a path has neither a NUL nor what may stand for a lone surrogate. */
  private static boolean isPlain(FileName path) {
    for (int i = 0; i < path.length(); i++) {
      if (path.at(i) == 0 || path.at(i) == '?') {
        return false;
      }
    }
    return true;
  }

  private static void check(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == 0) {
        throw new InvalidPathException(text, "a path cannot hold NUL", i);
      }
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c) && !FileName.isEscape(c)) {
        throw new InvalidPathException(text, "a surrogate without its pair", i);
      }
    }
  }

  /** Drops repeated slashes and those at the end. */
  static FileName tidy(FileName path) {
    boolean slash = false;
    for (int i = 0; i < path.length(); i++) {
      boolean again = path.at(i) == '/';
      if (slash && again) {
        return tidied(path);
      }
      slash = again;
    }
    return slash && path.length() > 1 ? tidied(path) : path;
  }

  private static FileName tidied(FileName path) {
    byte[] bytes = new byte[path.length()];
    int length = 0;
    for (int i = 0; i < bytes.length; i++) {
      byte b = path.at(i);
      if (b != '/' || length == 0 || bytes[length - 1] != '/') {
        bytes[length++] = b;
      }
    }
    boolean slash = length > 1 && bytes[length - 1] == '/';
    return FileName.of(Arrays.copyOf(bytes, slash ? length - 1 : length));
  }

  static boolean isAbsolute(FileName path) {
    return path.length() > 0 && path.at(0) == '/';
  }

  /** The offset of each name. The empty path has one name, which is empty; the root has none. */
  static int[] offsets(FileName path) {
    if (path.length() == 0) {
      return new int[1];
    }
    int[] offsets = new int[8];
    int count = 0;
    boolean afterSlash = true;
    for (int i = 0; i < path.length(); i++) {
      boolean slash = path.at(i) == '/';
      if (afterSlash && !slash) {
        offsets = count == offsets.length ? Arrays.copyOf(offsets, 2 * count) : offsets;
        offsets[count++] = i;
      }
      afterSlash = slash;
    }
    return Arrays.copyOf(offsets, count);
  }

  /** The names; none of the root and of the empty path. */
  static List<FileName> names(FileName path) {
    List<FileName> names = new ArrayList<>();
    if (path.length() > 0) {
      int[] offsets = offsets(path);
      for (int i = 0; i < offsets.length; i++) {
        int end = i + 1 < offsets.length ? offsets[i + 1] - 1 : path.length();
        names.add(path.part(offsets[i], end));
      }
    }
    return names;
  }

  /** Puts names together. */
  static FileName join(boolean absolute, List<FileName> names) {
    int length = absolute ? 1 : 0;
    for (FileName each : names) {
      length += each.length() + 1;
    }
    byte[] bytes = new byte[length];
    int at = 0;
    if (absolute) {
      bytes[at++] = '/';
    }
    for (FileName each : names) {
      at = append(each, bytes, at);
      bytes[at++] = '/';
    }
    int end = names.isEmpty() ? at : at - 1;
    return FileName.of(Arrays.copyOf(bytes, end));
  }

  private static int append(FileName name, byte[] bytes, int at) {
    name.copyTo(bytes, at);
    return at + name.length();
  }

  static FileName resolve(FileName base, FileName child) {
    if (child.length() == 0) {
      return base;
    }
    return base.length() == 0 || isAbsolute(child) ? child : base.slash(child);
  }

  /** Removes each {@code .}, and each {@code ..} with the name before it. */
  static FileName normalize(FileName path) {
    List<FileName> all = names(path);
    List<FileName> kept = new ArrayList<>(all.size());
    boolean absolute = isAbsolute(path);
    for (FileName each : all) {
      if (each.equals(DOT)) {
        continue;
      }
      if (!each.equals(DOT_DOT)) {
        kept.add(each);
      } else if (!kept.isEmpty() && !kept.getLast().equals(DOT_DOT)) {
        kept.removeLast();
      } else if (!absolute) {
        kept.add(each);
      }
    }
    return kept.size() == all.size() ? path : join(absolute, kept);
  }

  /**
   * Makes the path that leads from one path to another.
   *
   * @throws IllegalArgumentException if just one of them is absolute, or the first goes up by more
   *     names than are known
   */
  static FileName relativize(FileName from, FileName to) {
    if (from.equals(to)) {
      return EMPTY;
    }
    if (isAbsolute(from) != isAbsolute(to)) {
      throw new IllegalArgumentException(
          "%s and %s: expected both absolute or both relative".formatted(from, to));
    }
    if (from.length() == 0) {
      return to;
    }
    boolean dots = hasDots(names(from)) || hasDots(names(to));
    List<FileName> base = names(dots ? normalize(from) : from);
    List<FileName> goal = names(dots ? normalize(to) : to);
    int same = 0;
    while (same < Math.min(base.size(), goal.size()) && base.get(same).equals(goal.get(same))) {
      same++;
    }
    List<FileName> rest = base.subList(same, base.size());
    if (hasDots(rest)) {
      throw new IllegalArgumentException("no path is known from %s to %s".formatted(from, to));
    }
    List<FileName> names = new ArrayList<>();
    rest.forEach(each -> names.add(DOT_DOT));
    names.addAll(goal.subList(same, goal.size()));
    return join(false, names);
  }

  private static boolean hasDots(List<FileName> names) {
    return names.contains(DOT) || names.contains(DOT_DOT);
  }

  static boolean startsWith(FileName path, FileName start) {
    if (start.length() == 0 || start.length() > path.length()) {
      return start.length() == path.length();
    }
    boolean atName =
        start.length() == path.length() || start.equals(ROOT) || path.at(start.length()) == '/';
    return atName && path.part(0, start.length()).equals(start);
  }

  static boolean endsWith(FileName path, FileName end) {
    int from = path.length() - end.length();
    if (end.length() == 0 || from <= 0 || isAbsolute(end)) {
      return path.equals(end);
    }
    return path.at(from - 1) == '/' && path.part(from, path.length()).equals(end);
  }
}
