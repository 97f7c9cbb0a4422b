package dev.xip.vm;

/** How a fault was answered. Linux counterpart: {@code VM_FAULT_*} (include/linux/mm.h). */
public sealed interface FaultResult {
  /** The access may be tried again. Nothing is allocated for these. */
  enum Handled implements FaultResult {
    /** An entry was inserted, as the mapping has it: a store may fault once more. */
    MAPPED,
    /** The entry was there already, or has changed meanwhile. */
    PRESENT,
    /** A store's entry was made writable in place ({@code VM_FAULT_WRITE}). */
    REUSED,
    /** A store's page was copied into a frame of the space's own ({@code VM_FAULT_WRITE}). */
    COPIED
  }

  /**
   * The access gets a signal.
   *
   * @param cause the exception that an access through a reader throws
   */
  record Refused(MemoryFaultException cause) implements FaultResult {}
}
