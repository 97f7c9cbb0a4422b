package dev.xip.demo;

import dev.xip.base.ProgressListener;
import dev.xip.cpu.Processors;
import dev.xip.host.HostFile;
import dev.xip.host.HostPaths;
import dev.xip.host.HostStream;
import dev.xip.host.KvmAbsentException;
import dev.xip.host.Leftovers;
import dev.xip.linux.Program;
import dev.xip.linux.ProgramResult;
import dev.xip.linux.StandardStreams;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import dev.xip.scenario.HostTree;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.vfs.RamTree;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The third act of the demo: programs of this host run out of a segment on a virtual processor
 * whose MMU walks the modelled page tables. A shell script, and if there is gcc, a program that is
 * compiled and then runs.
 *
 * @param absent why nothing ran, in one line; null if it did
 * @param runs what ran
 */
public record ThirdAct(String absent, List<Run> runs) {
  private static final String SCRIPT =
      "for i in 1 2 3; do echo $i squared is $((i * i)); done | sort -r";
  private static final String SCRIPT_OUTPUT = "3 squared is 9\n2 squared is 4\n1 squared is 1\n";
  private static final String SOURCE =
      """
      #include <stdio.h>
      int main(void) { puts("compiled and run out of a segment"); }
      """;
  private static final String SOURCE_OUTPUT = "compiled and run out of a segment\n";
  private static final long RAM_BYTES = 256L << 20;

  /** Copies the list. */
  public ThirdAct {
    runs = List.copyOf(runs);
  }

  /**
   * A run of the shell.
   *
   * @param command what it was told
   * @param output what came to standard output
   * @param expected what should have come
   * @param result how it ended, with the account
   */
  public record Run(String command, String output, String expected, ProgramResult result) {}

  /**
   * Plays the act.
   *
   * @param work the folder for the tree, its image and the segment; nothing there has their names
   * @param progress receives the progress of packing
   * @return what ran, or why nothing did
   * @throws IOException if a file cannot be read or written, or the system refuses
   * @throws InterruptedException if the thread is interrupted while the image is packed
   */
  static ThirdAct play(Path work, ProgressListener progress)
      throws IOException, InterruptedException {
    SegmentStore store = Leftovers.step(() -> SegmentStore.create(work.resolve("programs")));
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(RAM_BYTES), store);
        Processors processors = Processors.boot(machine.memoryManager())) {
      HostTree tree = new HostTree(Files.createDirectory(work.resolve("tree")));
      List<Run> runs = new ArrayList<>();
      String shell = added(tree, "sh");
      if (shell == null || added(tree, "sort") == null) {
        return new ThirdAct("no sh and sort on this host", List.of());
      }
      String gcc = HostTree.find("gcc");
      if (gcc != null) {
        Path source = Files.writeString(tree.root().resolve("hello.c"), SOURCE);
        tree.addCompiler(gcc, "-O2", HostPaths.text(source));
      }
      Path image = work.resolve("programs.img");
      Packer.pack(tree.root(), image, PackFormat.EXT2, progress);
      SegmentName name = SegmentName.of("PROGRAMS");
      store.define(
          store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image));
      try (Mount mount = machine.mount(name);
          Vfs files = new Vfs(RamTree.over(mount.image(), mount::open, machine.pageCache(), 1))) {
        runs.add(run(shell, SCRIPT, SCRIPT_OUTPUT, machine, processors, files));
        if (gcc != null) {
          String command = gcc + " -O2 hello.c -o /tmp/hello && /tmp/hello";
          runs.add(run(shell, command, SOURCE_OUTPUT, machine, processors, files));
        }
      }
      return new ThirdAct(null, runs);
    } catch (KvmAbsentException e) {
      return new ThirdAct(e.getMessage(), List.of());
    }
  }

  private static String added(HostTree tree, String program) throws IOException {
    String path = HostTree.find(program);
    if (path != null) {
      tree.add(path);
    }
    return path;
  }

  private static Run run(
      String shell,
      String command,
      String expected,
      Machine machine,
      Processors processors,
      Vfs files)
      throws IOException {
    List<String> words = List.of(shell, "-c", command);
    try (HostFile input = HostFile.memfd("input");
        HostFile output = HostFile.memfd("output")) {
      HostStream out = HostStream.of(output);
      StandardStreams streams = new StandardStreams(HostStream.of(input), out, out, null);
      ProgramResult result =
          new Program(shell, words, List.of("PATH=/usr/bin:/bin"), streams, null)
              .withAccount(null)
              .run(machine.memoryManager(), processors, files);
      return new Run(command, output.text(), expected, result);
    }
  }

  /** {@return what did not hold, one line each; empty if all held} */
  List<String> broken() {
    List<String> broken = new ArrayList<>();
    for (Run each : runs) {
      broken.addAll(each.result.account().wrong());
      if (each.result.status() != 0 || !each.output.equals(each.expected)) {
        broken.add(
            "%s: expected %s, found status %d and %s"
                .formatted(
                    each.command,
                    each.expected.strip(),
                    each.result.status(),
                    each.output.strip()));
      }
      if (each.result.account().entries().textFrames() != 0) {
        broken.add(each.command + ": text has page frames");
      }
    }
    return broken;
  }
}
