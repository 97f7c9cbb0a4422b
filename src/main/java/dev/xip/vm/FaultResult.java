package dev.xip.vm;

/** How a fault was answered. */
public sealed interface FaultResult {
  /** The access may be tried again. Nothing is allocated for these. */
  enum Handled implements FaultResult {
    /** An entry was inserted. Linux counterpart: {@code VM_FAULT_NOPAGE}. */
    MAPPED,
    /** Somebody else had inserted it already. */
    PRESENT
  }

  /**
   * The access gets a signal.
   *
   * @param cause the exception that an access through a reader throws
   */
  record Refused(MemoryFaultException cause) implements FaultResult {}
}
