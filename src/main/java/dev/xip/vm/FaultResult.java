package dev.xip.vm;

/**
 * How a fault was answered. Linux counterpart: {@code VM_FAULT_*} (include/linux/mm.h).
 *
 * <p>Lock held by the caller: none needed.
 */
public sealed interface FaultResult {
  /** The access may be tried again. Constants, so that a fault allocates nothing. */
  enum Handled implements FaultResult {
    /**
     * An entry was inserted with the rights of {@link Vma#pageAccess}: a store may fault once more.
     */
    MAPPED,
    /** The entry was there already, or has changed meanwhile. */
    PRESENT,
    /** The entry was made writable for a store ({@code VM_FAULT_WRITE}). */
    REUSED,
    /** The page was copied for a store ({@code VM_FAULT_WRITE}). */
    COPIED
  }

  /**
   * The access gets a signal.
   *
   * @param cause the exception that an access through a reader throws
   */
  record Refused(MemoryFaultException cause) implements FaultResult {}

  /**
   * Requires that the access may be tried again.
   *
   * @throws MemoryFaultException if the fault was refused
   */
  default void orThrow() throws MemoryFaultException {
    if (this instanceof Refused refused) {
      throw refused.cause();
    }
  }
}
