package dev.xip.history;

import dev.xip.history.Finding.Cell;
import dev.xip.history.Finding.Row;
import dev.xip.measure.BootTable;
import dev.xip.measure.BootTable.Place;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.BootStep;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Objection d: pfn_valid is asked before the list is filled. */
final class ObjectionD {
  private static final List<Place> SEGMENTS = List.of(Place.HOLE, Place.SHARED_SECTION, Place.FAR);
  private static final List<Place> RAM = List.of(Place.BANK_1, Place.BANK_2);

  private ObjectionD() {}

  static void show(Findings findings) throws IOException {
    findings.part(
        "Objection d: asked before the list is filled",
        "A machine with two banks of RAM boots in steps: nothing is known; the static tables exist;"
            + " RAM is on the list (on s390 by a core_initcall); segments are loaded. After each"
            + " step every way is asked about RAM and about the places of three segments: in the"
            + " hole between the banks, in a section of sparsemem that has RAM too, and far away."
            + " Right is yes for RAM as soon as the mem_map exists, and no else. The patch asks for"
            + " memory first and lets the list exclude, so an empty list does no harm; Otte names"
            + " that way round, as an extra check, and finds it uglier still. A list that says"
            + " what is valid, mem-segs-alone, denies RAM until the core_initcall.");
    StrategyNames.add(
        findings,
        List.of(FrameStrategy.values()),
        Row.of("mem-segs-alone", Cell.plain("pfn_valid: is the pfn on the list, as RAM?")));
    List<Row> rows = new ArrayList<>();
    for (BootTable.Row row : BootTable.of(X8664Layout.INSTANCE)) {
      List<Cell> cells = new ArrayList<>();
      for (BootStep step : BootStep.values()) {
        cells.add(cell(row, step));
      }
      rows.add(new Row(row.name(), cells));
    }
    findings.table(
        "Whose pfn_valid (or bit) is wrong, when, and about what; - is right about all",
        List.of("", "at the start", "static tables", "RAM listed", "segments loaded"),
        rows);
    findings.fact(
        "the special bit",
        "right at every step: it was put into the entry when the page was mapped",
        rows.stream()
            .filter(row -> row.name().equals("special-bit"))
            .allMatch(row -> row.cells().stream().noneMatch(Cell::wrong)));
  }

  private static Cell cell(BootTable.Row row, BootStep step) {
    List<String> wrong = new ArrayList<>(about(row, step, RAM, "RAM"));
    wrong.addAll(about(row, step, SEGMENTS, "segments"));
    return new Cell(wrong.isEmpty() ? "-" : String.join(", ", wrong), !wrong.isEmpty());
  }

  /** {@return the places with wrong answers, by one name if those are all of a kind} */
  private static List<String> about(
      BootTable.Row row, BootStep step, List<Place> places, String all) {
    List<String> wrong =
        places.stream()
            .filter(place -> !row.at(step, place).right())
            .map(ObjectionD::name)
            .toList();
    return wrong.size() == places.size() ? List.of(all) : wrong;
  }

  private static String name(Place place) {
    return switch (place) {
      case BANK_1 -> "bank 1";
      case BANK_2 -> "bank 2";
      case HOLE -> "hole";
      case SHARED_SECTION -> "shared section";
      case FAR -> "far away";
    };
  }
}
