package dev.xip.pagetable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The properties of the entries of every architecture. */
abstract class EntryLayoutContract {
  static final long PFN = 0x80000;
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  final EntryLayout layout;

  EntryLayoutContract(EntryLayout layout) {
    this.layout = layout;
  }

  /** The same layout, but modify drops the given bits. */
  abstract EntryLayout forgetting(long bits);

  private List<Level> upperLevels() {
    return Arrays.stream(Level.values())
        .filter(level -> level != Level.PTE && level.compareTo(layout.top()) <= 0)
        .toList();
  }

  private List<Level> hugeLevels() {
    return upperLevels().stream().filter(layout::hasLeaves).toList();
  }

  @Test
  void anEntryStaysSpecialAndKeepsItsFrameThroughAnyChainOfChanges() {
    assertThat(BitAlgebra.violation(layout, SEED)).isNull();
  }

  @Test
  void aModifyThatForgetsTheSpecialBitBreaksTheProperty() {
    EntryLayout forgetful = forgetting(layout.withSpecial(0));
    assertThat(BitAlgebra.violation(forgetful, SEED) != null).isEqualTo(layout.hasSpecialBit());
  }

  @Test
  void aModifyThatForgetsABitOfTheFrameBreaksTheProperty() {
    assertThat(BitAlgebra.violation(forgetting(Pages.SIZE), SEED)).contains("frame");
  }

  @Test
  void theEmptyEntryIsNothingElse() {
    long empty = layout.empty();
    assertThat(layout.isEmpty(empty)).isTrue();
    assertThat(layout.isPresent(empty)).isFalse();
    assertThat(layout.isValid(empty)).isFalse();
    assertThat(layout.isSpecial(empty)).isFalse();
  }

  @Test
  void anEmptyUpperEntryIsNeitherTableNorLeaf() {
    for (Level level : upperLevels()) {
      long empty = layout.empty(level);
      assertThat(layout.isEmpty(empty, level)).isTrue();
      assertThat(layout.isTable(empty)).isFalse();
      assertThat(layout.isHugeLeaf(empty, level)).isFalse();
    }
    assertThat(layout.isEmpty(layout.empty(), Level.PTE)).isTrue();
  }

  @Test
  void aLeafIsPresentWhateverItsRights() {
    for (Access access : BitAlgebra.RIGHTS) {
      long pte = layout.leaf(PFN, access);
      assertThat(layout.isPresent(pte)).as("%s 0x%x", access, pte).isTrue();
      assertThat(layout.isEmpty(pte)).isFalse();
      assertThat(layout.isValid(pte)).isEqualTo(!access.equals(Access.NONE));
      assertThat(layout.isWritable(pte) && layout.isValid(pte)).isEqualTo(access.write());
      assertThat(layout.pfn(pte)).isEqualTo(PFN);
    }
  }

  @Test
  void rightsAndTheSpecialBitLeaveThePfnAlone() {
    long pte = layout.leaf(PFN, Access.READ);
    long special = layout.withSpecial(layout.leaf(PFN, Access.NONE));
    assertThat(layout.pfn(pte)).isEqualTo(layout.pfn(special));
    assertThat(layout.pfn(pte)).isNotEqualTo(layout.pfn(layout.leaf(PFN + 1, Access.READ)));
  }

  @Test
  void aTableEntryPointsAtItsTable() {
    for (Level level : upperLevels()) {
      long entry = layout.table(PFN + 1, level);
      assertThat(layout.isTable(entry)).isTrue();
      assertThat(layout.pfn(entry)).isEqualTo(PFN + 1);
      assertThat(layout.isEmpty(entry, level)).isFalse();
      assertThat(layout.isHugeLeaf(entry, level)).isFalse();
    }
  }

  @Test
  void aHugeLeafIsALeafOfItsLevel() {
    for (Level level : hugeLevels()) {
      for (Access access : BitAlgebra.RIGHTS) {
        long pte = layout.hugeLeaf(PFN, access, level);
        assertThat(layout.isHugeLeaf(pte, level)).as("%s %s 0x%x", level, access, pte).isTrue();
        assertThat(layout.isTable(pte)).isFalse();
        assertThat(layout.isEmpty(pte, level)).isFalse();
        assertThat(layout.isValid(pte, level)).isEqualTo(!access.equals(Access.NONE));
        assertThat(layout.pfn(pte, level)).isEqualTo(PFN);
      }
    }
  }

  @Test
  void aHugeLeafIsSpecialWhereItsLevelHasTheBit() {
    for (Level level : hugeLevels()) {
      long plain = layout.hugeLeaf(PFN, Access.READ_WRITE, level);
      long pte = layout.withSpecial(plain, level);
      assertThat(layout.isSpecial(plain, level)).isFalse();
      assertThat(layout.isSpecial(pte, level)).isEqualTo(layout.hasSpecialBit(level));
      assertThat(pte != plain).isEqualTo(layout.hasSpecialBit(level));
      assertThat(layout.pfn(pte, level)).isEqualTo(PFN);
    }
  }

  @Test
  void aHugeLeafOffItsBoundaryOrLevelIsRefused() {
    for (Level level : hugeLevels()) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> layout.hugeLeaf(PFN + 1, Access.READ, level))
          .withMessageContaining("0x80001");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layout.hugeLeaf(0, Access.READ, layout.top()));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> layout.hugeLeaf(0, Access.READ, Level.PTE));
  }

  @Test
  void theLevelsShareTheAddressBits() {
    int shift = Pages.SHIFT;
    for (Level level = Level.PTE; ; level = Level.values()[level.ordinal() + 1]) {
      assertThat(layout.shift(level)).isEqualTo(shift);
      shift += Integer.numberOfTrailingZeros(layout.entriesPerTable(level));
      assertThat(layout.tableBytes(level)).isEqualTo(8 * layout.entriesPerTable(level));
      assertThat(layout.tablePages(level) * Pages.SIZE)
          .isGreaterThanOrEqualTo(layout.tableBytes(level));
      assertThat(layout.slot(layout.addressLimit() - 1, level))
          .isBetween(0L, layout.tableBytes(level) - 8L);
      if (level == layout.top()) {
        break;
      }
    }
    assertThat(layout.addressLimit()).isLessThanOrEqualTo(1L << shift);
  }

  @Test
  void nameAndNumberTellLayoutsApart() {
    Set<Integer> numbers =
        Layouts.ALL.stream().map(EntryLayout::abiNumber).collect(Collectors.toSet());
    assertThat(numbers).hasSameSizeAs(Layouts.ALL).contains(layout.abiNumber());
    assertThat(Layouts.ALL)
        .filteredOn(each -> each.name().equals(layout.name()))
        .containsExactly(layout);
  }
}
