package dev.xip.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.measure.BootTable.Place;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Layouts;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.BootStep;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Objection d: every answer of every way to decide, at each step of a boot. */
class BootTableTest {
  /**
   * One group of letters a step, one letter a place: bank 1, bank 2, hole, section with RAM, far. Y
   * and N are the answers; small letters are wrong.
   */
  private static final Map<String, String> EXPECTED =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("lra", "NNNNN YYNNN YYNNN YYyyy"),
              Map.entry("mixedmap-refcount-pfn", "yyyyy YYyyy YYyyy YYNNN"),
              Map.entry("refcount-pte-bit", "NNNNN YYNNN YYNNN YYNNN"),
              Map.entry("refcount-pte-pfn-valid", "NNNNN YYyNN YYyNN YYyNN"),
              Map.entry("mem-segs-posted", "NNNNN YYNNN YYNNN YYyyy"),
              Map.entry("mem-segs-corrected", "NNNNN YYNNN nnNNN nnNNN"),
              Map.entry("mem-segs-mutex", "NNNNN YYNNN YYNNN YYNNN"),
              Map.entry("mem-segs-spin-lock", "NNNNN YYNNN YYNNN YYNNN"),
              Map.entry("flat", "NNNNN YYyNN YYyNN YYyNN"),
              Map.entry("sparse", "NNNNN YYNyN YYNyN YYNyN"),
              Map.entry("sorted-array", "yyyyy YYyyy YYyyy YYNNN"),
              Map.entry("flat-if-mixed", "NNNNN YYyNN YYyNN YYyNN"),
              Map.entry("special-bit", "NNNNN YYNNN YYNNN YYNNN"),
              Map.entry("mem-segs-alone", "NNNNN nnNNN YYNNN YYNNN")));

  private static String letters(BootTable.Row row) {
    StringBuilder letters = new StringBuilder();
    for (BootTable.Cell cell : row.cells()) {
      if (cell.place() == Place.BANK_1 && cell.step() != BootStep.START) {
        letters.append(' ');
      }
      char answer = cell.pageFrame() ? 'y' : 'n';
      letters.append(cell.right() ? Character.toUpperCase(answer) : answer);
    }
    return letters.toString();
  }

  static List<EntryLayout> layouts() {
    return Layouts.ALL;
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void everyAnswerIsAsExpectedWhateverTheSizeOfASection(EntryLayout layout) throws IOException {
    Map<String, String> found = new TreeMap<>();
    BootTable.of(layout).forEach(row -> found.put(row.name(), letters(row)));
    Map<String, String> expected = new TreeMap<>(EXPECTED);
    for (FrameStrategy each : FrameStrategy.values()) {
      if (!each.fits(layout)) {
        expected.remove(each.toString());
      }
    }
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void aCellIsFoundByStepAndPlace() throws IOException {
    BootTable.Row flat = BootTable.of(X8664Layout.INSTANCE).get(FrameStrategy.FLAT.ordinal());
    assertThat(flat.name()).isEqualTo("flat");
    for (BootStep step : BootStep.values()) {
      for (Place place : Place.values()) {
        BootTable.Cell cell = flat.at(step, place);
        assertThat(cell.step()).isEqualTo(step);
        assertThat(cell.place()).isEqualTo(place);
      }
    }
  }
}
