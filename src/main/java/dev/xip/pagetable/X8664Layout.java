package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.bindings.PteBits;
import java.util.StringJoiner;

/** x86-64 with the special bit in bit 9 (arch/x86/include/asm/pgtable_types.h, since 2.6.27). */
public final class X8664Layout extends EntryLayout {
  /** The only instance. */
  public static final X8664Layout INSTANCE = new X8664Layout();

  private static final long PRESENT = PteBits.XIP_X86_64_PRESENT();
  private static final long RW = PteBits.XIP_X86_64_RW();
  private static final long USER = PteBits.XIP_X86_64_USER();
  private static final long ACCESSED = PteBits.XIP_X86_64_ACCESSED();
  private static final long DIRTY = PteBits.XIP_X86_64_DIRTY();
  private static final long PSE = PteBits.XIP_X86_64_PSE();
  private static final long PROT_NONE = PteBits.XIP_X86_64_PROT_NONE();
  private static final long NX = PteBits.XIP_X86_64_NX();
  private static final long TABLE = PteBits.XIP_X86_64_TABLE();
  private static final long ADDRESS_LIMIT = 1L << PteBits.XIP_X86_64_VA_BITS();

  private X8664Layout() {
    super(
        "x86-64",
        PteBits.XIP_LAYOUT_X86_64(),
        ~PteBits.XIP_X86_64_NONE_IGNORE(),
        0,
        PteBits.XIP_X86_64_PRESENT(),
        PteBits.XIP_X86_64_PRESENT(),
        PteBits.XIP_X86_64_SPECIAL(),
        PteBits.XIP_X86_64_PFN_MASK(),
        PteBits.XIP_X86_64_INDEX_BITS(),
        PteBits.XIP_X86_64_LEVELS());
  }

  @Override
  public long addressLimit() {
    return ADDRESS_LIMIT;
  }

  @Override
  public boolean isHugeLeaf(long pte, Level level) {
    return (pte & PSE) != 0;
  }

  @Override
  public long table(long tablePfn) {
    return tablePfn << Pages.SHIFT | TABLE;
  }

  @Override
  public long leaf(long pfn, Access access) {
    long pte = pfn << Pages.SHIFT | ACCESSED;
    if (access.equals(Access.NONE)) {
      return pte | PROT_NONE;
    }
    return pte | PRESENT | USER | (access.write() ? RW : 0) | (access.execute() ? 0 : NX);
  }

  @Override
  public boolean isWritable(long pte) {
    return (pte & RW) != 0;
  }

  @Override
  public boolean isExecutable(long pte) {
    return (pte & NX) == 0;
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
    name(bits, pte, PteBits.XIP_X86_64_SPECIAL(), "SPECIAL");
    name(bits, pte, PteBits.XIP_X86_64_UFFD_WP(), "UFFD_WP");
    name(bits, pte, PteBits.XIP_X86_64_SOFT_DIRTY(), "SOFT_DIRTY");
    name(bits, pte, PteBits.XIP_X86_64_SAVED_DIRTY(), "SAVED_DIRTY");
    name(bits, pte, NX, "NX");
    return bits.toString();
  }

  private static void name(StringJoiner bits, long pte, long mask, String name) {
    if ((pte & mask) != 0) {
      bits.add(name);
    }
  }
}
