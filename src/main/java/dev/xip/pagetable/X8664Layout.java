package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import java.util.StringJoiner;

/**
 * x86-64 (arch/x86/include/asm/pgtable_types.h), with the special bit in bit 9 as since 2.6.27, or
 * without one as before. Huge leaves use the bits of small ones.
 */
public final class X8664Layout extends EntryLayout {
  private static final long PRESENT = PteBits.XIP_X86_64_PRESENT();
  private static final long RW = PteBits.XIP_X86_64_RW();
  private static final long USER = PteBits.XIP_X86_64_USER();
  private static final long ACCESSED = PteBits.XIP_X86_64_ACCESSED();
  private static final long DIRTY = PteBits.XIP_X86_64_DIRTY();
  private static final long PSE = PteBits.XIP_X86_64_PSE();
  private static final long PROT_NONE = PteBits.XIP_X86_64_PROT_NONE();
  private static final long SPECIAL = PteBits.XIP_X86_64_SPECIAL();
  private static final long SAVED_DIRTY = PteBits.XIP_X86_64_SAVED_DIRTY();
  private static final long NX = PteBits.XIP_X86_64_NX();
  private static final long TABLE = PteBits.XIP_X86_64_TABLE();

  /** The architecture as it is. */
  public static final X8664Layout INSTANCE =
      new X8664Layout(
          "x86-64", PteBits.XIP_LAYOUT_X86_64(), SPECIAL, PteBits.XIP_X86_64_CHANGE_MASK());

  /** The same without a special bit, as up to 2.6.26: bit 9 is free for software and kept. */
  public static final X8664Layout WITHOUT_SPECIAL =
      new X8664Layout(
          "x86-64-no-special",
          PteBits.XIP_LAYOUT_X86_64_NO_SPECIAL(),
          0,
          PteBits.XIP_X86_64_CHANGE_MASK());

  X8664Layout(String name, int abiNumber, long special, long change) {
    super(
        name,
        abiNumber,
        new EntryBits()
            .geometry(
                PteBits.XIP_X86_64_INDEX_BITS(),
                PteBits.XIP_X86_64_INDEX_BITS(),
                PteBits.XIP_X86_64_VA_BITS())
            .leaves(Level.PUD, Level.PUD)
            .table(PRESENT | PSE, PRESENT)
            .links(TABLE, TABLE, TABLE)
            .emptyUpper(PteBits.XIP_X86_64_NONE_IGNORE(), 0, 0, 0)
            .huge(PRESENT | PSE, PRESENT | PSE)
            .small(PSE, 0)
            .untouchableHuge(PRESENT | PSE | PROT_NONE, PSE | PROT_NONE)
            .empty(~PteBits.XIP_X86_64_NONE_IGNORE(), 0)
            .present(PRESENT, PRESENT)
            .otherPresent(PROT_NONE, PROT_NONE)
            .valid(PRESENT, PRESENT)
            .special(special)
            .writable(RW, RW)
            .noExecute(NX)
            .state(ACCESSED, DIRTY | SAVED_DIRTY)
            .old(ACCESSED, 0)
            .clean(DIRTY | SAVED_DIRTY, 0)
            .address(PteBits.XIP_X86_64_PFN_MASK())
            .change(change));
  }

  @Override
  long protection(Access access) {
    if (access.equals(Access.NONE)) {
      return ACCESSED | PROT_NONE;
    }
    return PRESENT | USER | ACCESSED | (access.write() ? RW : 0) | (access.execute() ? 0 : NX);
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
    StringJoiner bits = new StringJoiner(" ");
    name(bits, pte, PRESENT, "PRESENT");
    name(bits, pte, RW, "RW");
    name(bits, pte, USER, "USER");
    name(bits, pte, PteBits.XIP_X86_64_PWT(), "PWT");
    name(bits, pte, PteBits.XIP_X86_64_PCD(), "PCD");
    name(bits, pte, ACCESSED, "ACCESSED");
    name(bits, pte, DIRTY, "DIRTY");
    name(bits, pte, PSE, "PSE");
    name(bits, pte, PROT_NONE, (pte & PRESENT) != 0 ? "GLOBAL" : "PROT_NONE");
    name(bits, pte, SPECIAL, hasSpecialBit() ? "SPECIAL" : "UNUSED1");
    name(bits, pte, PteBits.XIP_X86_64_UFFD_WP(), "UFFD_WP");
    name(bits, pte, PteBits.XIP_X86_64_SOFT_DIRTY(), "SOFT_DIRTY");
    name(bits, pte, SAVED_DIRTY, "SAVED_DIRTY");
    name(bits, pte, NX, "NX");
    return bits.toString();
  }
}
