package dev.xip.cli;

import dev.xip.base.ProgressListener;
import dev.xip.measure.BenchRow;
import dev.xip.measure.Comparison;
import dev.xip.measure.Drawing;
import dev.xip.measure.Figure;
import dev.xip.measure.FigureChart;
import dev.xip.measure.FivePercentBench;
import dev.xip.measure.FivePercentRow;
import dev.xip.measure.ForkExitBench;
import dev.xip.measure.Growth;
import dev.xip.measure.GrowthChart;
import dev.xip.measure.GrowthFigures;
import dev.xip.measure.GuestExecBench;
import dev.xip.measure.ImageFigures;
import dev.xip.measure.NormalPageBench;
import dev.xip.measure.SegmentGrowth;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code xip bench}: runs the comparisons behind the published figures. */
@Command(
    name = "bench",
    header = "Compare xip with the memory underneath and with its alternatives.",
    description = {
      "%nWithout a NAME, the first seven, in less than two minutes. Each figure is the median of"
          + " many short rounds in which the contenders take turns.%n",
      "  reads         eight bytes through addresses",
      "  copies        pages and mebibytes through addresses",
      "  files         reads and sum of a file; fragmented files through a contiguous view",
      "  faults        faults, populate and huge leaves",
      "  forks         the normal-page test of an entry; fork and exit",
      "  names         name, attributes and first page of each of 100,000 files",
      "  processes     the start of the command, and a gibibyte through it",
      "",
      "  images        ext4 and EROFS images of many files: open, walk, look-ups, reads, a large"
          + " file and a large directory; takes minutes",
      "  guest         programs of this host out of an image under xip run, beside the host;"
          + " needs /dev/kvm",
      "  guest-exec    a shell that starts 300 programs there, by each way to ask",
      "  normal-page   the cost of each way to ask \"is there a struct page?\"",
      "  fork-exit     the same for fork and exit of a process with 100,000 entries",
      "  five-percent  its share of fork, exec, exit and faults of ordinary memory; takes minutes",
      "",
      "  growth        costs as files, segments, sizes and address spaces grow; takes minutes",
      "  segments      costs of segment operations as the number of segments grows%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip bench",
      "  xip bench reads copies --chart bench.svg",
      "  xip bench normal-page fork-exit --json",
      "  xip bench fork-exit --segments 1,512 --threads 1",
      "  xip bench images --files 1000000",
      "  xip bench fork-exit --strategies special-bit,mem-segs-mutex"
    })
final class BenchCommand implements Callable<Integer> {
  private static final int GROWTH_FILES = 1_000_000;
  private static final int IMAGES_FILES = 100_000;

  /** The subjects of measurement. */
  enum Subject {
    READS(Comparison.READS),
    COPIES(Comparison.COPIES),
    FILES(Comparison.FILES),
    FAULTS(Comparison.FAULTS),
    FORKS(Comparison.FORKS),
    NAMES(Comparison.NAMES),
    PROCESSES(Comparison.PROCESSES),
    GUEST(Comparison.GUEST),
    GUEST_EXEC("guest-exec", null),
    NORMAL_PAGE("normal-page", NormalPageBench::run),
    FORK_EXIT("fork-exit", ForkExitBench::run),
    FIVE_PERCENT("five-percent", null),
    IMAGES("images", null),
    GROWTH("growth", null),
    SEGMENTS("segments", null);

    private final String label;

    /** Null for comparisons of strategies of the normal-page test. */
    private final Comparison comparison;

    /** Null for everything else. */
    private final StrategyBench strategies;

    Subject(Comparison comparison) {
      this.label = comparison.toString();
      this.comparison = comparison;
      this.strategies = null;
    }

    Subject(String label, StrategyBench strategies) {
      this.label = label;
      this.comparison = null;
      this.strategies = strategies;
    }

    @Override
    public String toString() {
      return label;
    }
  }

  /** Finds a strategy by its name. */
  static final class StrategyName implements ITypeConverter<FrameStrategy> {
    @Override
    public FrameStrategy convert(String name) {
      try {
        return FrameStrategy.named(name);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }

  /** Measures the strategies of the normal-page test. */
  @FunctionalInterface
  private interface StrategyBench {
    List<BenchRow> run(
        EntryLayout layout,
        List<FrameStrategy> strategies,
        int[] segments,
        int[] threads,
        ProgressListener progress)
        throws IOException;
  }

  @Parameters(
      arity = "0..*",
      paramLabel = "NAME",
      description = "What to measure: ${COMPLETION-CANDIDATES}.")
  private List<Subject> names = List.of();

  @Option(
      names = "--strategies",
      split = ",",
      paramLabel = "NAME",
      converter = StrategyName.class,
      description =
          "normal-page, fork-exit, five-percent, guest-exec: the ways to ask:"
              + " ${COMPLETION-CANDIDATES}; default: all whose answers are right.")
  private List<FrameStrategy> strategies = FrameStrategy.answeringRight();

  @Option(
      names = "--segments",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,8,64,512,4096",
      description =
          "normal-page, fork-exit, five-percent, guest-exec: the numbers of loaded segments;"
              + " default: ${DEFAULT-VALUE}.")
  private int[] segments;

  @Option(
      names = "--threads",
      split = ",",
      paramLabel = "N",
      defaultValue = "1,2",
      description = "normal-page, fork-exit: the numbers of threads; default: ${DEFAULT-VALUE}.")
  private int[] threads;

  @Option(
      names = "--chart",
      paramLabel = "FILE",
      description =
          "Draw the figures that have goals, or else the growth, as PNG or SVG by the suffix; may"
              + " be repeated.")
  private List<Path> charts = List.of();

  @Option(
      names = "--work",
      paramLabel = "DIR",
      converter = HostPlace.Folder.class,
      description = "The folder for work files of some gibibytes; default: $$TMPDIR, else /tmp.")
  private Path work = HostPlace.temporary();

  @Option(
      names = "--files",
      paramLabel = "N",
      description =
          "The largest number of files in an image; default: for growth 1000000, for images"
              + " 100000.")
  private Integer files;

  @Option(names = "--json", description = "Print an array of rows.")
  private boolean json;

  /** five-percent with one strategy: measures in this process and prints lines for the parent. */
  @Option(names = "--alone", hidden = true)
  private boolean alone;

  @Spec private CommandSpec spec;

  BenchCommand() {}

  @Override
  public Integer call() throws IOException {
    requirePositive("--segments", segments, 1 << 20);
    requirePositive("--threads", threads, 1 << 10);
    requirePositive("--files", new int[] {files(IMAGES_FILES)}, 1 << 24);
    for (Path chart : charts) {
      Drawing.format(chart); // fails before minutes of measuring
    }
    if (alone) {
      measureAlone();
      return Main.DONE;
    }
    List<Subject> chosen =
        names.isEmpty()
            ? Stream.of(Subject.values())
                .filter(each -> each.comparison != null && each != Subject.GUEST)
                .toList()
            : names;
    List<Figure> figures = new ArrayList<>();
    List<BenchRow> rows = new ArrayList<>();
    List<FivePercentRow> shares = new ArrayList<>();
    List<Growth> growth = new ArrayList<>();
    try (TerminalProgress progress = TerminalProgress.ofFigures("measuring")) {
      int done = 0;
      for (Subject each : chosen) {
        if (each.comparison != null) {
          figures.addAll(each.comparison.measure(work));
          progress.at(++done, chosen.size());
        } else if (each == Subject.GROWTH) {
          growth.addAll(GrowthFigures.measure(work, files(GROWTH_FILES)));
        } else if (each == Subject.IMAGES) {
          ImageFigures.measure(work, files(IMAGES_FILES), figures, growth);
        } else if (each == Subject.FIVE_PERCENT) {
          shares.addAll(FivePercentBench.run(working(), segments, work, progress));
        } else if (each == Subject.GUEST_EXEC) {
          rows.addAll(GuestExecBench.run(strategies, segments, work, progress));
        } else if (each == Subject.SEGMENTS) {
          growth.addAll(SegmentGrowth.measure(work));
        } else {
          rows.addAll(
              each.strategies.run(X8664Layout.INSTANCE, strategies, segments, threads, progress));
        }
      }
    }
    BenchOutput out = new BenchOutput(new Output());
    if (json) {
      out.json(figures, rows, shares, growth);
    } else {
      out.table(figures);
      for (String name : rows.stream().map(BenchRow::name).distinct().toList()) {
        out.table(rows.stream().filter(row -> row.name().equals(name)).toList(), segments, threads);
      }
      out.shares(shares);
      out.growth(growth);
    }
    for (Path chart : charts) {
      if (figures.isEmpty()) {
        GrowthChart.write(growth, chart);
      } else {
        FigureChart.write(figures, chart);
      }
    }
    return Main.DONE;
  }

  private int files(int usual) {
    return files == null ? usual : files;
  }

  private void measureAlone() throws IOException {
    Output out = new Output();
    for (FivePercentRow row : FivePercentBench.alone(strategies.getFirst(), segments, work)) {
      out.line(row.toLine());
    }
    out.flush();
  }

  /** {@return the chosen strategies with which a machine runs, at least one} */
  private List<FrameStrategy> working() {
    List<FrameStrategy> working =
        strategies.stream().filter(each -> each.outcome() == FrameStrategy.Outcome.WORKS).toList();
    if (working.isEmpty()) {
      throw new ParameterException(
          spec.commandLine(),
          "--strategies %s: five-percent runs machines, expected one of %s"
              .formatted(strategies, FrameStrategy.working()));
    }
    return working;
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
}
