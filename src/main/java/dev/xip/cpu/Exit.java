package dev.xip.cpu;

import dev.xip.base.Access;

/** Why user mode has stopped, {@link VirtualProcessor#run}. */
public sealed interface Exit {
  /**
   * A system call: number and arguments are in the registers, and RIP is behind the instruction.
   * The caller puts the result into RAX.
   */
  enum SystemCall implements Exit {
    /** The only one. */
    CALL
  }

  /** Another thread has asked for it. */
  enum Interrupted implements Exit {
    /** The only one. */
    INTERRUPTED
  }

  /**
   * A page fault; RIP is that of the instruction. Linux counterpart: {@code exc_page_fault}.
   *
   * @param address the address accessed
   * @param access what the access does: {@link Access#READ}, {@link Access#WRITE} or {@link
   *     Access#EXECUTE}
   * @param present whether there is an entry, which does not allow the access
   */
  record PageFault(long address, Access access, boolean present) implements Exit {}

  /**
   * Another exception.
   *
   * @param vector its number, such as 6 for an undefined instruction
   * @param errorCode its error code; 0 if it has none
   */
  record Trap(int vector, long errorCode) implements Exit {}

  /**
   * An entry points where no memory is, or at memory that is gone, or a store reached memory that
   * is read-only whatever the entry says.
   *
   * @param physical the physical address; {@link #UNKNOWN} if the hypervisor does not tell
   * @param write whether it was a store; RIP may then be behind the instruction
   */
  record StrayAccess(long physical, boolean write) implements Exit {
    /** The address is not known; the access is the instruction's at RIP, or its fetch. */
    public static final long UNKNOWN = -1;
  }

  /**
   * The processor cannot go on.
   *
   * @param why the hypervisor's reason
   */
  record Failed(String why) implements Exit {}
}
