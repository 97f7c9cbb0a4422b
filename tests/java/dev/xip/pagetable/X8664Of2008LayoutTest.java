package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import org.junit.jupiter.api.Test;

/** x86-64 of Linux 2.6.26, where bit 9 is free for software and has no meaning. */
class X8664Of2008LayoutTest extends EntryLayoutContract {
  private static final long UNUSED1 = 1L << 9;

  X8664Of2008LayoutTest() {
    super(X8664Of2008Layout.INSTANCE);
  }

  @Override
  EntryLayout forgetting(long bits) {
    return new X8664Of2008Layout("forgetful", 0, PteBits.XIP_X86_64_2008_CHANGE_MASK() & ~bits);
  }

  @Test
  void makingAnEntrySpecialChangesNothing() {
    long pte = layout.leaf(PFN, Access.READ);
    assertThat(layout.withSpecial(pte)).isEqualTo(pte);
    assertThat(layout.hasSpecialBit()).isFalse();
    assertThat(layout.isSpecial(pte | UNUSED1)).isFalse();
  }

  @Test
  void modifyKeepsWhatTheKernelKeepsAndLosesBitNine() {
    long everything = 0x7ff0_0000_8000_0fffL;
    assertThat(layout.modify(everything, Access.READ)).isEqualTo(0x8000_0000_8000_007dL);
    assertThat(layout.modify(layout.leaf(PFN, Access.READ) | UNUSED1, Access.READ_WRITE) & UNUSED1)
        .isZero();
  }

  @Test
  void anEntryWithoutAccessHasBitSevenAndBitEightSaysNothing() {
    long none = layout.leaf(PFN, Access.NONE);
    assertThat(none).isEqualTo(0x800000a0L);
    assertThat(layout.isPresent(none)).isTrue();
    assertThat(layout.isPresent(0x80000120L)).isFalse();
    assertThat(layout.isEmpty(0x80000120L)).isFalse();
  }

  @Test
  void onlyZeroIsEmpty() {
    assertThat(layout.isEmpty(0)).isTrue();
    assertThat(layout.isEmpty(0x60)).isFalse();
    assertThat(layout.isPresent(0x60)).isFalse();
    assertThat(layout.isEmpty(0x60, Level.PMD)).isFalse();
  }

  @Test
  void aDirtyEntryThatIsWriteProtectedStaysDirtyInBitSix() {
    long dirty = layout.withDirty(layout.leaf(PFN, Access.READ_WRITE));
    assertThat(layout.withoutWrite(dirty)).isEqualTo(0x8000_0000_8000_0065L);
    assertThat(layout.isDirty(layout.withoutWrite(dirty))).isTrue();
    assertThat(layout.isDirty(1L << 58)).isFalse();
    assertThat(layout.modify(dirty, Access.READ)).isEqualTo(0x8000_0000_8000_0065L);
  }

  @Test
  void aHugeLeafWithoutAccessHasOneBitForBoth() {
    assertThat(layout.hugeLeaf(PFN, Access.NONE, Level.PMD)).isEqualTo(0x800000a0L);
    assertThat(layout.isTable(0x800000a0L)).isFalse();
  }

  @Test
  void bitsAreSpelledOut() {
    assertThat(layout.describe(layout.leaf(PFN, Access.READ) | UNUSED1))
        .isEqualTo("PRESENT USER ACCESSED UNUSED1 NX");
    assertThat(layout.describe(0x800001a0L)).isEqualTo("ACCESSED PROT_NONE GLOBAL");
  }
}
