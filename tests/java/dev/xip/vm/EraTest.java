package dev.xip.vm;

import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.file.MemoryFile;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.testing.RulesTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The eras: their table, and what a machine of each can have. */
class EraTest {
  private static final long AT = 0x40_0000;

  @Test
  void theTableOfErasIsThatOfTheRuleBook() throws IOException {
    List<List<String>> told = RulesTable.under("## Eras");
    List<String> head = new ArrayList<>(List.of("rule"));
    Arrays.stream(Era.values()).map(Era::toString).forEach(head::add);
    head.add("with it");
    assertThat(told.getFirst()).isEqualTo(head);
    List<List<String>> rows = new ArrayList<>();
    for (Era.Row row : Era.rows()) {
      List<String> cells = new ArrayList<>(List.of("`" + row.rule() + "`"));
      cells.addAll(row.values());
      cells.add(row.sentence());
      rows.add(cells);
    }
    assertThat(told.subList(2, told.size())).isEqualTo(rows);
  }

  @Test
  void theBitIsWhereTheReleaseHasIt() {
    assertThat(Era.LINUX_2_6_24.layouts())
        .allSatisfy(
            layout ->
                assertThat(Era.LINUX_2_6_24.strategies(layout))
                    .doesNotContain(FrameStrategy.SPECIAL_BIT, FrameStrategy.FLAT_IF_MIXED));
    assertThat(Era.LINUX_2_6_26.strategies(S390x2008Layout.INSTANCE))
        .containsExactly(FrameStrategy.SPECIAL_BIT);
    assertThat(Era.LINUX_2_6_26.strategies(X8664Of2008Layout.INSTANCE))
        .containsExactly(FrameStrategy.FLAT_IF_MIXED);
    assertThat(Era.LINUX_2_6_32.strategies(X8664Layout.INSTANCE))
        .containsExactly(FrameStrategy.SPECIAL_BIT);
    assertThat(Era.XIP.strategies(X8664Layout.INSTANCE)).containsExactly(FrameStrategy.values());
  }

  @Test
  void whatAnEraCannotHaveIsRefusedWithWhatItCan() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> Era.LINUX_2_6_26.require(S390x2008Layout.INSTANCE, FrameStrategy.MEM_SEGS_MUTEX))
        .withMessageContaining(
            "strategy mem-segs-mutex in era 2.6.26: expected one of special-bit");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> Era.LINUX_3_19.require(X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT_IF_MIXED))
        .withMessageContaining(
            "layout x86-64-2008 in era 3.19: expected one of x86-64, s390x, arm64");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Era.LINUX_2_6_26.layout("arm64"))
        .withMessage("era 2.6.26, layout arm64: expected one of s390x-2008, x86-64-2008");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Rule.named("huge-leafs"))
        .withMessageStartingWith("rule huge-leafs: expected one of fork-walks-mixed-maps, ");
  }

  @ParameterizedTest
  @EnumSource
  void aMachineOfTheEraMapsStoresForksAndEnds(Era era) {
    for (EntryLayout layout : era.layouts()) {
      try (TestMachine machine =
          new TestMachine(layout, era.defaultStrategy(layout), era.rules())) {
        MemoryFile file = machine.file("f", 4);
        AddressSpace space = machine.space("parent");
        map(space, AT, 4, PRIVATE, file);
        map(space, 2 * AT, 4, SHARED, file);
        assertThat(read(space, AT)).isEqualTo(1);
        write(space, AT + 8, 70);
        write(space, 2 * AT + 8, 71);
        AddressSpace child = machine.fork(space);
        assertThat(read(child, AT + 8)).isEqualTo(70);
        assertThat(read(child, 2 * AT + 8)).isEqualTo(71);
        assertThat(read(file, 8)).isEqualTo(71);
        machine.verify();
      }
    }
  }

  @Test
  void theErasKeepTheRepairsThatTheirReleasesHave() {
    for (Era era : Era.values()) {
      for (Rule repair : Rule.repairs()) {
        assertThat(era.rules().has(repair))
            .as("%s in %s", repair, era)
            .isEqualTo(repair != Rule.SPARSE_PAGE_GUARDED || era.compareTo(Era.LINUX_2_6_26) > 0);
      }
    }
  }
}
