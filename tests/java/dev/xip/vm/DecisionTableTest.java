package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.phys.CountingModel;
import dev.xip.phys.MemoryModel;
import java.io.IOException;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Property 2: the decision tables of vm_normal_page, every cell. A row is the mapping; the columns
 * are the zero page, a frame, a hole below the end of the mem_map, and a number beyond it. F is the
 * frame, {@code .} is no frame, B is no frame and a report. The digit is the number of pfn_valid
 * look-ups.
 */
class DecisionTableTest {
  /**
   * rules.md, "With the special bit", 2.6.32 and later, special bit set. Cow and linear do not
   * matter.
   */
  private static final String SPECIAL =
      """
      none    .0 B0 B0 B0
      pfnmap  .0 .0 .0 .0
      mixed   .0 .0 .0 .0
      both    .0 .0 .0 .0
      """;

  /** rules.md, "With the special bit", special bit clear: the flags do not matter. */
  private static final String NOT_SPECIAL =
      """
      none    F0 F0 F0 B0
      pfnmap  F0 F0 F0 B0
      mixed   F0 F0 F0 B0
      both    F0 F0 F0 B0
      """;

  /** rules.md, "Without the special bit", as of 3.19. */
  private static final String IF_MIXED =
      """
      none                .0 F0 F0 B0
      pfnmap cow          .0 F0 F0 B0
      pfnmap cow linear   .0 .0 .0 .0
      pfnmap shared       .0 .0 .0 .0
      mixed               F1 F1 .1 .1
      both                F1 F1 .1 .1
      """;

  /**
   * rules.md, "Without the special bit", with the check of all entries that 2.6.24 started from.
   */
  private static final String EVERY_ENTRY =
      """
      none                .0 F1 B1 B1
      pfnmap cow          .0 F1 B1 B1
      pfnmap cow linear   .0 .0 .0 .0
      pfnmap shared       .0 .0 .0 .0
      mixed               F1 F1 .1 .1
      both                F1 F1 .1 .1
      """;

  private record Case(
      String strategy, String table, boolean special, long flags, String mapping, boolean linear) {
    /** The matching row: all its words describe the mapping, and it has the most words. */
    String[] cells() {
      List<String> words = List.of((mapping + (linear ? " linear" : "")).split(" "));
      String best =
          table
              .lines()
              .filter(row -> words.containsAll(words(row)))
              .max((a, b) -> words(a).size() - words(b).size())
              .orElseThrow();
      String[] columns = best.trim().split(" +");
      return java.util.Arrays.copyOfRange(columns, columns.length - 4, columns.length);
    }

    private static List<String> words(String row) {
      List<String> columns = List.of(row.trim().split(" +"));
      return columns.subList(0, columns.size() - 4);
    }

    @Override
    public String toString() {
      return "%s, %sspecial entry, %s%s"
          .formatted(strategy, special ? "" : "not a ", mapping, linear ? " linear" : "");
    }
  }

  static Stream<Case> cases() {
    List<Case> cases = new java.util.ArrayList<>();
    for (String kind : List.of("none", "pfnmap", "mixed", "both")) {
      long flags =
          (kind.equals("pfnmap") || kind.equals("both") ? VmaFlags.PFNMAP : 0)
              | (kind.equals("mixed") || kind.equals("both") ? VmaFlags.MIXEDMAP : 0);
      for (boolean cow : new boolean[] {true, false}) {
        long all = flags | (cow ? FrameFixture.COW : FrameFixture.SHARED);
        String mapping = kind + (cow ? " cow" : " shared");
        for (boolean linear : new boolean[] {true, false}) {
          for (boolean special : new boolean[] {true, false}) {
            String bit = special ? SPECIAL : NOT_SPECIAL;
            cases.add(new Case("special bit", bit, special, all, mapping, linear));
          }
          cases.add(new Case("if mixed", IF_MIXED, false, all, mapping, linear));
          cases.add(new Case("every entry", EVERY_ENTRY, false, all, mapping, linear));
        }
      }
    }
    return cases.stream();
  }

  private static CountingModel answering(LongPredicate answer) {
    return new CountingModel(
        new MemoryModel() {
          @Override
          public String name() {
            return "scripted";
          }

          @Override
          public boolean pfnValid(long pfn) {
            return answer.test(pfn);
          }
        });
  }

  @Test
  void theZeroPageIsAnyPageWhereTheRulesKnowNone() throws IOException {
    CountingModel model = answering(pfn -> true);
    for (boolean known : new boolean[] {true, false}) {
      Rules rules = known ? Rules.DEFAULT : Rules.DEFAULT.without(Rule.ZERO_PAGE);
      for (NormalFrame strategy :
          List.of(NormalFrame.pfnValid(model), NormalFrame.pfnValidIfMixed(model))) {
        try (FrameFixture machine = new FrameFixture(memory -> strategy, rules)) {
          long zero = machine.manager.zeroPfn();
          Vma vma = machine.vma(FrameFixture.COW, 0);
          assertThat(
                  machine.manager.normalFrame(vma, FrameFixture.START, FrameFixture.normal(zero)))
              .isEqualTo(known ? MemoryManager.NO_FRAME : zero);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyCellIsAsTheTableSays(Case row) throws IOException {
    long end = 4 * FrameFixture.MIB >>> 12;
    CountingModel model = answering(pfn -> pfn >= 0 && pfn < end - 10);
    Function<CountingModel, NormalFrame> strategy =
        switch (row.strategy) {
          case "if mixed" -> NormalFrame::pfnValidIfMixed;
          case "every entry" -> NormalFrame::pfnValid;
          default -> unused -> NormalFrame.specialBit();
        };
    try (FrameFixture machine = new FrameFixture(memory -> strategy.apply(model))) {
      machine.memory.attach(model);
      long[] pfns = {machine.manager.zeroPfn(), machine.frame, end - 5, end};
      String[] names = {"zero", "frame", "hole", "beyond"};
      String[] cells = row.cells();
      for (int column = 0; column < pfns.length; column++) {
        long pfn = pfns[column];
        Vma vma = machine.vma(row.flags, row.linear ? pfn - 7 : pfn - 6);
        long pte = FrameFixture.normal(pfn);
        long reports = machine.manager.badEntries().count();
        long answer =
            machine.manager.normalFrame(
                vma,
                FrameFixture.START + 7 * 4096,
                row.special ? FrameFixture.LAYOUT.withSpecial(pte) : pte);
        boolean bad = machine.manager.badEntries().count() > reports;
        String cell =
            (answer == pfn ? "F" : answer == MemoryManager.NO_FRAME ? bad ? "B" : "." : "?")
                + model.takeQuestions();
        assertThat(cell).as("%s: %s", row, names[column]).isEqualTo(cells[column]);
      }
    }
  }
}
