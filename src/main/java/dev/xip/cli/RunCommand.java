package dev.xip.cli;

import dev.xip.base.LostPages;
import dev.xip.cpu.Processors;
import dev.xip.host.HostSignals;
import dev.xip.host.HostStream;
import dev.xip.image.CorruptImageException;
import dev.xip.image.FsImage;
import dev.xip.image.MemoryFaults;
import dev.xip.linux.CannotExecuteException;
import dev.xip.linux.Program;
import dev.xip.linux.ProgramResult;
import dev.xip.linux.RunAccount;
import dev.xip.linux.StandardStreams;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.mount.ImageSource;
import dev.xip.pagetable.EntryLayout;
import dev.xip.scenario.ImageRegion;
import dev.xip.segment.SegmentName;
import dev.xip.vfs.RamTree;
import dev.xip.vfs.Vfs;
import dev.xip.vm.Era;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code xip run}: runs a program of an image in place. */
@Command(
    name = "run",
    header = "Run a program of an image in place.",
    description = {
      "%nRuns the program and all that it starts on virtual processors whose MMU walks the modelled"
          + " page tables: text is the image's own pages. The image is the root file system; what"
          + " programs write stays in RAM. Needs /dev/kvm.%n",
      "The exit status is the program's, or 128 and the number of the signal that ended it; 126 if"
          + " it cannot be executed, 127 if there is none, 124 if its time was up.%n",
      "A terminal works as on the host: its keys reach the program's foreground group, and its"
          + " settings are put back at the end. SIGHUP, SIGINT and SIGTERM that a process sends to"
          + " xip are handed to the program; the third ends all.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip run debian.img /bin/sh -c 'echo a | cat | wc -c'",
      "  xip run --env LANG=C --trace segment:ROOT /usr/bin/sort < names",
      "  xip run --stats debian.img /usr/bin/perl -e 'print 1'      the account of a run",
      "  xip run --maps --output maps.txt debian.img /bin/true      its mappings",
      "  xip run --strategy flat --era 2.6.24 debian.img /bin/true  as another kernel"
    })
final class RunCommand implements Callable<Integer> {
  private static final List<String> ENVIRONMENT =
      List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/");

  private static final long ROOT_DEVICE = 1;
  private static final int RAM_SHIFT = 20;
  private static final double NANOS = 1e9;

  /** As timeout(1) has it. */
  private static final int TIMED_OUT = 124;

  /** As shells have it: there is such a file, but it cannot be executed. */
  private static final int CANNOT_EXECUTE = 126;

  /** As shells have it. */
  private static final int NOT_FOUND = 127;

  private static final int LEAST_MEMORY = 16;

  /** Segments may begin behind it. */
  private static final int MOST_MEMORY = 2048;

  @Mixin private ImageOperand image = new ImageOperand();

  @Parameters(
      index = "1..*",
      arity = "1..*",
      paramLabel = "PROGRAM",
      description = "The program's path in the image, and its arguments.")
  private List<String> words;

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description = "Add to the environment, which has PATH and HOME.")
  private List<String> variables = new ArrayList<>();

  @Option(
      names = "--memory",
      paramLabel = "MIB",
      defaultValue = "512",
      description = "The RAM in MiB, 16 to 2048; default: ${DEFAULT-VALUE}.")
  private int memory;

  @Option(
      names = "--workdir",
      paramLabel = "PATH",
      defaultValue = "/",
      description = "The working directory, a path in the image; default: ${DEFAULT-VALUE}.")
  private String directory;

  @Option(
      names = "--bind",
      paramLabel = "HOST:GUEST[:ro]",
      description =
          "Show a directory or file of the host at a path of the program, with ro not to be"
              + " changed; may be given more than once.")
  private List<String> binds = new ArrayList<>();

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      converter = SegmentOptions.Seconds.class,
      description = "End the program and all that it started after this time, with exit code 124.")
  private Duration limit;

  @Option(
      names = "--era",
      paramLabel = "NAME",
      converter = HistoryCommand.EraName.class,
      completionCandidates = HistoryCommand.EraNames.class,
      description = "The release whose rules hold: ${COMPLETION-CANDIDATES}; default: xip.")
  private Era era = Era.XIP;

  @Option(
      names = "--strategy",
      paramLabel = "NAME",
      converter = BenchCommand.StrategyName.class,
      description =
          "How to decide whether an entry has a page frame: ${COMPLETION-CANDIDATES}; default: that"
              + " of the era.")
  private FrameStrategy strategy;

  @Option(
      names = "--page-cache",
      description =
          "For comparison: read and map the image's files through a page cache, which takes a frame"
              + " of RAM for each page.")
  private boolean pageCache;

  @Option(
      names = "--trace",
      description = "Show each system call, and which are missing, on standard error.")
  private boolean trace;

  @Option(
      names = "--stats",
      description = {
        "Check the memory of each process, and show exits, faults, entries, frames and times at the"
            + " end on standard error. Exit code 1 if a page of the image took a frame, or a count"
            + " is wrong."
      })
  private boolean stats;

  @Option(names = "--json", description = "Print the statistics as one JSON object.")
  private boolean json;

  @Option(
      names = "--maps",
      description =
          "Show the mappings of each process before they are given back, as /proc/PID/smaps would,"
              + " on standard error.")
  private boolean maps;

  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "Write trace, mappings and statistics to a file.")
  private Path output;

  @Mixin private SegmentOptions.Place store = new SegmentOptions.Place();

  @Spec private CommandSpec spec;

  RunCommand() {}

  @Override
  public Integer call() throws IOException {
    if (memory < LEAST_MEMORY || memory > MOST_MEMORY) {
      throw wrong("--memory: expected 16 to 2048, found " + memory);
    }
    for (String each : variables) {
      if (each.indexOf('=') < 1) {
        throw wrong("--env: expected NAME=VALUE, found " + each);
      }
    }
    for (String each : binds) {
      if (!BindMounts.isOne(each)) {
        throw wrong("--bind: expected HOST:GUEST or HOST:GUEST:ro, found " + each);
      }
    }
    if (json && !stats) {
      throw wrong("--json: expected together with --stats");
    }
    MachineConfig config = config();
    if (image.isInSegments()) {
      SegmentName[] names = image.segments().toArray(SegmentName[]::new);
      try (Machine machine = Machine.boot(config, store.open());
          Mount mount = machine.mount(names)) {
        return run(machine, mount.image(), mount::open);
      }
    }
    ImageSource source = image.source();
    long window = ImageRegion.windowFor(source);
    try (Machine machine = Machine.boot(config.withWindow(window))) {
      ImageRegion region = ImageRegion.map(source, machine.memory());
      region.warnings().forEach(each -> Errors.line(source.name() + ": " + each));
      return run(machine, region.image(), region::open);
    }
  }

  private int run(Machine machine, FsImage root, RamTree.Opener opener) throws IOException {
    int status;
    RamTree tree = RamTree.over(root, pageCache ? null : opener, machine.pageCache(), ROOT_DEVICE);
    try (Vfs files = new Vfs(tree)) {
      BindMounts mounts = new BindMounts(files, machine.pageCache());
      for (String each : binds) {
        mounts.mount(each);
      }
      status = run(machine, files);
    }
    try {
      LostPages.touch(root.memory());
      MemoryFaults.check(root.name(), root.memory());
    } catch (CorruptImageException e) {
      // Programs have met it as EIO and SIGBUS; the status is theirs.
      Errors.line(Failure.line(e));
    }
    return stats ? told(machine.verify(), status) : status;
  }

  private MachineConfig config() {
    EntryLayout layout =
        era.layouts().stream().filter(Processors::canRun).findFirst().orElseThrow();
    FrameStrategy chosen = strategy == null ? era.defaultStrategy(layout) : strategy;
    try {
      MachineConfig config =
          MachineConfig.DEFAULT.withRam((long) memory << RAM_SHIFT).as(era, layout, chosen);
      if (era == Era.XIP) {
        config = config.withRules(Program.RULES);
      }
      return stats ? config.withQuestionsCounted() : config;
    } catch (IllegalArgumentException e) {
      throw wrong(e.getMessage());
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private Program program(RunReport report, StandardStreams streams) {
    List<String> environment = new ArrayList<>(ENVIRONMENT);
    for (String each : variables) {
      String name = each.substring(0, each.indexOf('=') + 1);
      environment.removeIf(before -> before.startsWith(name));
      environment.add(each);
    }
    Program program =
        new Program(words.getFirst(), words, environment, streams, trace ? report::line : null)
            .in(directory)
            .within(limit);
    return stats || maps ? program.withAccount(maps ? report::text : null) : program;
  }

  @SuppressWarnings("try") // The settings are only closed.
  private int run(Machine machine, Vfs files) throws IOException {
    RunReport report = RunReport.into(output);
    try (Processors processors = Processors.boot(machine.memoryManager());
        HostSignals signals = HostSignals.take()) {
      StandardStreams streams = StandardStreams.ofThisProcess(signals);
      double start = stats ? ManagementFactory.getRuntimeMXBean().getUptime() / 1e3 : 0;
      ProgramResult result;
      try (HostStream.Settings settings = streams.settings()) {
        result = program(report, streams).run(machine.memoryManager(), processors, files);
      }
      return tell(result, machine, report, start);
    } catch (IllegalStateException e) {
      if (strategy == null || strategy.outcome() == FrameStrategy.Outcome.WORKS) {
        throw e;
      }
      throw new IOException("strategy %s: %s".formatted(strategy, e.getMessage()), e);
    } catch (CannotExecuteException e) {
      String why = Failure.line(e.getCause());
      Errors.line(why.contains(words.getFirst()) ? why : words.getFirst() + ": " + why);
      return e.isMissing() ? NOT_FOUND : CANNOT_EXECUTE;
    }
  }

  private int tell(ProgramResult result, Machine machine, RunReport report, double start)
      throws IOException {
    if (trace && !result.missing().isEmpty()) {
      report.line("missing system calls by number: " + result.missing());
    }
    for (String each : result.killedForMemory()) {
      Errors.line("killed: " + each);
    }
    if (result.timedOut()) {
      Errors.line(
          "%s: ended after %s seconds (--timeout)"
              .formatted(words.getFirst(), limit.toMillis() / 1000.0));
    }
    int status = result.timedOut() ? TIMED_OUT : result.status();
    if (!stats) {
      return status;
    }
    RunReport.Times times = times(result.account(), start);
    if (json) {
      report.json(words.getFirst(), result, machine, times);
    } else {
      report.table(words.getFirst(), result, machine, times);
    }
    return told(result.account().wrong(), status);
  }

  /** The status, or that of a failure if something is wrong. */
  private static int told(List<String> wrong, int status) {
    if (wrong.isEmpty()) {
      return status;
    }
    Errors.line(wrong.getFirst());
    return Main.FAILED;
  }

  /** The start is that of the JVM up to the program's. */
  private static RunReport.Times times(RunAccount account, double start) {
    return new RunReport.Times(start, account.nanos() / NANOS, account.userNanos() / NANOS);
  }
}
