package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import java.util.StringJoiner;

/**
 * arm64 with 4 KiB pages (arch/arm64/include/asm/pgtable.h of Linux 6): special is bit 56. Dirty is
 * soft bit 55, or what hardware says by clearing RDONLY of a writable entry at the first store.
 */
public final class Arm64Layout extends EntryLayout {
  private static final long VALID = PteBits.XIP_ARM64_VALID();
  private static final long TYPE_TABLE = PteBits.XIP_ARM64_TYPE_TABLE();
  private static final long USER = PteBits.XIP_ARM64_USER();
  private static final long RDONLY = PteBits.XIP_ARM64_RDONLY();
  private static final long SHARED = PteBits.XIP_ARM64_SHARED();
  private static final long AF = PteBits.XIP_ARM64_AF();
  private static final long NG = PteBits.XIP_ARM64_NG();
  private static final long PROT_NONE = PteBits.XIP_ARM64_PROT_NONE();
  private static final long WRITE = PteBits.XIP_ARM64_WRITE();
  private static final long PXN = PteBits.XIP_ARM64_PXN();
  private static final long UXN = PteBits.XIP_ARM64_UXN();
  private static final long DIRTY = PteBits.XIP_ARM64_DIRTY();
  private static final long SPECIAL = PteBits.XIP_ARM64_SPECIAL();
  private static final long DEVMAP = PteBits.XIP_ARM64_DEVMAP();
  private static final long TABLE = PteBits.XIP_ARM64_TABLE();

  /** The only instance. */
  public static final Arm64Layout INSTANCE =
      new Arm64Layout("arm64", PteBits.XIP_LAYOUT_ARM64(), PteBits.XIP_ARM64_CHANGE_MASK());

  Arm64Layout(String name, int abiNumber, long change) {
    super(
        name,
        abiNumber,
        new EntryBits()
            .geometry(
                PteBits.XIP_ARM64_INDEX_BITS(),
                PteBits.XIP_ARM64_INDEX_BITS(),
                PteBits.XIP_ARM64_VA_BITS())
            .leaves(Level.PUD, Level.PMD)
            .table(VALID | TYPE_TABLE, VALID | TYPE_TABLE)
            .links(TABLE, TABLE, TABLE)
            .emptyUpper(0, 0, 0, 0)
            .huge(VALID | TYPE_TABLE, VALID)
            .small(0, TYPE_TABLE)
            .untouchableHuge(VALID | TYPE_TABLE | PROT_NONE, PROT_NONE)
            .empty(-1L, 0)
            .present(VALID, VALID)
            .otherPresent(VALID | PROT_NONE, PROT_NONE)
            .valid(VALID, VALID)
            .special(SPECIAL)
            .devmap(DEVMAP)
            .writable(WRITE, WRITE)
            .executable(UXN, 0)
            .state(AF, DIRTY)
            .old(AF, 0)
            .clean(DIRTY, RDONLY)
            .hardwareDirty(WRITE | RDONLY, WRITE)
            .address(PteBits.XIP_ARM64_PFN_MASK())
            .change(change));
  }

  @Override
  long protection(Access access) {
    long common = TYPE_TABLE | SHARED | AF | RDONLY | PXN;
    if (access.equals(Access.NONE)) {
      return common | PROT_NONE | UXN;
    }
    return common | VALID | USER | NG | (access.write() ? WRITE : 0) | (access.execute() ? 0 : UXN);
  }

  /** Keeps what hardware noted: the old entry's RDONLY is gone by now. */
  @Override
  long settle(long old, long modified) {
    return isDirty(old) ? withDirty(modified) : modified;
  }

  @Override
  public long withWrite(long pte) {
    return (pte & DIRTY) != 0 ? (pte | WRITE) & ~RDONLY : pte | WRITE;
  }

  @Override
  public long withoutWrite(long pte) {
    return (isDirty(pte) ? pte | DIRTY : pte) & ~WRITE | RDONLY;
  }

  @Override
  public long withYoung(long pte) {
    return pte | AF;
  }

  @Override
  public long withDirty(long pte) {
    return isWritable(pte) ? (pte | DIRTY) & ~RDONLY : pte | DIRTY;
  }

  @Override
  long hugeProtection(Access access, Level level) {
    return protection(access) & ~TYPE_TABLE;
  }

  @Override
  public String describe(long pte) {
    StringJoiner bits = new StringJoiner(" ");
    name(bits, pte, VALID, "VALID");
    name(bits, pte, TYPE_TABLE, "TABLE");
    name(bits, pte, PteBits.XIP_ARM64_ATTRINDX(), "ATTRINDX");
    name(bits, pte, USER, "USER");
    name(bits, pte, RDONLY, "RDONLY");
    name(bits, pte, SHARED, "SHARED");
    name(bits, pte, AF, "AF");
    name(bits, pte, NG, (pte & VALID) != 0 ? "NG" : "PROT_NONE");
    name(bits, pte, PteBits.XIP_ARM64_GP(), "GP");
    name(bits, pte, WRITE, "WRITE");
    name(bits, pte, PteBits.XIP_ARM64_CONT(), "CONT");
    name(bits, pte, PXN, "PXN");
    name(bits, pte, UXN, "UXN");
    name(bits, pte, DIRTY, "DIRTY");
    name(bits, pte, SPECIAL, "SPECIAL");
    name(bits, pte, DEVMAP, "DEVMAP");
    name(bits, pte, PteBits.XIP_ARM64_UFFD_WP(), "UFFD_WP");
    return bits.toString();
  }
}
