package dev.xip.vm;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Finds constants by the names that users give.
 *
 * <p>Lock held by the caller: none needed.
 */
final class Names {
  private Names() {}

  /**
   * Finds the constant of a name.
   *
   * @param kind what the things are, for the message
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  static <T> T find(String kind, String name, T[] things) {
    return Arrays.stream(things)
        .filter(each -> each.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s %s: expected one of %s"
                        .formatted(kind, name, join(Arrays.asList(things)))));
  }

  static String join(List<?> things) {
    return things.stream().map(Object::toString).collect(Collectors.joining(", "));
  }
}
