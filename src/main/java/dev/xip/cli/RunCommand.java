package dev.xip.cli;

import dev.xip.cpu.Processors;
import dev.xip.linux.ImageFiles;
import dev.xip.linux.Program;
import dev.xip.linux.ProgramResult;
import dev.xip.linux.StandardStreams;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.mount.OpenImage;
import dev.xip.phys.PhysicalMemory;
import dev.xip.scenario.ImageRegion;
import dev.xip.segment.SegmentName;
import dev.xip.vm.MemoryManager;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
          + " page tables: text is the image's own pages. The image is the root file system, and"
          + " nothing can be written but the standard streams. Needs /dev/kvm. The exit status is"
          + " the program's, or 128 and the number of the signal that ended it.%n"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  xip run debian.img /bin/sh -c 'echo a | cat | wc -c'",
      "  xip run --env LANG=C --trace segment:ROOT /usr/bin/sort < names"
    })
final class RunCommand implements Callable<Integer> {
  private static final List<String> ENVIRONMENT =
      List.of("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/");

  private static final int RAM_SHIFT = 20;
  private static final int LEAST_MEMORY = 16;

  /** Segments may begin behind it. */
  private static final int MOST_MEMORY = 2048;

  @Parameters(
      index = "0",
      paramLabel = "IMAGE",
      converter = HostPlace.Some.class,
      description = "The image file, or segment:A:B:C for one in adjacent segments.")
  private String image;

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
      names = "--trace",
      description = "Show each system call on standard error, and which are missing.")
  private boolean trace;

  @Mixin private SegmentOptions.Store store = new SegmentOptions.Store();

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
    if (image.startsWith(OpenImage.SEGMENTS)) {
      List<SegmentName> names = new ArrayList<>();
      for (String each : image.substring(OpenImage.SEGMENTS.length()).split(":", -1)) {
        names.add(SegmentName.of(each));
      }
      MachineConfig config = MachineConfig.DEFAULT.withRam((long) memory << RAM_SHIFT);
      try (Machine machine = Machine.boot(config, store.open());
          Mount mount = machine.mount(names.toArray(SegmentName[]::new))) {
        return run(machine.memoryManager(), ImageFiles.of(mount));
      }
    }
    Path file = HostPlace.of(image);
    try (PhysicalMemory physical =
        PhysicalMemory.boot(ImageRegion.windowFor(Files.size(file)), (long) memory << RAM_SHIFT)) {
      ImageRegion region = ImageRegion.map(file, physical);
      return run(
          new MemoryManager(physical, MachineConfig.DEFAULT.layout()),
          ImageFiles.of(region.image(), region));
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private int run(MemoryManager manager, ImageFiles files) throws IOException {
    List<String> environment = new ArrayList<>(ENVIRONMENT);
    for (String each : variables) {
      String name = each.substring(0, each.indexOf('=') + 1);
      environment.removeIf(before -> before.startsWith(name));
      environment.add(each);
    }
    Program program =
        new Program(
            words.getFirst(),
            words,
            environment,
            new StandardStreams(
                new FileInputStream(FileDescriptor.in),
                new FileOutputStream(FileDescriptor.out),
                new FileOutputStream(FileDescriptor.err)),
            trace ? Errors::line : null);
    try (Processors processors = Processors.boot(manager);
        InterruptedRun run = new InterruptedRun()) {
      ProgramResult result = program.run(manager, processors, files);
      if (trace && !result.missing().isEmpty()) {
        Errors.line("missing system calls by number: " + result.missing());
      }
      run.ended(result.status());
      return result.status();
    }
  }
}
