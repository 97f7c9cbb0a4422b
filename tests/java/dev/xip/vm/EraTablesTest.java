package dev.xip.vm;

import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.RulesTable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The tables of the rule book that have a column for a release, cell by cell. */
class EraTablesTest {
  private static final long AT = 0x40_0000;

  /** The rules of each column of "With the special bit". */
  private static final Map<String, List<Rules>> DECIDING =
      Map.of(
          "2.6.26 - 2.6.28",
          List.of(Era.LINUX_2_6_26.rules(), Rules.of(Release.of("2.6.28"))),
          "2.6.29 - 2.6.31",
          List.of(Rules.of(Release.of("2.6.29")), Rules.of(Release.of("2.6.31"))),
          "2.6.32 and later",
          List.of(
              Era.LINUX_2_6_32.rules(),
              Era.LINUX_3_19.rules(),
              Era.LINUX_4_5.rules(),
              Era.LINUX_6_19.rules(),
              Era.XIP.rules()));

  @TestFactory
  Stream<DynamicTest> theDecisionIsThatOfTheRelease() throws IOException {
    List<List<String>> table = RulesTable.under("### With the special bit");
    List<DynamicTest> tests = new ArrayList<>();
    for (List<String> row : table.subList(2, table.size())) {
      for (int column = 3; column < row.size(); column++) {
        String release = table.getFirst().get(column);
        String cell = row.get(column);
        for (Rules rules : DECIDING.get(release)) {
          tests.add(
              DynamicTest.dynamicTest(
                  String.join(", ", row.subList(0, 3)) + " by " + release,
                  () -> decide(row, rules, cell)));
        }
      }
    }
    return tests.stream();
  }

  private static void decide(List<String> row, Rules rules, String cell) throws IOException {
    try (FrameFixture machine = new FrameFixture(memory -> NormalFrame.specialBit(), rules)) {
      long pfn =
          switch (row.get(2)) {
            case "past the end of the mem_map" -> machine.manager.highestPfn() + 1;
            case "the zero page" -> machine.manager.zeroPfn();
            default -> machine.frame;
          };
      long pte = FrameFixture.normal(pfn);
      boolean special = row.getFirst().equals("set");
      List<Long> flags =
          switch (row.get(1)) {
            case "neither" -> List.of(0L);
            case "PFNMAP or MIXEDMAP" -> List.of(VmaFlags.PFNMAP, VmaFlags.MIXEDMAP);
            default -> List.of(0L, VmaFlags.PFNMAP, VmaFlags.MIXEDMAP);
          };
      for (long each : flags) {
        long before = machine.manager.badEntries().count();
        long answer =
            machine.manager.normalFrame(
                machine.vma(FrameFixture.COW | each, 0),
                FrameFixture.START,
                special ? FrameFixture.LAYOUT.withSpecial(pte) : pte);
        boolean reported = machine.manager.badEntries().count() > before;
        // Where a kernel built for debugging has a BUG, we report.
        boolean expectReport = cell.contains("report") || cell.contains("BUG");
        assertThat(reported).as("reported").isEqualTo(expectReport);
        assertThat(answer).isEqualTo(cell.equals("page") ? pfn : MemoryManager.NO_FRAME);
      }
    }
  }

  /** The accesses of "Fault counts". */
  private static final Map<String, BiConsumer<TestMachine, AddressSpace>> ACCESSES =
      Map.of(
          "load or fetch, block present",
          (machine, space) -> {
            map(space, AT, 1, PRIVATE, machine.file("f", 1));
            read(space, AT);
          },
          "first store, private, block present",
          (machine, space) -> {
            map(space, AT, 1, PRIVATE, machine.file("f", 1));
            write(space, AT, 1);
          },
          "first store, shared",
          (machine, space) -> {
            map(space, AT, 1, SHARED, machine.file("f", 1));
            write(space, AT, 1);
          },
          "store to a hole, shared",
          (machine, space) -> {
            map(space, AT, 1, SHARED, machine.holes("f", 1));
            write(space, AT, 1);
          },
          "store to a hole, private, never read",
          (machine, space) -> {
            map(space, AT, 1, PRIVATE, machine.holes("f", 1));
            write(space, AT, 1);
          },
          "load of a hole, private; then a store",
          (machine, space) -> {
            map(space, AT, 1, PRIVATE, machine.holes("f", 1));
            read(space, AT);
            write(space, AT, 1);
          });

  @TestFactory
  Stream<DynamicTest> anAccessTakesTheFaultsOfTheRelease() throws IOException {
    List<List<String>> table = RulesTable.under("### Fault counts");
    List<DynamicTest> tests = new ArrayList<>();
    for (List<String> row : table.subList(2, table.size())) {
      for (int column = 1; column < row.size() - 1; column++) {
        Era era = Era.named(table.getFirst().get(column));
        long faults = Long.parseLong(row.get(column));
        tests.add(
            DynamicTest.dynamicTest(
                row.getFirst() + " by " + era, () -> access(row.getFirst(), era, faults)));
      }
    }
    return tests.stream();
  }

  private static void access(String access, Era era, long faults) {
    try (TestMachine machine = new TestMachine(era.rules())) {
      AddressSpace space = machine.space("test");
      ACCESSES.get(access).accept(machine, space);
      assertThat(space.minorFaults()).isEqualTo(faults);
    }
  }
}
