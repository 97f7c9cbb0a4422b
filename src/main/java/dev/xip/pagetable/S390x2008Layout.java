package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import java.util.StringJoiner;

/**
 * s390x as merged in 2008 (include/asm-s390/pgtable.h of Linux 2.6.26): special is 0x004 and the
 * empty entry 0x400. An entry knows neither young nor dirty, which the storage key of a frame
 * tells, so those changes do nothing. Whether instructions may be fetched is part of its type:
 * EX_RO or EX_RW. Huge leaves do not know it.
 */
public final class S390x2008Layout extends EntryLayout {
  private static final long SPECIAL = PteBits.XIP_S390X_2008_SPECIAL();
  private static final long RO = PteBits.XIP_S390X_2008_RO();
  private static final long INVALID = PteBits.XIP_S390X_2008_INVALID();
  private static final long SWT = PteBits.XIP_S390X_2008_SWT();
  private static final long SWX = PteBits.XIP_S390X_2008_SWX();
  private static final long PROT_NONE = PteBits.XIP_S390X_2008_PROT_NONE();

  /** The only instance. */
  public static final S390x2008Layout INSTANCE =
      new S390x2008Layout(
          "s390x-2008", PteBits.XIP_LAYOUT_S390X_2008(), PteBits.XIP_S390X_2008_CHANGE_MASK());

  S390x2008Layout(String name, int abiNumber, long change) {
    super(
        name,
        abiNumber,
        S390xTables.bits(Level.PMD, 0)
            .empty(PteBits.XIP_S390X_2008_NONE_MASK(), PteBits.XIP_S390X_2008_NONE())
            .present(INVALID | SWT, 0)
            .otherPresent(PteBits.XIP_S390X_2008_TYPE_MASK(), PROT_NONE)
            .valid(INVALID, 0)
            .special(SPECIAL)
            .writable(RO, 0)
            .executable(SWX, SWX)
            .change(change));
  }

  @Override
  public int sectionBits() {
    return 25;
  }

  @Override
  long protection(Access access) {
    if (access.equals(Access.NONE)) {
      return PROT_NONE;
    }
    return (access.write() ? 0 : RO) | (access.execute() ? SWX : 0);
  }

  @Override
  long settle(long old, long modified) {
    return modified;
  }

  @Override
  public long withWrite(long pte) {
    return isValid(pte) ? pte & ~RO : pte;
  }

  /** An untouchable entry is left alone: among its type bits RO would make it another type. */
  @Override
  public long withoutWrite(long pte) {
    return isValid(pte) ? pte | RO : pte;
  }

  @Override
  public long withYoung(long pte) {
    return pte;
  }

  @Override
  public long withDirty(long pte) {
    return pte;
  }

  @Override
  long hugeProtection(Access access, Level level) {
    long rights =
        access.equals(Access.NONE)
            ? S390xTables.INVALID | S390xTables.PROTECT
            : access.write() ? 0 : S390xTables.PROTECT;
    return rights | S390xTables.hugeType(level);
  }

  @Override
  public String describe(long pte) {
    StringJoiner bits = new StringJoiner(" ");
    name(bits, pte, SWT, "SWT");
    name(bits, pte, SWX, "SWX");
    name(bits, pte, SPECIAL, "SPECIAL");
    name(bits, pte, RO, "RO");
    name(bits, pte, INVALID, "INVALID");
    return bits.toString();
  }
}
