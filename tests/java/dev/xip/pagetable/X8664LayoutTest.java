package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import org.junit.jupiter.api.Test;

/** Entry bits against the values that Linux computes for frame 0x80000. */
class X8664LayoutTest extends EntryLayoutContract {
  private final long special = layout.withSpecial(layout.leaf(PFN, Access.READ));

  X8664LayoutTest() {
    super(X8664Layout.INSTANCE);
  }

  @Override
  EntryLayout forgetting(long bits) {
    return new X8664Layout("forgetful", 0, PteBits.XIP_X86_64_CHANGE_MASK() & ~bits);
  }

  @Test
  void aSpecialReadOnlyEntryHasTheKernelsBits() {
    assertThat(special).isEqualTo(0x8000000080000225L);
  }

  @Test
  void aSpecialExecutableEntryHasTheKernelsBits() {
    assertThat(layout.withSpecial(layout.leaf(PFN, Access.READ_EXECUTE)))
        .isEqualTo(0x0000000080000225L);
  }

  @Test
  void aSharedWriteReusesTheEntryWithTheKernelsBits() {
    assertThat(layout.withWrite(layout.withDirty(layout.withYoung(special))))
        .isEqualTo(layout.withDirty(layout.withWrite(special)))
        .isEqualTo(0x8000000080000267L);
  }

  @Test
  void anOldEntryHasTheKernelsBits() {
    assertThat(layout.withOld(special)).isEqualTo(0x8000000080000205L);
  }

  @Test
  void theSpecialBitIsBitNine() {
    assertThat(layout.withSpecial(0)).isEqualTo(1L << 9).isEqualTo(PteBits.XIP_X86_64_SPECIAL());
  }

  @Test
  void strayAccessedAndDirtyBitsAreStillEmpty() {
    assertThat(layout.isEmpty(0)).isTrue();
    assertThat(layout.isEmpty(0x60)).isTrue();
    assertThat(layout.isEmpty(0x61)).isFalse();
    assertThat(layout.isEmpty(0x60, Level.PMD)).isTrue();
  }

  @Test
  void aDirtyEntryThatIsWriteProtectedKeepsItsDirtyStateInBit58() {
    long dirty = layout.withDirty(layout.leaf(PFN, Access.READ_WRITE));
    assertThat(dirty & 0x40).isNotZero();
    long protectedEntry = layout.withoutWrite(dirty);
    assertThat(protectedEntry & 0x40).isZero();
    assertThat(protectedEntry >>> 58 & 1).isOne();
    assertThat(layout.withWrite(protectedEntry)).isEqualTo(dirty);
    assertThat(layout.modify(dirty, Access.READ) >>> 58 & 1).isOne();
  }

  @Test
  void modifyKeepsWhatTheKernelKeeps() {
    long kept = 0x0400_0000_8000_0ef8L & ~0x40L;
    assertThat(layout.modify(kept | 0x7800_0000_0000_0101L, Access.READ))
        .isEqualTo(kept | 0x8000_0000_0000_0005L);
  }

  @Test
  void leavesOfAllLevelsCanBeSpecial() {
    assertThat(layout.withSpecial(layout.hugeLeaf(PFN, Access.READ, Level.PMD), Level.PMD))
        .isEqualTo(0x80000000800002a5L);
    assertThat(layout.hasSpecialBit(Level.PUD)).isTrue();
    assertThat(layout.hasSpecialBit(Level.PGD)).isFalse();
  }

  @Test
  void bitTwelveOfAHugeLeafIsNoPartOfItsAddress() {
    assertThat(layout.pfn(layout.hugeLeaf(PFN, Access.READ, Level.PMD) | 0x1000, Level.PMD))
        .isEqualTo(PFN);
  }

  @Test
  void tablesHave512Entries() {
    assertThat(layout.entriesPerTable(Level.PTE)).isEqualTo(512);
    assertThat(layout.tableBytes(Level.PGD)).isEqualTo(4096);
    assertThat(layout.shift(Level.PGD)).isEqualTo(39);
    assertThat(layout.addressLimit()).isEqualTo(1L << 47);
    assertThat(layout.table(PFN, Level.PMD)).isEqualTo(0x80000067L);
  }

  @Test
  void bitsAreSpelledOut() {
    assertThat(layout.describe(0x8000000080000225L)).isEqualTo("PRESENT USER ACCESSED SPECIAL NX");
    assertThat(layout.describe(0)).isEmpty();
  }
}
