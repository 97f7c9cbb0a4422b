package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.bindings.PteBits;
import org.junit.jupiter.api.Test;

/** Entry bits against the values that Linux computes for frame 0x80000. */
class S390xLayoutTest extends EntryLayoutContract {
  private final long special = layout.withSpecial(layout.leaf(PFN, Access.READ));

  S390xLayoutTest() {
    super(S390xLayout.INSTANCE);
  }

  @Override
  EntryLayout forgetting(long bits) {
    return new S390xLayout("forgetful", 0, PteBits.XIP_S390X_CHANGE_MASK() & ~bits);
  }

  @Test
  void aSpecialReadOnlyEntryHasTheKernelsBits() {
    assertThat(special).isEqualTo(0x0000000080000355L);
  }

  @Test
  void aSpecialExecutableEntryHasTheKernelsBits() {
    assertThat(layout.withSpecial(layout.leaf(PFN, Access.READ_EXECUTE)))
        .isEqualTo(0x0000000080000255L);
  }

  @Test
  void aSharedWriteReusesTheEntryWithTheKernelsBits() {
    assertThat(layout.withWrite(layout.withDirty(layout.withYoung(special))))
        .isEqualTo(layout.withDirty(layout.withWrite(special)))
        .isEqualTo(0x000000008000017dL);
  }

  @Test
  void anOldEntryHasTheKernelsBits() {
    assertThat(layout.withOld(special)).isEqualTo(0x0000000080000751L);
  }

  @Test
  void anOldEntryIsPresentButTraps() {
    long old = layout.withOld(special);
    assertThat(layout.isPresent(old)).isTrue();
    assertThat(layout.isValid(old)).isFalse();
    assertThat(layout.withYoung(old)).isEqualTo(special);
  }

  @Test
  void aWritableEntryTrapsUntilItIsDirty() {
    long clean = layout.leaf(PFN, Access.READ_WRITE);
    assertThat(clean & 0x200).isNotZero();
    assertThat(layout.withDirty(clean) & 0x200).isZero();
    assertThat(layout.withClean(layout.withDirty(clean))).isEqualTo(clean);
  }

  @Test
  void theSpecialBitHasMovedSince2008() {
    assertThat(layout.withSpecial(0)).isEqualTo(0x040);
    assertThat(layout.isSpecial(0x004)).isFalse();
  }

  @Test
  void onlyTheExactEmptyEntryIsEmpty() {
    assertThat(layout.isEmpty(0x400)).isTrue();
    assertThat(layout.isEmpty(0x404)).isFalse();
    assertThat(layout.isEmpty(0)).isFalse();
  }

  @Test
  void modifyKeepsWhatTheKernelKeeps() {
    assertThat(layout.modify(0x80000000L | 0x7ffL, Access.READ)).isEqualTo(0x8000035fL);
    assertThat(layout.modify(layout.withOld(special), Access.READ_EXECUTE)).isEqualTo(0x80000651L);
    assertThat(layout.modify(special, Access.NONE)).isEqualTo(0x80000645L);
  }

  @Test
  void upperTablesHave2048EntriesAndTypes() {
    assertThat(layout.entriesPerTable(Level.PTE)).isEqualTo(256);
    assertThat(layout.tablePages(Level.PTE)).isEqualTo(1);
    assertThat(layout.tablePages(Level.PMD)).isEqualTo(4);
    assertThat(layout.shift(Level.PMD)).isEqualTo(20);
    assertThat(layout.shift(Level.PUD)).isEqualTo(31);
    assertThat(layout.shift(Level.PGD)).isEqualTo(42);
    assertThat(layout.addressLimit()).isEqualTo(1L << 53);
    assertThat(layout.table(PFN, Level.PMD)).isEqualTo(0x80000001L);
    assertThat(layout.table(PFN, Level.PUD)).isEqualTo(0x80000007L);
    assertThat(layout.table(PFN, Level.PGD)).isEqualTo(0x8000000bL);
    assertThat(layout.empty(Level.PMD)).isEqualTo(0x20);
    assertThat(layout.empty(Level.PUD)).isEqualTo(0x24);
    assertThat(layout.empty(Level.PGD)).isEqualTo(0x28);
  }

  @Test
  void hugeLeavesHaveBitsOfTheirOwnAndNoSpecialBit() {
    assertThat(layout.hugeLeaf(PFN, Access.READ, Level.PMD)).isEqualTo(0x80005701L);
    assertThat(layout.hugeLeaf(PFN, Access.NONE, Level.PMD)).isEqualTo(0x80001621L);
    assertThat(layout.hugeLeaf(PFN, Access.READ_WRITE, Level.PUD)).isEqualTo(0x8000d705L);
    assertThat(layout.isSpecial(0x80005741L, Level.PMD)).isFalse();
    assertThat(layout.pfn(0x8000f701L, Level.PMD)).isEqualTo(PFN);
  }

  @Test
  void anUpperEntryThatIsNotPresentIsNoLeaf() {
    assertThat(layout.isHugeLeaf(0x80005700L, Level.PMD)).isFalse();
    assertThat(layout.isHugeLeaf(0x80001620L, Level.PMD)).isFalse();
    assertThat(layout.isTable(0x80001620L)).isFalse();
  }

  @Test
  void bitsAreSpelledOut() {
    assertThat(layout.describe(special)).isEqualTo("PRESENT YOUNG READ SPECIAL NOEXEC PROTECT");
  }
}
