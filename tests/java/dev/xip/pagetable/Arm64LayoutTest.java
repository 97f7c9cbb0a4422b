package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import org.junit.jupiter.api.Test;

/** Entry bits against the values that Linux computes for frame 0x80000. */
class Arm64LayoutTest extends EntryLayoutContract {
  private static final long RDONLY = 0x80;
  private static final long DIRTY = 1L << 55;
  private final long special = layout.withSpecial(layout.leaf(PFN, Access.READ));

  Arm64LayoutTest() {
    super(Arm64Layout.INSTANCE);
  }

  @Override
  EntryLayout forgetting(long bits) {
    return new Arm64Layout("forgetful", 0, PteBits.XIP_ARM64_CHANGE_MASK() & ~bits);
  }

  @Test
  void aSpecialReadOnlyEntryHasTheKernelsBits() {
    assertThat(special).isEqualTo(0x0160000080000fc3L);
  }

  @Test
  void aSpecialExecutableEntryHasTheKernelsBits() {
    assertThat(layout.withSpecial(layout.leaf(PFN, Access.READ_EXECUTE)))
        .isEqualTo(0x0120000080000fc3L);
  }

  @Test
  void aSharedWriteReusesTheEntryWithTheKernelsBits() {
    assertThat(layout.withWrite(layout.withDirty(layout.withYoung(special))))
        .isEqualTo(layout.withDirty(layout.withWrite(special)))
        .isEqualTo(0x01e8000080000f43L);
  }

  @Test
  void anOldEntryHasTheKernelsBits() {
    assertThat(layout.withOld(special)).isEqualTo(0x0160000080000bc3L);
  }

  @Test
  void theSpecialBitIsBit56() {
    assertThat(layout.withSpecial(0)).isEqualTo(1L << 56);
    assertThat(layout.isEmpty(0)).isTrue();
    assertThat(layout.isEmpty(1L << 56)).isFalse();
  }

  @Test
  void aStoreThatHardwareNotedIsNotForgotten() {
    long stored = layout.leaf(PFN, Access.READ_WRITE) & ~RDONLY;
    assertThat(layout.isDirty(stored)).isTrue();
    assertThat(stored & DIRTY).isZero();
    assertThat(layout.withoutWrite(stored) & (DIRTY | RDONLY)).isEqualTo(DIRTY | RDONLY);
    assertThat(layout.isDirty(layout.modify(stored, Access.READ))).isTrue();
    assertThat(layout.isDirty(layout.modify(stored, Access.READ_WRITE))).isTrue();
    assertThat(layout.isDirty(layout.withClean(stored))).isFalse();
  }

  @Test
  void modifyReplacesWhatTheKernelReplaces() {
    long everything = 0x80000000L | 0xfff0_0000_0000_0000L | 0xffeL;
    assertThat(layout.modify(everything & ~DIRTY & ~(1L << 51), Access.READ))
        .isEqualTo(0x8f70_0000_8000_0fe3L);
  }

  @Test
  void onlyLeavesUpToThePmdCanBeSpecial() {
    assertThat(layout.hasSpecialBit(Level.PMD)).isTrue();
    assertThat(layout.hasSpecialBit(Level.PUD)).isFalse();
    assertThat(layout.withSpecial(layout.hugeLeaf(PFN, Access.READ, Level.PMD), Level.PMD))
        .isEqualTo(0x0160000080000fc1L);
  }

  @Test
  void tablesHave512Entries() {
    assertThat(layout.entriesPerTable(Level.PTE)).isEqualTo(512);
    assertThat(layout.shift(Level.PGD)).isEqualTo(39);
    assertThat(layout.addressLimit()).isEqualTo(1L << 48);
  }

  @Test
  void bitsAreSpelledOut() {
    assertThat(layout.describe(special))
        .isEqualTo("VALID TABLE USER RDONLY SHARED AF NG PXN UXN SPECIAL");
  }
}
