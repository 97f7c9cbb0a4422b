package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import java.util.StringJoiner;

/** What the processor defines of x86-64 entries: the same in 2008 and today. */
final class X8664Tables {
  static final long PRESENT = PteBits.XIP_X86_64_PRESENT();
  static final long RW = PteBits.XIP_X86_64_RW();
  static final long ACCESSED = PteBits.XIP_X86_64_ACCESSED();
  static final long DIRTY = PteBits.XIP_X86_64_DIRTY();
  static final long PSE = PteBits.XIP_X86_64_PSE();
  private static final long USER = PteBits.XIP_X86_64_USER();
  private static final long NX = PteBits.XIP_X86_64_NX();
  private static final long TABLE = PteBits.XIP_X86_64_TABLE();

  private X8664Tables() {}

  static EntryBits bits() {
    return new EntryBits()
        .geometry(
            PteBits.XIP_X86_64_INDEX_BITS(),
            PteBits.XIP_X86_64_INDEX_BITS(),
            PteBits.XIP_X86_64_VA_BITS())
        .table(PRESENT | PSE, PRESENT)
        .links(TABLE, TABLE, TABLE)
        .huge(PRESENT | PSE, PRESENT | PSE)
        .present(PRESENT, PRESENT)
        .valid(PRESENT, PRESENT)
        .writable(RW, RW)
        .executable(NX, 0)
        .old(ACCESSED, 0)
        .address(PteBits.XIP_X86_64_PFN_MASK());
  }

  /** The bits for rights, young and clean; an entry without any right has the bit given for it. */
  static long protection(Access access, long protNone) {
    if (access.equals(Access.NONE)) {
      return ACCESSED | protNone;
    }
    return PRESENT | USER | ACCESSED | (access.write() ? RW : 0) | (access.execute() ? 0 : NX);
  }

  /**
   * Names the bits of a leaf.
   *
   * @param pte the entry
   * @param software the names of bits 7 to 11 in it
   */
  static String describe(long pte, String... software) {
    StringJoiner bits = new StringJoiner(" ");
    EntryLayout.name(bits, pte, PRESENT, "PRESENT");
    EntryLayout.name(bits, pte, RW, "RW");
    EntryLayout.name(bits, pte, USER, "USER");
    EntryLayout.name(bits, pte, PteBits.XIP_X86_64_PWT(), "PWT");
    EntryLayout.name(bits, pte, PteBits.XIP_X86_64_PCD(), "PCD");
    EntryLayout.name(bits, pte, ACCESSED, "ACCESSED");
    EntryLayout.name(bits, pte, DIRTY, "DIRTY");
    for (int i = 0; i < software.length; i++) {
      EntryLayout.name(bits, pte, PSE << i, software[i]);
    }
    EntryLayout.name(bits, pte, PteBits.XIP_X86_64_DEVMAP(), "DEVMAP");
    EntryLayout.name(bits, pte, PteBits.XIP_X86_64_SAVED_DIRTY(), "SAVED_DIRTY");
    EntryLayout.name(bits, pte, NX, "NX");
    return bits.toString();
  }
}
