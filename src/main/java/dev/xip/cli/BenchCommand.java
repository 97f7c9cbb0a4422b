package dev.xip.cli;

import dev.xip.machine.BenchRow;
import dev.xip.machine.ForkExitBench;
import dev.xip.machine.NormalPageBench;
import dev.xip.machine.ProgressListener;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xip bench}: the comparisons behind our figures. */
@Command(
    name = "bench",
    header = "Measure what each way to ask \"is there a struct page?\" costs.",
    description = {
      "%nEvery figure is a median of rounds in one process, in nanoseconds for each entry. A"
          + " strategy that breaks is shown with what the kernel would have printed.%n",
      "  normal-page   the decision about one entry, beside an empty loop",
      "  fork-exit     fork and exit of a process with 100,000 entries%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip bench normal-page",
      "  xip bench normal-page fork-exit --json",
      "  xip bench fork-exit --segments 1,512 --threads 1"
    })
final class BenchCommand implements Callable<Integer> {
  /** What can be measured. */
  enum Comparison {
    NORMAL_PAGE("normal-page", NormalPageBench::run),
    FORK_EXIT("fork-exit", ForkExitBench::run);

    private final String label;
    private final Runner runner;

    Comparison(String label, Runner runner) {
      this.label = label;
      this.runner = runner;
    }

    @Override
    public String toString() {
      return label;
    }
  }

  /** Measures one comparison. */
  @FunctionalInterface
  private interface Runner {
    List<BenchRow> run(EntryLayout layout, int[] segments, int[] threads, ProgressListener progress)
        throws IOException;
  }

  @Parameters(
      arity = "1..*",
      paramLabel = "NAME",
      description = "What to measure: ${COMPLETION-CANDIDATES}.")
  private List<Comparison> names;

  @Option(
      names = "--segments",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,8,64,512,4096",
      description = "The numbers of loaded segments; default: ${DEFAULT-VALUE}.")
  private int[] segments;

  @Option(
      names = "--threads",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,2",
      description = "The numbers of threads; default: ${DEFAULT-VALUE}.")
  private int[] threads;

  @Option(names = "--json", description = "Print an array of rows.")
  private boolean json;

  @Spec private CommandSpec spec;

  BenchCommand() {}

  @Override
  public Integer call() throws IOException {
    requirePositive("--segments", segments, 1 << 20);
    requirePositive("--threads", threads, 1 << 10);
    List<BenchRow> rows = new ArrayList<>();
    for (Comparison each : names) {
      try (TerminalProgress progress = TerminalProgress.ofFigures(each.toString())) {
        rows.addAll(each.runner.run(X8664Layout.INSTANCE, segments, threads, progress));
      }
    }
    Output out = new Output();
    if (json) {
      printJson(rows, out);
    } else {
      for (Comparison each : names) {
        printTable(rows.stream().filter(row -> row.name().equals(each.toString())).toList(), out);
      }
    }
    out.flush();
    return Main.DONE;
  }

  private void requirePositive(String option, int[] numbers, int most) {
    for (int number : numbers) {
      if (number < 1 || number > most) {
        throw new ParameterException(
            spec.commandLine(),
            "%s %d: expected numbers from 1 to %,d".formatted(option, number, most));
      }
    }
  }

  private static void printJson(List<BenchRow> rows, Output out) throws IOException {
    JsonWriter json = new JsonWriter(out).beginArray();
    for (BenchRow row : rows) {
      json.beginObject().member("name", row.name()).member("strategy", row.strategy());
      json.name("params")
          .beginObject()
          .member("segments", row.segments())
          .member("threads", row.threads())
          .endObject();
      json.member("unit", row.unit()).member("median", row.median());
      if (!row.note().isEmpty()) {
        json.member("note", row.note());
      }
      json.endObject();
    }
    json.endArray().finish();
  }

  /**
   * A line for each strategy, a column for each number of segments, a block for each thread count.
   */
  private void printTable(List<BenchRow> rows, Output out) throws IOException {
    for (int workers : threads) {
      List<BenchRow> block = rows.stream().filter(row -> row.threads() == workers).toList();
      out.line(
          "%s, %s, %d thread%s"
              .formatted(
                  block.getFirst().name(),
                  block.getFirst().unit(),
                  workers,
                  workers == 1 ? "" : "s"));
      StringBuilder head = new StringBuilder("  %-20s".formatted("segments"));
      Arrays.stream(segments).forEach(number -> head.append("%,10d".formatted(number)));
      out.line(head.toString());
      for (String strategy : block.stream().map(BenchRow::strategy).distinct().toList()) {
        StringBuilder line = new StringBuilder("  %-20s".formatted(strategy));
        String note = "";
        for (BenchRow row : block) {
          if (row.strategy().equals(strategy)) {
            line.append(
                Double.isNaN(row.median())
                    ? "%10s".formatted("breaks")
                    : "%,10.2f".formatted(row.median()));
            note = row.note();
          }
        }
        out.line(line + (note.isEmpty() ? "" : "  " + note));
      }
      out.line("");
    }
  }
}
