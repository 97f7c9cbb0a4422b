package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import org.junit.jupiter.api.Test;

/** x86-64 up to Linux 2.6.26, where bit 9 is free for software and has no meaning. */
class X8664WithoutSpecialLayoutTest extends EntryLayoutContract {
  X8664WithoutSpecialLayoutTest() {
    super(X8664Layout.WITHOUT_SPECIAL);
  }

  @Override
  EntryLayout forgetting(long bits) {
    return new X8664Layout("forgetful", 0, 0, PteBits.XIP_X86_64_CHANGE_MASK() & ~bits);
  }

  @Test
  void makingAnEntrySpecialChangesNothing() {
    long pte = layout.leaf(PFN, Access.READ);
    assertThat(layout.withSpecial(pte)).isEqualTo(pte);
    assertThat(layout.hasSpecialBit()).isFalse();
  }

  @Test
  void bitNineIsNotTheSpecialBitAndIsKept() {
    long pte = layout.leaf(PFN, Access.READ) | PteBits.XIP_X86_64_SPECIAL();
    assertThat(layout.isSpecial(pte)).isFalse();
    assertThat(layout.modify(pte, Access.READ_WRITE) & PteBits.XIP_X86_64_SPECIAL()).isNotZero();
    assertThat(layout.describe(pte)).isEqualTo("PRESENT USER ACCESSED UNUSED1 NX");
  }
}
