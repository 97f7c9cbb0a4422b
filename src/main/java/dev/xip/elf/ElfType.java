package dev.xip.elf;

/** A kind of object file that can be mapped and run. gABI: e_type. */
public enum ElfType {
  /** ET_EXEC: a program with fixed addresses. */
  EXECUTABLE(2),

  /** ET_DYN: a shared object or program that can be loaded at any address. */
  SHARED_OBJECT(3);

  private final int number;

  ElfType(int number) {
    this.number = number;
  }

  /**
   * Finds a type.
   *
   * @param number the value of e_type
   * @return the type, or null
   */
  static ElfType of(int number) {
    for (ElfType each : values()) {
      if (each.number == number) {
        return each;
      }
    }
    return null;
  }
}
