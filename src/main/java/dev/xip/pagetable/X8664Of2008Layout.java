package dev.xip.pagetable;

import static dev.xip.pagetable.X8664Tables.ACCESSED;
import static dev.xip.pagetable.X8664Tables.DIRTY;
import static dev.xip.pagetable.X8664Tables.PRESENT;
import static dev.xip.pagetable.X8664Tables.PSE;
import static dev.xip.pagetable.X8664Tables.RW;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;

/**
 * x86-64 of 2008 (include/asm-x86/pgtable.h of Linux 2.6.26), which has no special bit: bits 9 to
 * 11 mean nothing. An entry without access rights has bit 7, and a dirty one stays dirty in bit 6
 * whether it is writable or not.
 */
public final class X8664Of2008Layout extends EntryLayout {
  private static final long PROT_NONE = PteBits.XIP_X86_64_2008_PROT_NONE();

  /** The only instance. */
  public static final X8664Of2008Layout INSTANCE =
      new X8664Of2008Layout(
          "x86-64-2008", PteBits.XIP_LAYOUT_X86_64_2008(), PteBits.XIP_X86_64_2008_CHANGE_MASK());

  X8664Of2008Layout(String name, int abiNumber, long change) {
    super(
        name,
        abiNumber,
        X8664Tables.bits()
            .leaves(Level.PUD, Level.PTE)
            .emptyUpper(0, 0, 0, 0)
            .untouchableHuge(PRESENT | PROT_NONE, PROT_NONE)
            .empty(-1L, 0)
            .otherPresent(PROT_NONE, PROT_NONE)
            .state(ACCESSED, DIRTY)
            .clean(DIRTY, 0)
            .change(change));
  }

  @Override
  long protection(Access access) {
    return X8664Tables.protection(access, PROT_NONE);
  }

  @Override
  long settle(long old, long modified) {
    return modified;
  }

  @Override
  public long withWrite(long pte) {
    return pte | RW;
  }

  @Override
  public long withoutWrite(long pte) {
    return pte & ~RW;
  }

  @Override
  public long withYoung(long pte) {
    return pte | ACCESSED;
  }

  @Override
  public long withDirty(long pte) {
    return pte | DIRTY;
  }

  @Override
  long hugeProtection(Access access, Level level) {
    return protection(access) | PSE;
  }

  @Override
  public String describe(long pte) {
    String seven = (pte & PRESENT) != 0 ? "PSE" : "PROT_NONE";
    return X8664Tables.describe(pte, seven, "GLOBAL", "UNUSED1", "UNUSED2", "UNUSED3");
  }
}
