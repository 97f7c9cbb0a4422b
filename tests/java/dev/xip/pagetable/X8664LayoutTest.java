package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import org.junit.jupiter.api.Test;

/** Entry bits against the values that Linux computes for frame 0x80000. */
class X8664LayoutTest {
  private static final long PFN = 0x80000;
  private final EntryLayout layout = X8664Layout.INSTANCE;

  @Test
  void aSpecialReadOnlyEntryHasTheKernelsBits() {
    assertThat(layout.withSpecial(layout.leaf(PFN, Access.READ))).isEqualTo(0x8000000080000225L);
  }

  @Test
  void aSpecialExecutableEntryHasTheKernelsBits() {
    assertThat(layout.withSpecial(layout.leaf(PFN, Access.READ_EXECUTE)))
        .isEqualTo(0x0000000080000225L);
  }

  @Test
  void theSpecialBitIsBitNine() {
    assertThat(layout.withSpecial(0)).isEqualTo(1L << 9).isEqualTo(PteBits.XIP_X86_64_SPECIAL());
  }

  @Test
  void anEntryKeepsItsFrame() {
    for (long pfn : new long[] {0, 1, PFN, (1L << 40) - 1}) {
      long pte = layout.withSpecial(layout.leaf(pfn, Access.READ_WRITE));
      assertThat(layout.pfn(pte)).isEqualTo(pfn);
      assertThat(layout.pfn(layout.table(pfn))).isEqualTo(pfn);
    }
  }

  @Test
  void strayAccessedAndDirtyBitsAreStillEmpty() {
    assertThat(layout.isEmpty(0)).isTrue();
    assertThat(layout.isEmpty(0x60)).isTrue();
    assertThat(layout.isEmpty(0x61)).isFalse();
  }

  @Test
  void anEntryWithoutAnyRightIsNotValid() {
    long pte = layout.leaf(PFN, Access.NONE);
    assertThat(layout.isValid(pte)).isFalse();
    assertThat(layout.isEmpty(pte)).isFalse();
    assertThat(layout.pfn(pte)).isEqualTo(PFN);
  }

  @Test
  void rightsBecomeBits() {
    assertThat(layout.isWritable(layout.leaf(PFN, Access.READ))).isFalse();
    assertThat(layout.isWritable(layout.leaf(PFN, Access.READ_WRITE))).isTrue();
    assertThat(layout.isExecutable(layout.leaf(PFN, Access.READ))).isFalse();
    assertThat(layout.isExecutable(layout.leaf(PFN, Access.READ_EXECUTE))).isTrue();
  }

  @Test
  void bitsAreSpelledOut() {
    assertThat(layout.describe(0x8000000080000225L)).isEqualTo("PRESENT USER ACCESSED SPECIAL NX");
    assertThat(layout.describe(0)).isEmpty();
  }
}
