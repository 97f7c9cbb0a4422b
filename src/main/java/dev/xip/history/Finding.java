package dev.xip.history;

import dev.xip.measure.PatchedExec;
import java.util.Arrays;
import java.util.List;

/** Something that the run of a step has shown. */
public sealed interface Finding {
  /**
   * A heading for the findings that follow, up to the next one.
   *
   * @param title a line
   * @param text a few sentences
   */
  record Part(String title, String text) implements Finding {}

  /**
   * A fact that was seen.
   *
   * @param what what was looked at
   * @param seen what was found
   * @param holds false if the account of the step expects something else: the story is broken
   */
  record Fact(String what, String seen, boolean holds) implements Finding {}

  /**
   * Something that was measured or counted and has no expected value.
   *
   * @param what what was looked at
   * @param value what was found
   */
  record Seen(String what, String value) implements Finding {}

  /**
   * What a machine printed or threw when it broke.
   *
   * @param what what was attempted
   * @param text the exact text
   * @param calls the calls that led there, outermost first; empty if they do not matter
   */
  record Broken(String what, String text, List<PatchedExec.Call> calls) implements Finding {
    /** Copies the list. */
    public Broken {
      calls = List.copyOf(calls);
    }
  }

  /**
   * Answers side by side.
   *
   * @param title a line
   * @param columns the head, the first for the names of the rows
   * @param rows the rows
   */
  record Table(String title, List<String> columns, List<Row> rows) implements Finding {
    /** Copies the lists. */
    public Table {
      columns = List.copyOf(columns);
      rows = List.copyOf(rows);
    }
  }

  /**
   * A row of a table.
   *
   * @param name what it is about
   * @param cells its answers, one for each column but the first
   */
  record Row(String name, List<Cell> cells) {
    /** Copies the list. */
    public Row {
      cells = List.copyOf(cells);
    }

    static Row of(String name, Cell... cells) {
      return new Row(name, Arrays.asList(cells));
    }
  }

  /**
   * An answer.
   *
   * @param text the answer
   * @param wrong whether it is wrong
   */
  record Cell(String text, boolean wrong) {
    static Cell of(boolean answer, boolean right) {
      return new Cell(answer ? "yes" : "no", answer != right);
    }

    static Cell plain(String text) {
      return new Cell(text, false);
    }
  }

  /**
   * Figures measured in this run, each the median of many rounds.
   *
   * @param title a line: what was measured, under which conditions
   * @param unit the unit of all of them
   * @param columns what changes from one figure of a contender to the next; one empty text if
   *     nothing does
   * @param contenders the contenders
   */
  record Figures(String title, String unit, List<String> columns, List<Contender> contenders)
      implements Finding {
    /** Copies the lists. */
    public Figures {
      columns = List.copyOf(columns);
      contenders = List.copyOf(contenders);
    }

    /** {@return the largest figure, which fills the width of a chart} */
    public double most() {
      return contenders.stream()
          .flatMap(each -> each.values().stream())
          .mapToDouble(Double::doubleValue)
          .max()
          .orElse(1);
    }
  }

  /**
   * The figures of one contender.
   *
   * @param name its name
   * @param values one for each column
   */
  record Contender(String name, List<Double> values) {
    /** Copies the list. */
    public Contender {
      values = List.copyOf(values);
    }
  }

  /**
   * What an entry, a list and a lock look like.
   *
   * @param entries the entries
   * @param list what is on the list of memory; empty if the step has no list
   * @param lock the lock of the list and what its holder may do; empty if there is none
   */
  record Sketch(List<Entry> entries, List<Chunk> list, String lock) implements Finding {
    /** Copies the lists. */
    public Sketch {
      entries = List.copyOf(entries);
      list = List.copyOf(list);
    }
  }

  /**
   * A page-table entry.
   *
   * @param caption what it maps
   * @param layout the architecture
   * @param value its 64 bits
   * @param bits the names of the bits that are set
   * @param mark the bit that says "no page frame", by its value; 0 if the architecture has none
   */
  record Entry(String caption, String layout, long value, String bits, long mark) {
    /** {@return whether the entry is marked} */
    public boolean isMarked() {
      return (value & mark) != 0;
    }
  }

  /**
   * A chunk of memory on a list.
   *
   * @param name what it is
   * @param frames whether it has page frames
   * @param note what the list says of it; empty if only start and size
   */
  record Chunk(String name, boolean frames, String note) {}
}
