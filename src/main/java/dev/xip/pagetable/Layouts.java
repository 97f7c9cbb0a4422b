package dev.xip.pagetable;

import java.util.List;

/** The architectures that a machine can be built with. */
public final class Layouts {
  /** All of them, in the order of their numbers in the C ABI. */
  public static final List<EntryLayout> ALL =
      List.of(
          X8664Layout.INSTANCE,
          S390x2008Layout.INSTANCE,
          Arm64Layout.INSTANCE,
          X8664Of2008Layout.INSTANCE,
          S390xLayout.INSTANCE);

  private Layouts() {}
}
