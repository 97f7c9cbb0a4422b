package dev.xip.linux;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.ProgressListener;
import dev.xip.cpu.Processors;
import dev.xip.host.HostFile;
import dev.xip.host.HostStream;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.pack.PackFormat;
import dev.xip.pack.Packer;
import dev.xip.phys.FrameUse;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.DebianTree;
import dev.xip.testing.Folders;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.vfs.RamTree;
import dev.xip.vfs.Vfs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A machine whose root file system is Debian in a segment, and the host's kernel, which runs the
 * same files under chroot. Tests that name it as a parameter share one.
 */
final class DebianMachine implements AutoCloseable {
  private static final Duration LONGEST = Duration.ofSeconds(240);

  /** Packages of the tree whose sources lie in its folder /usr/src. */
  private static final List<String> SOURCES = List.of("bzip2", "zlib1g");

  private static final List<String> ENVIRONMENT =
      List.of("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C");

  /**
   * Runs a command under chroot in namespaces of its own, so its mounts and processes end with it.
   * As in the machine, it has number 2, leads a session and finds an empty layer for what it
   * writes. $0 is the tree, $1 an empty folder.
   */
  private static final String UNDER_CHROOT =
      """
      exec 3>&2 2>/dev/null
      tree=$0; here=$1; shift; ulimit -S -s 8192; ulimit -S -n 1024; umask 022
      { mount -t tmpfs none "$here" && mkdir "$here/upper" "$here/work" "$here/root" &&
        mount -t overlay -o "lowerdir=$tree,upperdir=$here/upper,workdir=$here/work" none \\
          "$here/root" && mount -t proc none "$here/root/proc"; } 2>&3 || exit 99
      for device in null zero full random urandom; do
        mount --bind "/dev/$device" "$here/root/dev/$device" 2>&3 || exit 99
      done
      echo 1 >"$here/root/proc/sys/kernel/ns_last_pid"
      setsid chroot "$here/root" "$@" 2>&3 3>&-
      """;

  private final Path folder;
  private final List<String> killed = Collections.synchronizedList(new ArrayList<>());
  private final Path tree;
  private final Machine machine;
  private final Mount mount;
  private final Processors processors;
  private final Path input;
  private final Path output;
  private final Path errors;

  /** What a command has given, a char for each byte. */
  record Result(String output, String errors, int status) {}

  DebianMachine(Path folder, Path tree) throws IOException {
    this.folder = folder;
    this.tree = tree;
    Path image = folder.resolve("image");
    try {
      Packer.pack(tree, image, PackFormat.EXT2, ProgressListener.NONE);
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    }
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    SegmentName name = SegmentName.of("DEBIAN");
    store.define(store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image));
    machine = Machine.boot(MachineConfig.DEFAULT.withRam(1L << 30), store);
    mount = machine.mount(name);
    processors = Processors.boot(machine.memoryManager());
    Files.createDirectory(folder.resolve("chroot"));
    input = Files.createFile(folder.resolve("input"));
    output = folder.resolve("output");
    errors = folder.resolve("errors");
  }

  /**
   * Runs a program out of the segment, with an empty layer for what it writes.
   *
   * @param trace takes the lines of the trace; null for none
   */
  Result run(Consumer<String> trace, String... words) throws IOException {
    deleteStreams();
    killed.clear();
    try (HostFile in = HostFile.openReadOnly(input);
        HostFile out = HostFile.create(output, 0600);
        HostFile err = HostFile.create(errors, 0600);
        Vfs files = new Vfs(RamTree.over(mount.image(), mount::open, machine.pageCache(), 1))) {
      StandardStreams streams =
          new StandardStreams(HostStream.of(in), HostStream.of(out), HostStream.of(err), null);
      ProgramResult result =
          new Program(words[0], List.of(words), ENVIRONMENT, streams, noting(trace))
              .withAccount(null)
              .within(LONGEST)
              .run(machine.memoryManager(), processors, files);
      assertThat(result.timedOut()).as("whether it took longer than %s", LONGEST).isFalse();
      assertThat(result.account().wrong()).as("what is wrong with memory").isEmpty();
      return result(result.status());
    } finally {
      nothingIsLeft();
    }
  }

  private Consumer<String> noting(Consumer<String> trace) {
    return line -> {
      if (line.contains("+++ killed")) {
        killed.add(line);
      }
      if (trace != null) {
        trace.accept(line);
      }
    };
  }

  /** The processes of the last run that a signal ended, and why. */
  List<String> killed() {
    return List.copyOf(killed);
  }

  private void nothingIsLeft() {
    for (FrameUse use : List.of(FrameUse.ANONYMOUS, FrameUse.PAGE_CACHE, FrameUse.TABLE)) {
      assertThat(machine.memory().allocator().inUse(use)).as("%s left", use).isZero();
    }
    assertThat(machine.verify()).isEmpty();
  }

  /** Runs the same program by the host's kernel. */
  Result judge(String... words) throws IOException {
    List<String> command = new ArrayList<>(List.of(Judge.program("unshare").toString()));
    command.addAll(List.of("--mount", "--pid", "--fork", "--kill-child"));
    // The tests themselves may have been started with another priority, or signals ignored.
    command.addAll(List.of("nice", "-n", "-40", "nice", "-n", "20"));
    command.addAll(List.of("env", "-i", "--default-signal"));
    command.addAll(ENVIRONMENT);
    command.addAll(List.of("sh", "-c", UNDER_CHROOT));
    command.addAll(List.of(tree.toString(), folder.resolve("chroot").toString()));
    command.addAll(List.of(words));
    deleteStreams();
    Process process =
        Processes.builder(command.toArray(String[]::new))
            .redirectInput(input.toFile())
            .redirectOutput(output.toFile())
            .redirectError(errors.toFile())
            .start();
    try {
      return result(process.waitFor());
    } catch (InterruptedException e) {
      throw new IOException("interrupted", e);
    } finally {
      process.destroyForcibly();
    }
  }

  private void deleteStreams() throws IOException {
    Files.deleteIfExists(output);
    Files.deleteIfExists(errors);
  }

  private Result result(int status) throws IOException {
    return new Result(
        Files.readString(output, ISO_8859_1), Files.readString(errors, ISO_8859_1), status);
  }

  @Override
  public void close() throws IOException {
    processors.close();
    mount.close();
    machine.close();
    Folders.delete(folder);
  }

  /** Gives tests the one machine, which is made for the first of them. */
  static final class Shared implements BeforeEachCallback, ParameterResolver {
    private static DebianMachine of(ExtensionContext context) {
      return context
          .getRoot()
          .getStore(Namespace.create(DebianMachine.class))
          .getOrComputeIfAbsent("machine", _ -> make(context), DebianMachine.class);
    }

    private static DebianMachine make(ExtensionContext context) {
      try {
        Judge.kvm();
        DebianTree tree = DebianTree.of(context);
        Path folder = Files.createTempDirectory("xip-debian");
        boolean whole = false;
        try {
          for (String each : SOURCES) {
            tree.addSource(each);
          }
          DebianMachine made = new DebianMachine(folder, tree.path());
          Result tried = made.judge("/bin/true");
          Judge.needs(tried.status == 0, "root that may mount overlays: " + tried.errors.strip());
          whole = true;
          return made;
        } finally {
          if (!whole) {
            Folders.delete(folder);
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** Makes the machine here, where a requirement that is missing skips the test. */
    @Override
    public void beforeEach(ExtensionContext context) {
      of(context);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == DebianMachine.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return of(context);
    }
  }
}
