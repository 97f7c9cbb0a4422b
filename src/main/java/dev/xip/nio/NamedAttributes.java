package dev.xip.nio;

import java.io.IOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/** Attributes by name, such as {@code posix:permissions,owner} and {@code unix:*}. */
final class NamedAttributes {
  private static final String ALL = "*";
  private static final String USER = "user";
  private static final String ACL = "acl";

  /** An attribute that stat(2) returns. */
  private interface Value extends Function<XipFileAttributes, Object> {}

  private static final Map<String, Value> BASIC =
      Map.of(
          "size", XipFileAttributes::size,
          "creationTime", XipFileAttributes::creationTime,
          "lastAccessTime", XipFileAttributes::lastAccessTime,
          "lastModifiedTime", XipFileAttributes::lastModifiedTime,
          "fileKey", XipFileAttributes::fileKey,
          "isDirectory", XipFileAttributes::isDirectory,
          "isRegularFile", XipFileAttributes::isRegularFile,
          "isSymbolicLink", XipFileAttributes::isSymbolicLink,
          "isOther", XipFileAttributes::isOther);

  private static final Map<String, Value> OWNER = Map.of("owner", XipFileAttributes::owner);

  private static final Map<String, Value> POSIX =
      both(
          BASIC,
          Map.of(
              "permissions", XipFileAttributes::permissions,
              "owner", XipFileAttributes::owner,
              "group", XipFileAttributes::group));

  /** Of the types that the default provider has, on which programs rely. */
  private static final Map<String, Value> UNIX =
      both(
          POSIX,
          Map.of(
              "mode", file -> file.inode().mode(),
              "ino", file -> file.inode().number(),
              "dev", file -> file.volume().device(),
              "rdev", XipFileAttributes::deviceNumber,
              "nlink", file -> (int) file.inode().links(),
              "uid", file -> (int) file.inode().uid(),
              "gid", file -> (int) file.inode().gid(),
              "ctime", XipFileAttributes::changeTime));

  private static final Map<String, Map<String, Value>> VIEWS =
      Map.of("basic", BASIC, "owner", OWNER, "posix", POSIX, "unix", UNIX);

  private NamedAttributes() {}

  private static Map<String, Value> both(Map<String, Value> some, Map<String, Value> more) {
    Map<String, Value> all = new HashMap<>(some);
    all.putAll(more);
    return Map.copyOf(all);
  }

  /** {@return the names of the views} */
  static Set<String> views() {
    Set<String> names = new TreeSet<>(VIEWS.keySet());
    names.add(USER);
    names.add(ACL);
    return names;
  }

  /** What a caller asks for: a view, {@code basic} if none is named, and names in it. */
  private record Request(String view, String names) {
    static Request of(String text) {
      int colon = text.indexOf(':');
      if (colon == 0) {
        throw new IllegalArgumentException(text + ": expected the name of a view before the colon");
      }
      Request request =
          colon < 0
              ? new Request("basic", text)
              : new Request(text.substring(0, colon), text.substring(colon + 1));
      if (!views().contains(request.view)) {
        throw new UnsupportedOperationException(
            "view %s: expected one of %s".formatted(request.view, views()));
      }
      return request;
    }
  }

  /**
   * Reads attributes.
   *
   * @param file the file
   * @param text the view and the names, or {@code *} for all
   * @return the values by name
   * @throws UnsupportedOperationException if there is no such view
   * @throws IllegalArgumentException if the view has no such name
   */
  static Map<String, Object> read(FileReference file, String text) throws IOException {
    Request request = Request.of(text);
    return switch (request.view) {
      case USER -> selected(request, new TreeMap<String, Object>(new UserAttributes(file).all()));
      case ACL -> {
        Map<String, Object> both = new LinkedHashMap<>();
        both.put(ACL, file.accessList().entries());
        both.put("owner", file.attributes().owner());
        yield selected(request, both);
      }
      default -> {
        Map<String, Value> known = selected(request, VIEWS.get(request.view));
        XipFileAttributes attributes = file.attributes();
        Map<String, Object> values = new HashMap<>();
        known.forEach((name, value) -> values.put(name, value.apply(attributes)));
        yield values;
      }
    };
  }

  private static <V> Map<String, V> selected(Request request, Map<String, V> known) {
    Map<String, V> selected = new HashMap<>();
    for (String name : request.names.split(",")) {
      if (name.equals(ALL)) {
        selected.putAll(known);
      } else if (known.containsKey(name)) {
        selected.put(name, known.get(name));
      } else if (!request.view.equals(USER)) {
        throw new IllegalArgumentException(
            "%s:%s: expected one of %s".formatted(request.view, name, known.keySet()));
      }
    }
    return selected;
  }

  /**
   * Checks that an attribute exists, whether or not it can be set.
   *
   * @throws UnsupportedOperationException if there is no such view
   * @throws IllegalArgumentException if the view has no such name
   */
  static void require(String text) {
    Request request = Request.of(text);
    Map<String, ?> known =
        VIEWS.getOrDefault(request.view, Map.of(ACL, file -> null, "owner", file -> null));
    if (!request.view.equals(USER) && !known.containsKey(request.names)) {
      throw new IllegalArgumentException(
          "%s:%s: expected one of %s".formatted(request.view, request.names, known.keySet()));
    }
  }
}
