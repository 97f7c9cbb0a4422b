package dev.xip.pagetable;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import java.util.StringJoiner;

/**
 * s390x of today (arch/s390/include/asm/pgtable.h of Linux 6): special is 0x040 and the empty entry
 * 0x400. Soft bits drive hardware's: an old entry is invalid and a clean one is protected, so the
 * first use and the first store trap.
 */
public final class S390xLayout extends EntryLayout {
  private static final long PRESENT = PteBits.XIP_S390X_PRESENT();
  private static final long YOUNG = PteBits.XIP_S390X_YOUNG();
  private static final long DIRTY = PteBits.XIP_S390X_DIRTY();
  private static final long READ = PteBits.XIP_S390X_READ();
  private static final long WRITE = PteBits.XIP_S390X_WRITE();
  private static final long SPECIAL = PteBits.XIP_S390X_SPECIAL();
  private static final long NOEXEC = PteBits.XIP_S390X_NOEXEC();
  private static final long PROTECT = PteBits.XIP_S390X_PROTECT();
  private static final long INVALID = PteBits.XIP_S390X_INVALID();
  private static final long UPPER_PRESENT = PteBits.XIP_S390X_UPPER_PRESENT();

  /** The only instance. */
  public static final S390xLayout INSTANCE =
      new S390xLayout("s390x", PteBits.XIP_LAYOUT_S390X(), PteBits.XIP_S390X_CHANGE_MASK());

  S390xLayout(String name, int abiNumber, long change) {
    super(
        name,
        abiNumber,
        S390xTables.bits(Level.PUD, UPPER_PRESENT)
            .empty(-1L, PteBits.XIP_S390X_NONE())
            .present(PRESENT, PRESENT)
            .otherPresent(PRESENT, PRESENT)
            .valid(PRESENT | INVALID, PRESENT)
            .special(SPECIAL)
            .writable(WRITE, WRITE)
            .executable(NOEXEC, 0)
            .state(YOUNG, DIRTY)
            .old(YOUNG, INVALID)
            .clean(DIRTY, PROTECT)
            .change(change));
  }

  @Override
  long protection(Access access) {
    if (access.equals(Access.NONE)) {
      return PRESENT | YOUNG | PROTECT | INVALID;
    }
    return PRESENT
        | YOUNG
        | READ
        | (access.write() ? WRITE : 0)
        | (access.execute() ? 0 : NOEXEC)
        | PROTECT;
  }

  /** Hardware's bits follow from the soft ones. */
  @Override
  long settle(long old, long modified) {
    long readableYoung = READ | YOUNG;
    long writableDirty = WRITE | DIRTY;
    return modified & ~(INVALID | PROTECT)
        | ((modified & readableYoung) == readableYoung ? 0 : INVALID)
        | ((modified & writableDirty) == writableDirty ? 0 : PROTECT);
  }

  @Override
  public long withWrite(long pte) {
    return settle(pte, pte | WRITE);
  }

  @Override
  public long withoutWrite(long pte) {
    return settle(pte, pte & ~WRITE);
  }

  @Override
  public long withYoung(long pte) {
    return settle(pte, pte | YOUNG);
  }

  @Override
  public long withDirty(long pte) {
    return settle(pte, pte | DIRTY);
  }

  @Override
  long hugeProtection(Access access, Level level) {
    long rights =
        S390xTables.hugeType(level)
            | UPPER_PRESENT
            | S390xTables.PROTECT
            | PteBits.XIP_S390X_HUGE_YOUNG();
    if (access.equals(Access.NONE)) {
      return rights | S390xTables.INVALID;
    }
    return rights
        | PteBits.XIP_S390X_HUGE_READ()
        | (access.write() ? PteBits.XIP_S390X_HUGE_WRITE() : 0)
        | (access.execute() ? 0 : S390xTables.NOEXEC);
  }

  @Override
  public String describe(long pte) {
    StringJoiner bits = new StringJoiner(" ");
    name(bits, pte, PRESENT, "PRESENT");
    name(bits, pte, PteBits.XIP_S390X_SOFT_DIRTY(), "SOFT_DIRTY");
    name(bits, pte, YOUNG, "YOUNG");
    name(bits, pte, DIRTY, "DIRTY");
    name(bits, pte, READ, "READ");
    name(bits, pte, WRITE, "WRITE");
    name(bits, pte, SPECIAL, "SPECIAL");
    name(bits, pte, PteBits.XIP_S390X_UNUSED(), "UNUSED");
    name(bits, pte, NOEXEC, "NOEXEC");
    name(bits, pte, PROTECT, "PROTECT");
    name(bits, pte, INVALID, "INVALID");
    return bits.toString();
  }
}
