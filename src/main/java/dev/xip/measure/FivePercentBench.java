package dev.xip.measure;

import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.base.ProgressListener;
import dev.xip.file.CachedFile;
import dev.xip.file.InPlaceFile;
import dev.xip.file.PageCache;
import dev.xip.host.HostPaths;
import dev.xip.host.HostProcess;
import dev.xip.host.ScratchFolder;
import dev.xip.image.FsImage;
import dev.xip.measure.NormalPageLoop.Candidate;
import dev.xip.mount.ImageSource;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.CountingModel;
import dev.xip.phys.FlatModel;
import dev.xip.scenario.ImageRegion;
import dev.xip.vm.Era;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.NormalFrame;
import dev.xip.vm.Vma;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Repeats the measurement behind "nearly 5 %" of the mail of 16 January 2008
 * (20080116042205.GB29681@wotan.suse.de): what the normal-page test costs fork, exec, exit and
 * faults of processes that map ordinary memory alone. The machine keeps the rules of 3.19; none of
 * the entries is special, so every entry is handled by itself.
 *
 * <p>Each strategy is measured in processes of its own, side by side with the special bit: so the
 * compiler knows which strategy is asked, as it does in a kernel that was built for one.
 */
public final class FivePercentBench {
  private static final EntryLayout LAYOUT = X8664Layout.INSTANCE;
  private static final long RAM_BYTES = 256L << 20;

  private static final Race.Rounds ROUNDS =
      new Race.Rounds(150_000_000, 4_000_000, 7, 101, 250_000_000);

  /** The compiler does not come to the same code in each process. */
  private static final int PROCESSES = 3;

  private static final Race.Rounds QUESTION_ROUNDS =
      new Race.Rounds(100_000_000, 2_000_000, 41, 41, 0);

  private FivePercentBench() {}

  /**
   * Measures each strategy in processes of its own, which the strategies take in turns.
   *
   * @param strategies strategies that work
   * @param segments the numbers of segments
   * @param work where a folder for work files may be made
   * @param progress receives the number of finished processes
   * @return one row for each strategy, number of segments and kind of work, each number the median
   *     of the processes
   * @throws IOException if a process fails
   */
  public static List<FivePercentRow> run(
      List<FrameStrategy> strategies, int[] segments, Path work, ProgressListener progress)
      throws IOException {
    List<FivePercentRow> all = new ArrayList<>();
    int processes = PROCESSES * strategies.size();
    for (int done = 0; done < processes; ) {
      all.addAll(inProcess(strategies.get(done % strategies.size()), segments, work));
      progress.at(++done, processes);
    }
    int rows = all.size() / PROCESSES;
    return IntStream.range(0, rows)
        .mapToObj(
            row ->
                FivePercentRow.median(
                    IntStream.range(0, PROCESSES).mapToObj(i -> all.get(row + i * rows)).toList()))
        .toList();
  }

  private static List<FivePercentRow> inProcess(FrameStrategy strategy, int[] segments, Path work)
      throws IOException {
    List<String> command =
        List.of(
            HostPaths.text(ProcessFigures.launcher()),
            "bench",
            "five-percent",
            "--alone",
            "--strategies",
            strategy.toString(),
            "--segments",
            Arrays.stream(segments).mapToObj(Integer::toString).collect(Collectors.joining(",")),
            "--work",
            HostPaths.text(work));
    ProcessBuilder builder =
        new ProcessBuilder(HostProcess.words(command))
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    try (HostProcess started = HostProcess.start(builder);
        BufferedReader lines = started.process().inputReader()) {
      List<FivePercentRow> rows = lines.lines().map(FivePercentRow::ofLine).toList();
      int exit = started.process().waitFor();
      if (exit != 0) {
        throw new IOException("%s: expected exit 0, found %d".formatted(command, exit));
      }
      return rows;
    } catch (InterruptedException e) {
      throw new IOException(command + " was interrupted", e);
    }
  }

  /**
   * Measures one strategy in this process.
   *
   * @param strategy a strategy that works
   * @param segments the numbers of segments
   * @param work where a folder for work files may be made
   * @return one row for each number of segments and kind of work
   * @throws IOException if there is no room for it
   */
  public static List<FivePercentRow> alone(FrameStrategy strategy, int[] segments, Path work)
      throws IOException {
    List<FivePercentRow> rows = new ArrayList<>();
    try (ScratchFolder scratch = ScratchFolder.in(work, "xip-bench")) {
      Path image = packed(scratch.path());
      for (int number : segments) {
        try (NormalPageMachine machine = boot(number, image)) {
          OrdinaryWork.Inputs inputs = inputs(machine, image);
          MemoryManager asked =
              machine.manager(strategy.on(machine.memory(), LAYOUT), Era.LINUX_3_19.rules());
          MemoryManager bit =
              machine.manager(
                  FrameStrategy.SPECIAL_BIT.on(machine.memory(), LAYOUT), Era.LINUX_3_19.rules());
          double question = question(machine, strategy, asked);
          for (OrdinaryWork each : OrdinaryWork.values()) {
            double questions = questions(machine, each, inputs);
            rows.add(measure(each, strategy, number, asked, bit, inputs, questions, question));
          }
        }
      }
    }
    return rows;
  }

  /** Boots with room for the image. */
  static NormalPageMachine boot(int segments, Path image) throws IOException {
    long window = ImageRegion.windowFor(ImageSource.of(image));
    return NormalPageMachine.boot(LAYOUT, segments, window, RAM_BYTES);
  }

  private static FivePercentRow measure(
      OrdinaryWork work,
      FrameStrategy strategy,
      int segments,
      MemoryManager asked,
      MemoryManager bit,
      OrdinaryWork.Inputs inputs,
      double questions,
      double question)
      throws IOException {
    try (OrdinaryWork.Scene ours = work.on(asked, inputs);
        OrdinaryWork.Scene other = work.on(bit, inputs)) {
      Race race = new Race(ROUNDS, Race.PROCESSOR_TIME);
      Contender with = race.add(strategy.toString(), work.units(), ours::prepare, ours);
      Contender without = race.add("the bit", work.units(), other::prepare, other);
      race.run();
      return new FivePercentRow(
          work.toString(),
          strategy.toString(),
          segments,
          with.median(),
          100 * with.spread(),
          questions,
          100 * questions * question / with.median(),
          100 * (with.ratioTo(without) - 1));
    }
  }

  /** The nanoseconds of one question about an entry of ordinary memory, without the loop. */
  private static double question(
      NormalPageMachine machine, FrameStrategy strategy, MemoryManager manager) throws IOException {
    Vma ordinary = machine.mappings()[1];
    Vma[] mappings = {ordinary, ordinary};
    long[] entries = machine.ordinaryEntries(NormalPageLoop.ENTRIES);
    Race race = new Race(QUESTION_ROUNDS, Race.WALL_CLOCK);
    Contender asked = addLoop(race, new Candidate(strategy, manager, mappings, entries));
    Contender idle = addLoop(race, new Candidate(null, manager, mappings, entries));
    race.run();
    return Math.max(0, asked.median() - idle.median());
  }

  private static Contender addLoop(Race race, Candidate candidate) {
    var loop = NormalPageBench.loopFor(candidate);
    return race.add(
        "question", NormalPageLoop.ENTRIES, () -> loop.applyAsLong(NormalPageLoop.ENTRIES));
  }

  /** How often a run asks for each page that it goes over. */
  static double questions(NormalPageMachine machine, OrdinaryWork work, OrdinaryWork.Inputs inputs)
      throws IOException {
    CountingModel counting = new CountingModel(new FlatModel());
    machine.memory().attach(counting);
    MemoryManager manager = machine.manager(NormalFrame.pfnValid(counting), Era.LINUX_3_19.rules());
    try (OrdinaryWork.Scene scene = work.on(manager, inputs)) {
      scene.prepare();
      counting.takeQuestions();
      scene.run();
      return counting.takeQuestions() / (double) work.units();
    }
  }

  /** Packs an image with the one program that there is wherever this runs. */
  static Path packed(Path folder) throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Files.copy(java, tree.resolve("java"));
    Path image = folder.resolve("image");
    try {
      Packer.pack(tree, image, PackFormat.EXT2, ProgressListener.NONE);
      return image;
    } catch (InterruptedException e) {
      throw new IOException("packing " + tree + " was interrupted", e);
    }
  }

  static OrdinaryWork.Inputs inputs(NormalPageMachine machine, Path path) throws IOException {
    ImageRegion region = ImageRegion.map(ImageSource.of(path), machine.memory());
    FsImage image = region.image();
    long inode = image.find(image.root(), FileName.of("java"));
    CachedFile file = new PageCache(machine.memory()).create("file");
    file.write(0, MemorySegment.ofArray(new byte[OrdinaryWork.PAGES << Pages.SHIFT]));
    return new OrdinaryWork.Inputs(
        InPlaceFile.open("/java", image, image.inode(inode), region), file);
  }
}
