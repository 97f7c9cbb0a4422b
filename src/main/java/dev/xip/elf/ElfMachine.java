package dev.xip.elf;

/** An architecture whose programs xip reads: 64-bit and little-endian. gABI: e_machine. */
public enum ElfMachine {
  /** EM_X86_64. */
  X86_64(62),

  /** EM_AARCH64. */
  AARCH64(183),

  /** EM_RISCV. */
  RISCV(243);

  private final int number;

  ElfMachine(int number) {
    this.number = number;
  }

  /** The value of e_machine. */
  int number() {
    return number;
  }

  /**
   * Finds a machine.
   *
   * @param number the value of e_machine
   * @return the machine, or null
   */
  static ElfMachine of(int number) {
    for (ElfMachine each : values()) {
      if (each.number == number) {
        return each;
      }
    }
    return null;
  }
}
