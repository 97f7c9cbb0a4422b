package dev.xip.host;

/** The registers of a virtual processor that user mode sees, in the order of struct kvm_regs. */
public enum Register {
  /** Number and result of a system call. */
  RAX,
  /** Kept across calls. */
  RBX,
  /** Where SYSCALL leaves the address of the next instruction. */
  RCX,
  /** Third argument. */
  RDX,
  /** Second argument. */
  RSI,
  /** First argument. */
  RDI,
  /** The stack pointer. */
  RSP,
  /** Kept across calls. */
  RBP,
  /** Fifth argument. */
  R8,
  /** Sixth argument. */
  R9,
  /** Fourth argument of a system call. */
  R10,
  /** Where SYSCALL leaves the flags. */
  R11,
  /** Kept across calls. */
  R12,
  /** Kept across calls. */
  R13,
  /** Kept across calls. */
  R14,
  /** Kept across calls. */
  R15,
  /** The instruction pointer. */
  RIP,
  /** The flags. */
  RFLAGS;

  /** The bytes of all registers. */
  public static final long BYTES = 8L * values().length;

  /** {@return the byte offset in memory that holds all registers, 8 bytes each} */
  public long offset() {
    return 8L * ordinal();
  }
}
