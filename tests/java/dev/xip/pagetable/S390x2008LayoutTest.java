package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import org.junit.jupiter.api.Test;

/** The entries that the 2008 thread was about. */
class S390x2008LayoutTest extends EntryLayoutContract {
  S390x2008LayoutTest() {
    super(S390x2008Layout.INSTANCE);
  }

  @Override
  EntryLayout forgetting(long bits) {
    return new S390x2008Layout("forgetful", 0, PteBits.XIP_S390X_2008_CHANGE_MASK() & ~bits);
  }

  @Test
  void theSpecialBitIs004() {
    assertThat(layout.withSpecial(0)).isEqualTo(0x004);
    assertThat(layout.withSpecial(layout.leaf(PFN, Access.READ))).isEqualTo(0x80000204L);
    assertThat(layout.withSpecial(layout.leaf(PFN, Access.READ_WRITE))).isEqualTo(0x80000004L);
  }

  @Test
  void whatCanBeRunHasATypeOfItsOwn() {
    long special = layout.withSpecial(layout.leaf(PFN, Access.READ_EXECUTE));
    assertThat(special).isEqualTo(0x80000206L);
    assertThat(layout.leaf(PFN, new Access(true, true, true))).isEqualTo(0x80000002L);
    assertThat(layout.withWrite(special)).isEqualTo(0x80000006L);
    assertThat(layout.isExecutable(special)).isTrue();
    assertThat(layout.isExecutable(layout.modify(special, Access.READ_WRITE))).isFalse();
    assertThat(layout.isExecutable(layout.leaf(PFN, Access.NONE))).isFalse();
  }

  /** Linux commit 138c9021ca6: DCSS memory turned into counted frames, and the kernel crashed. */
  @Test
  void mprotectErasedTheSpecialBitBeforeItWasAddedToTheChangeMask() {
    EntryLayout first = new S390x2008Layout("2.6.26-rc", 0, PteBits.XIP_S390X_PFN_MASK());
    long special = layout.withSpecial(layout.leaf(PFN, Access.READ));
    assertThat(first.isSpecial(first.modify(special, Access.READ_WRITE))).isFalse();
    assertThat(layout.isSpecial(layout.modify(special, Access.READ_WRITE))).isTrue();
  }

  @Test
  void theTypeBitsTellWhatAnInvalidEntryIs() {
    assertThat(layout.isEmpty(0x400)).isTrue();
    assertThat(layout.isEmpty(0x404)).isTrue();
    assertThat(layout.isEmpty(0)).isFalse();
    for (long type : new long[] {0x401, 0x200, 0x000, 0x202, 0x002}) {
      assertThat(layout.isPresent(type)).as("type 0x%x", type).isTrue();
    }
    for (long swapOrFile : new long[] {0x403, 0x601}) {
      assertThat(layout.isPresent(swapOrFile)).as("type 0x%x", swapOrFile).isFalse();
      assertThat(layout.isEmpty(swapOrFile)).isFalse();
    }
  }

  @Test
  void entriesKnowNeitherYoungNorDirty() {
    long pte = layout.leaf(PFN, Access.READ_WRITE);
    assertThat(layout.isYoung(pte)).isFalse();
    assertThat(layout.isDirty(pte)).isFalse();
    assertThat(layout.withYoung(layout.withDirty(layout.withOld(layout.withClean(pte)))))
        .isEqualTo(pte);
  }

  @Test
  void writeProtectingAnUntouchableEntryDoesNotChangeItsType() {
    long none = layout.leaf(PFN, Access.NONE);
    assertThat(layout.withoutWrite(none)).isEqualTo(none);
    assertThat(layout.withWrite(none)).isEqualTo(none);
  }

  @Test
  void hugeLeavesAreOneMebibyteOnly() {
    assertThat(layout.hugeLeaf(PFN, Access.READ, Level.PMD)).isEqualTo(0x80000600L);
    assertThat(layout.hasLeaves(Level.PUD)).isFalse();
  }

  @Test
  void bitsAreSpelledOut() {
    assertThat(layout.describe(0x80000204L)).isEqualTo("SPECIAL RO");
    assertThat(layout.describe(0x80000206L)).isEqualTo("SWX SPECIAL RO");
    assertThat(layout.describe(0x400)).isEqualTo("INVALID");
  }
}
