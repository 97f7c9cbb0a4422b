package dev.xip.history;

import dev.xip.measure.BenchRow;
import dev.xip.measure.PatchedExec;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import dev.xip.vm.AddressSpace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Receives the findings of a step that runs. For one thread. */
public final class Findings {
  private final Path work;
  private final List<Finding> all = new ArrayList<>();

  /**
   * Makes an empty collection.
   *
   * @param work an empty folder for the step's files, removed by its owner
   */
  Findings(Path work) {
    this.work = work;
  }

  /** {@return a folder for the step's files, removed by its owner} */
  Path work() {
    return work;
  }

  List<Finding> all() {
    return List.copyOf(all);
  }

  void add(Finding finding) {
    all.add(finding);
  }

  void part(String title, String text) {
    add(new Finding.Part(title, text));
  }

  /** Adds a fact, and whether it is what the account expects. */
  void fact(String what, Object seen, boolean holds) {
    add(new Finding.Fact(what, String.valueOf(seen), holds));
  }

  /** Adds something of which nothing is expected. */
  void seen(String what, Object value) {
    add(new Finding.Seen(what, String.valueOf(value)));
  }

  /** Adds a fact that has to be what is expected. */
  void expect(String what, Object expected, Object seen) {
    fact(what, seen, expected.equals(seen));
  }

  /** Adds the text of a breakage, which the account expects: an empty text breaks the story. */
  void broken(String what, String text, List<PatchedExec.Call> calls) {
    if (text.isEmpty()) {
      fact(what, "nothing broke", false);
    } else {
      add(new Finding.Broken(what, text, calls));
    }
  }

  void broken(String what, String text) {
    broken(what, text, List.of());
  }

  void table(String title, List<String> columns, List<Finding.Row> rows) {
    add(new Finding.Table(title, columns, rows));
  }

  /** Adds the rows of a comparison, a column for each number of segments. */
  void figures(String title, List<BenchRow> rows) {
    List<Integer> segments = rows.stream().map(BenchRow::segments).distinct().toList();
    List<Finding.Contender> contenders = new ArrayList<>();
    for (String name : rows.stream().map(BenchRow::strategy).distinct().toList()) {
      contenders.add(
          new Finding.Contender(
              name,
              rows.stream()
                  .filter(row -> row.strategy().equals(name))
                  .map(BenchRow::median)
                  .toList()));
    }
    add(
        new Finding.Figures(
            title,
            rows.getFirst().unit(),
            segments.stream().map(each -> count(each, "segment")).toList(),
            contenders));
  }

  static String count(long number, String noun) {
    return "%,d %s%s".formatted(number, noun, number == 1 ? "" : "s");
  }

  static Finding.Entry entry(String caption, EntryLayout layout, long value) {
    return new Finding.Entry(
        caption, layout.name(), value, layout.describe(value), layout.withSpecial(0));
  }

  /** {@return the entry of an address of a process} */
  static Finding.Entry entry(String caption, AddressSpace space, long va) {
    Walk walk = new Walk();
    space.table().walk(va, walk);
    return entry(caption, space.table().layout(), walk.pte());
  }

  /** {@return an entry at a step that knows no mark} */
  static Finding.Entry unmarked(String caption, EntryLayout layout, long value) {
    return new Finding.Entry(caption, layout.name(), value, layout.describe(value), 0);
  }
}
