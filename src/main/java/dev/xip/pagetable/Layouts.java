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
}
