package dev.xip.host;

/** Why a virtual processor has stopped, KVM_RUN. */
public sealed interface KvmExit {
  /** A reason without details. */
  enum Plain implements KvmExit {
    /** It executed HLT. */
    HALT,
    /** Another thread kicked it, or a signal came (EINTR). */
    INTERRUPTED,
    /** An exception had no usable handler (triple fault). */
    SHUTDOWN,
    /** The host has no memory behind an address of a slot, or may not store there (EFAULT). */
    NO_MEMORY,
    /**
     * The host would have to emulate an instruction and cannot: one that it does not know and that
     * uses an address without memory, or that lies there itself.
     */
    NOT_EMULATED
  }

  /**
   * It used a physical address without a slot, or stored into a read-only one. Such an access is
   * completed by the next run, which loads zeros.
   *
   * @param physical the address
   * @param bytes how many bytes of it
   * @param write whether it was a store
   */
  record Stray(long physical, int bytes, boolean write) implements KvmExit {}

  /**
   * KVM cannot go on.
   *
   * @param why the reason with its numbers, as {@code <linux/kvm.h>} has them
   */
  record Failed(String why) implements KvmExit {}
}
