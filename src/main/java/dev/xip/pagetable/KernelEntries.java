package dev.xip.pagetable;

import dev.xip.bindings.PteBits;

/** Entries of x86-64 for the kernel half of the addresses, which no {@link EntryLayout} makes. */
public final class KernelEntries {
  /** The slot of a root table that covers the last 512 GiB of addresses. */
  public static final int LAST_SLOT = 511;

  private static final long DATA =
      PteBits.XIP_X86_64_PRESENT()
          | PteBits.XIP_X86_64_RW()
          | PteBits.XIP_X86_64_ACCESSED()
          | PteBits.XIP_X86_64_DIRTY()
          | PteBits.XIP_X86_64_NX();

  private KernelEntries() {}

  /**
   * Makes an entry that points at a table, below which user mode may have pages too.
   *
   * @param physical the table's address
   * @return the entry
   */
  public static long table(long physical) {
    return physical | PteBits.XIP_X86_64_TABLE();
  }

  /**
   * Makes a leaf of 2 MiB that the kernel may load from and store into.
   *
   * @param physical its address, a multiple of 2 MiB
   * @return the leaf
   */
  public static long largeData(long physical) {
    return physical | DATA | PteBits.XIP_X86_64_PSE();
  }

  /**
   * Makes a leaf of one page that may only be loaded from.
   *
   * @param physical its address
   * @return the leaf
   */
  public static long constants(long physical) {
    return physical | DATA & ~PteBits.XIP_X86_64_RW() & ~PteBits.XIP_X86_64_DIRTY();
  }

  /**
   * Makes a leaf of one page from which the kernel may fetch instructions.
   *
   * @param physical its address
   * @return the leaf
   */
  public static long code(long physical) {
    return constants(physical) & ~PteBits.XIP_X86_64_NX();
  }

  /**
   * Makes a leaf of one page from which user mode may fetch instructions.
   *
   * @param physical its address
   * @return the leaf
   */
  public static long userCode(long physical) {
    return code(physical) | PteBits.XIP_X86_64_USER();
  }
}
