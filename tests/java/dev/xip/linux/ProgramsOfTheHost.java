package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.cpu.Processors;
import dev.xip.file.PageCache;
import dev.xip.host.HostFile;
import dev.xip.host.HostStream;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.phys.FrameUse;
import dev.xip.scenario.HostTree;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.vfs.RamTree;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/** A machine whose root file system holds programs of the host, which runs them as well. */
final class ProgramsOfTheHost implements AutoCloseable {
  private final Path folder;
  private final Path tree;
  private final Path output;
  private final Path errors;
  private Consumer<String> trace;
  private Duration limit = Duration.ofMinutes(2);
  private Mounting mounting = (files, cache) -> {};
  private Machine machine;
  private Mount mount;
  private Processors processors;

  /** Copies programs with their libraries to a tree, which can be added to before the boot. */
  ProgramsOfTheHost(Path folder, List<String> programs) throws IOException {
    Judge.kvm();
    this.folder = folder;
    this.output = folder.resolve("output");
    this.errors = folder.resolve("errors");
    this.tree = Files.createDirectory(folder.resolve("tree"));
    HostTree host = new HostTree(tree);
    for (String each : programs) {
      Judge.needs(Files.exists(Path.of(each)), each + ", as Debian has it");
      host.add(each);
    }
  }

  /** What becomes the root. */
  Path tree() {
    return tree;
  }

  void boot() throws IOException {
    boot(Images.ext2(tree));
  }

  /** Boots with an image of the tree that was made already. */
  void boot(Path image) throws IOException {
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    SegmentName name = SegmentName.of("ROOT");
    store.define(store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image));
    machine = Machine.boot(MachineConfig.DEFAULT.withRam(128 << 20), store);
    mount = machine.mount(name);
    processors = Processors.boot(machine.memoryManager());
  }

  ProgramResult run(String... words) throws IOException {
    return run(input(""), words);
  }

  /** The input is a file. */
  ProgramResult run(Path input, String... words) throws IOException {
    Files.deleteIfExists(output);
    Files.deleteIfExists(errors);
    ProgramResult result;
    try (HostFile in = HostFile.openReadOnly(input);
        HostFile out = HostFile.create(output, 0600);
        HostFile err = HostFile.create(errors, 0600);
        Vfs files = new Vfs(RamTree.over(mount.image(), mount::open, machine.pageCache(), 1))) {
      mounting.mount(files, machine.pageCache());
      StandardStreams streams =
          new StandardStreams(HostStream.of(in), HostStream.of(out), HostStream.of(err), null);
      result =
          new Program(words[0], List.of(words), List.of("PATH=/usr/bin:/bin"), streams, trace)
              .withAccount(null)
              .within(limit)
              .run(machine.memoryManager(), processors, files);
    }
    assertThat(machine.pageCache().pages()).as("frames of files after the end").isZero();
    assertThat(machine.memory().allocator().inUse(FrameUse.ANONYMOUS))
        .as("anonymous frames after the end")
        .isZero();
    assertThat(machine.memory().allocator().inUse(FrameUse.TABLE))
        .as("tables after the end")
        .isZero();
    assertThat(result.account().wrong()).as("what is wrong with memory").isEmpty();
    return result;
  }

  /** Mounts trees in the root. */
  interface Mounting {
    void mount(Vfs files, PageCache cache) throws IOException;
  }

  /** Says what is mounted before a program runs, from now on. */
  void mount(Mounting wanted) {
    mounting = wanted;
  }

  /** Gives the lines of a trace to a consumer from now on. */
  void trace(Consumer<String> to) {
    trace = to;
  }

  /** The time of each run from now on. */
  void limit(Duration most) {
    limit = most;
  }

  String output() throws IOException {
    return Files.readString(output);
  }

  String errors() throws IOException {
    return Files.readString(errors);
  }

  /** Runs a command here and on the host: output, errors and status are the same. */
  ProgramResult isAsOnTheHost(String... words) throws IOException {
    return compare(words, words);
  }

  /** The same for a script of dash in the tree, where the host runs it under chroot. */
  ProgramResult isAsUnderChroot(String script) throws IOException {
    Judge.root();
    return compare(
        new String[] {"/bin/dash", "-c", script},
        "chroot",
        tree.toString(),
        "/usr/bin/env",
        "-i",
        "PATH=/usr/bin:/bin",
        "/bin/dash",
        "-c",
        script);
  }

  private ProgramResult compare(String[] words, String... onTheHost) throws IOException {
    ProgramResult result = run(words);
    Processes.Output host = Processes.runAny(onTheHost);
    String what = "%s: %s".formatted(List.of(words), result);
    assertThat(output()).as(what).isEqualTo(host.out());
    assertThat(errors()).as(what).isEqualTo(host.err());
    assertThat(result.status()).as(what).isEqualTo(host.exit());
    return result;
  }

  /** The same for a script of dash, whose standard input is empty. */
  ProgramResult isAsOnTheHost(String script) throws IOException {
    return isAsOnTheHost("/bin/dash", "-c", script);
  }

  /** A standard input. */
  Path input(String text) throws IOException {
    return Files.writeString(folder.resolve("input"), text);
  }

  @Override
  public void close() throws IOException {
    if (processors != null) {
      assertThat(machine.verify()).isEmpty();
      processors.close();
      mount.close();
      machine.close();
    }
  }
}
