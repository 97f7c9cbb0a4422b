package dev.xip.pagetable;

import static dev.xip.pagetable.X8664Tables.ACCESSED;
import static dev.xip.pagetable.X8664Tables.DIRTY;
import static dev.xip.pagetable.X8664Tables.PRESENT;
import static dev.xip.pagetable.X8664Tables.PSE;
import static dev.xip.pagetable.X8664Tables.RW;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;

/**
 * x86-64 of today (arch/x86/include/asm/pgtable_types.h of Linux 6), with the special bit in bit 9
 * as since 2.6.27. Huge leaves use the bits of small ones.
 */
public final class X8664Layout extends EntryLayout {
  private static final long PROT_NONE = PteBits.XIP_X86_64_PROT_NONE();
  private static final long SAVED_DIRTY = PteBits.XIP_X86_64_SAVED_DIRTY();
  private static final long NONE_IGNORE = PteBits.XIP_X86_64_NONE_IGNORE();

  /** The only instance. */
  public static final X8664Layout INSTANCE =
      new X8664Layout("x86-64", PteBits.XIP_LAYOUT_X86_64(), PteBits.XIP_X86_64_CHANGE_MASK());

  X8664Layout(String name, int abiNumber, long change) {
    super(
        name,
        abiNumber,
        X8664Tables.bits()
            .leaves(Level.PUD, Level.PUD)
            .emptyUpper(NONE_IGNORE, 0, 0, 0)
            .small(PSE, 0)
            .untouchableHuge(PRESENT | PSE | PROT_NONE, PSE | PROT_NONE)
            .empty(~NONE_IGNORE, 0)
            .otherPresent(PROT_NONE, PROT_NONE)
            .special(PteBits.XIP_X86_64_SPECIAL())
            .devmap(PteBits.XIP_X86_64_DEVMAP())
            .state(ACCESSED, DIRTY | SAVED_DIRTY)
            .clean(DIRTY | SAVED_DIRTY, 0)
            .change(change));
  }

  @Override
  long protection(Access access) {
    return X8664Tables.protection(access, PROT_NONE);
  }

  /**
   * Keeps the dirty state in bit 6 if the entry is writable and in bit 58 if not: a dirty entry
   * that is not writable means a shadow stack to the processor.
   */
  @Override
  long settle(long old, long modified) {
    if (!isDirty(modified)) {
      return modified;
    }
    return modified & ~(DIRTY | SAVED_DIRTY) | (isWritable(modified) ? DIRTY : SAVED_DIRTY);
  }

  @Override
  public long withWrite(long pte) {
    return settle(pte, pte | RW);
  }

  @Override
  public long withoutWrite(long pte) {
    return settle(pte, pte & ~RW);
  }

  @Override
  public long withYoung(long pte) {
    return pte | ACCESSED;
  }

  @Override
  public long withDirty(long pte) {
    return settle(pte, pte | DIRTY);
  }

  @Override
  long hugeProtection(Access access, Level level) {
    return protection(access) | PSE;
  }

  @Override
  public String describe(long pte) {
    String eight = (pte & PRESENT) != 0 ? "GLOBAL" : "PROT_NONE";
    return X8664Tables.describe(pte, "PSE", eight, "SPECIAL", "UFFD_WP", "SOFT_DIRTY");
  }
}
