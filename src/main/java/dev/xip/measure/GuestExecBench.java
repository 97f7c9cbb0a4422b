package dev.xip.measure;

import dev.xip.base.ProgressListener;
import dev.xip.host.ScratchFolder;
import dev.xip.linux.ProgramResult;
import dev.xip.machine.MachineConfig;
import dev.xip.pagetable.X8664Layout;
import dev.xip.scenario.HostTree;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Objection b of January 2008 with real programs: fork, exec, exit and every fault ask the
 * normal-page test, so a shell that starts a program 300 times pays for the way to ask. With the
 * patch as posted the first exec is the kernel's bug report.
 */
public final class GuestExecBench {
  private static final String TIME = "guest-exec";
  private static final String SHARE = "guest-exec, the question's share";

  private static final int PROGRAMS = 300;
  private static final String SCRIPT =
      "i=0; while [ $i -lt " + PROGRAMS + " ]; do %s; i=$((i+1)); done";

  private static final int ROUNDS = 3;

  private final Path image;
  private final List<String> words;

  private GuestExecBench(Path work) throws IOException {
    HostTree tree = new HostTree(Files.createDirectory(work.resolve("tree")));
    String shell = HostTree.find("dash") == null ? "/bin/sh" : HostTree.find("dash");
    String program = HostTree.find("true");
    tree.add(shell);
    tree.add(program);
    words = List.of(shell, "-c", SCRIPT.formatted(program));
    image = GuestRun.pack(tree, work);
  }

  /**
   * Measures. The strategies of one number of segments take turns.
   *
   * @param strategies the strategies; one that fails gets rows that say how
   * @param segments the numbers of segments beside the image's own
   * @param work where a folder for work files may be made
   * @param progress receives the number of finished figures
   * @return for each strategy and number two rows: the milliseconds of the whole, and the share in
   *     per cent that the questions take, which is their number times what one costs where half of
   *     the entries are of segments
   * @throws IOException if there is no room for the image, or no virtual processor
   */
  public static List<BenchRow> run(
      List<FrameStrategy> strategies, int[] segments, Path work, ProgressListener progress)
      throws IOException {
    try (ScratchFolder scratch = ScratchFolder.in(work, "xip-guest")) {
      GuestExecBench bench = new GuestExecBench(scratch.path());
      List<BenchRow> rows = new ArrayList<>();
      for (int number : segments) {
        rows.addAll(bench.measure(strategies, number));
        progress.at(rows.size(), 2L * segments.length * strategies.size());
      }
      return rows;
    }
  }

  private List<BenchRow> measure(List<FrameStrategy> strategies, int number) throws IOException {
    List<FrameStrategy> working =
        strategies.stream().filter(each -> each.outcome() == FrameStrategy.Outcome.WORKS).toList();
    List<BenchRow> costs =
        NormalPageBench.run(
            X8664Layout.INSTANCE,
            working,
            new int[] {number},
            new int[] {1},
            ProgressListener.NONE);
    double loop = cost(costs, NormalPageBench.LIMIT);
    Race race = new Race(new Race.Rounds(1, 0, ROUNDS, ROUNDS, 0), Race.WALL_CLOCK);
    List<Contender> contenders = new ArrayList<>();
    for (FrameStrategy strategy : working) {
      contenders.add(
          race.addTimed(strategy.toString(), 1e6, repeats -> nanos(strategy, number, repeats)));
    }
    race.run();
    List<BenchRow> rows = new ArrayList<>();
    for (FrameStrategy strategy : strategies) {
      int place = working.indexOf(strategy);
      if (place < 0) {
        String why = failure(strategy, number);
        rows.add(row(TIME, strategy, number, "ms", Double.NaN, why));
        rows.add(row(SHARE, strategy, number, "%", Double.NaN, why));
      } else {
        double millis = contenders.get(place).median();
        double question = Math.max(0, cost(costs, strategy.toString()) - loop);
        double share = 100 * questions(strategy, number) * question / (millis * 1e6);
        rows.add(row(TIME, strategy, number, "ms", millis, ""));
        rows.add(row(SHARE, strategy, number, "%", share, ""));
      }
    }
    return rows;
  }

  private static double cost(List<BenchRow> costs, String strategy) {
    return costs.stream().filter(row -> row.strategy().equals(strategy)).findFirst().get().median();
  }

  private static BenchRow row(
      String name, FrameStrategy strategy, int segments, String unit, double median, String note) {
    return new BenchRow(name, strategy.toString(), segments, 1, unit, median, note);
  }

  private long nanos(FrameStrategy strategy, int number, int repeats) throws IOException {
    try (GuestRun guest = boot(strategy, number)) {
      long start = System.nanoTime();
      for (int i = 0; i < repeats; i++) {
        run(guest);
      }
      return System.nanoTime() - start;
    }
  }

  private long questions(FrameStrategy strategy, int number) throws IOException {
    MachineConfig config = MachineConfig.DEFAULT.withStrategy(strategy).withQuestionsCounted();
    try (GuestRun guest = GuestRun.boot(config, image, number)) {
      long before = guest.machine().questions();
      run(guest);
      return guest.machine().questions() - before;
    }
  }

  /** What happens with a strategy that does not work. */
  private String failure(FrameStrategy strategy, int number) throws IOException {
    try (GuestRun guest = boot(strategy, number)) {
      run(guest);
      return "wrong answers";
    } catch (IllegalStateException | IndexOutOfBoundsException e) {
      return e.getMessage();
    }
  }

  private GuestRun boot(FrameStrategy strategy, int segments) throws IOException {
    return GuestRun.boot(MachineConfig.DEFAULT.withStrategy(strategy), image, segments);
  }

  private void run(GuestRun guest) throws IOException {
    ProgramResult result = guest.run(words);
    if (result.processes() != PROGRAMS + 1) {
      throw new IOException(
          "%s: expected %d processes, found %s".formatted(words, PROGRAMS + 1, result));
    }
  }
}
