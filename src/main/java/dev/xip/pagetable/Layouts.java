package dev.xip.pagetable;

import java.util.List;

/** The architectures that a machine can be built with. */
public final class Layouts {
  /** All of them, in the order of their numbers in the C ABI. */
  public static final List<EntryLayout> ALL =
      List.of(
          X8664Layout.INSTANCE,
          X8664Layout.WITHOUT_SPECIAL,
          S390x2008Layout.INSTANCE,
          S390xLayout.INSTANCE,
          Arm64Layout.INSTANCE);

  private Layouts() {}

  /**
   * Finds a layout.
   *
   * @param name its name, such as {@code x86-64}
   * @return the layout
   * @throws IllegalArgumentException if there is none of that name; the message lists the names
   */
  public static EntryLayout named(String name) {
    return ALL.stream()
        .filter(layout -> layout.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException("layout %s: expected one of %s".formatted(name, ALL)));
  }
}
