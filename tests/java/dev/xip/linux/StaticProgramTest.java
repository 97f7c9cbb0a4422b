package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.bindings.PteBits;
import dev.xip.cpu.Processors;
import dev.xip.host.HostFile;
import dev.xip.host.HostStream;
import dev.xip.machine.Machine;
import dev.xip.machine.MachineConfig;
import dev.xip.machine.Mount;
import dev.xip.phys.FrameUse;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import dev.xip.vfs.RamTree;
import dev.xip.vfs.Vfs;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Debian's static busybox runs out of an image in a segment, and the host runs the same file. */
class StaticProgramTest {
  @TempDir Path folder;
  private Path busybox;
  private Machine machine;
  private Mount mount;
  private Processors processors;

  @BeforeEach
  void boot() throws IOException {
    Judge.kvm();
    busybox = Judge.program("busybox");
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Files.copy(busybox, tree.resolve("busybox"));
    Path image = Images.ext2(tree);
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    SegmentName name = SegmentName.of("ROOT");
    store.define(store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image));
    machine = Machine.boot(MachineConfig.DEFAULT.withRam(64 << 20), store);
    mount = machine.mount(name);
    processors = Processors.boot(machine.memoryManager());
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    if (processors != null) {
      assertThat(machine.memory().allocator().inUse(FrameUse.ANONYMOUS)).isZero();
      assertThat(machine.memory().allocator().inUse(FrameUse.TABLE)).isZero();
      assertThat(machine.verify()).isEmpty();
      close();
    }
  }

  private void close() throws IOException {
    processors.close();
    mount.close();
    machine.close();
    processors = null;
  }

  private ProgramResult run(String input, String... arguments) throws IOException {
    ProgramResult result = run(input, null, arguments);
    assertThat(result.account().wrong()).isEmpty();
    return result;
  }

  private ProgramResult run(String input, Consumer<String> maps, String... arguments)
      throws IOException {
    List<String> words = new ArrayList<>(List.of("busybox"));
    words.addAll(List.of(arguments));
    Files.deleteIfExists(folder.resolve("output"));
    Files.deleteIfExists(folder.resolve("errors"));
    Files.writeString(folder.resolve("input"), input);
    try (HostFile in = HostFile.openReadOnly(folder.resolve("input"));
        HostFile out = HostFile.create(folder.resolve("output"), 0600);
        HostFile err = HostFile.create(folder.resolve("errors"), 0600);
        Vfs files = new Vfs(RamTree.over(mount.image(), mount::open, machine.pageCache(), 1))) {
      StandardStreams streams =
          new StandardStreams(HostStream.of(in), HostStream.of(out), HostStream.of(err), null);
      return new Program("/busybox", words, List.of("PATH=/bin", "HOME=/"), streams, null)
          .withAccount(maps)
          .run(machine.memoryManager(), processors, files);
    }
  }

  private String output() throws IOException {
    return Files.readString(folder.resolve("output"));
  }

  private String errors() throws IOException {
    return Files.readString(folder.resolve("errors"));
  }

  @Test
  void echoWritesItsArguments() throws IOException {
    ProgramResult result = run("", "echo", "out", "of", "a", "segment");
    assertThat(result.reason()).isNull();
    assertThat(output()).isEqualTo("out of a segment\n");
    assertThat(result.status()).isZero();
    assertThat(errors()).isEmpty();
    assertThat(result.missing()).doesNotContainKeys(1, 9, 12);
  }

  @Test
  void aShellRunsALoopAsOnTheHost() throws IOException {
    String script =
        """
        i=0; sum=0
        while [ $i -lt 2000 ]; do i=$((i+1)); sum=$((sum+i*i%7)); done
        echo "$i $sum"; printf '%05d|%s\\n' $sum "${HOME:-none}"
        case $sum in *1*) echo one;; *) echo other;; esac
        exit 7
        """;
    ProgramResult result = run("", "sh", "-c", script);
    Processes.Output host =
        Processes.runAny("env", "-i", "HOME=/", busybox.toString(), "sh", "-c", script);
    assertThat(result.missing()).isEmpty();
    assertThat(output()).isEqualTo(host.out());
    assertThat(result.status()).isEqualTo(host.exit()).isEqualTo(7);
  }

  @Test
  void noPageOfTextHasAFrame() throws IOException {
    RunAccount.Entries entries = run("", "echo", "x").account().entries();
    assertThat(entries.specialText()).isPositive();
    assertThat(entries.textFrames()).isZero();
    assertThat(entries.cached()).isZero();
  }

  @Test
  void anEntryOfTextThatIsNotSpecialIsReportedWithItsAddress() throws IOException {
    long[] address = new long[1];
    ProgramResult result = run("", smaps -> address[0] = makeOneNormal(), "true");
    assertThat(result.account().wrong().getFirst()).contains("0x%x".formatted(address[0]));
    assertThat(machine.verify()).isNotEmpty();
    close();
  }

  /** Clears the special bit of an entry of text while no processor uses the table. */
  private long makeOneNormal() {
    AddressSpace space = machine.memoryManager().spaces().getFirst();
    Vma text = space.vmas().stream().filter(v -> v.access().execute()).findFirst().orElseThrow();
    long[] found = new long[2];
    space
        .table()
        .forEach(
            text.range().start(),
            text.range().end(),
            (va, level, slot, pte) -> {
              found[0] = va;
              found[1] = slot;
            });
    space.table().set(found[1], space.table().get(found[1]) & ~PteBits.XIP_X86_64_SPECIAL());
    return found[0];
  }

  @Test
  void standardInputIsRead() throws IOException {
    byte[] bytes = new byte[300_000];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) ('a' + i % 23);
    }
    String text = new String(bytes, StandardCharsets.US_ASCII);
    ProgramResult result = run(text, "sha256sum");
    Path file = folder.resolve("input");
    String sum = Processes.run("sha256sum", file.toString()).out();
    assertThat(output()).isEqualTo(sum.substring(0, 64) + "  -\n");
    assertThat(result.status()).isZero();
  }

  @Test
  void aCommandThatDoesNotExistIsSaidSo() throws IOException {
    ProgramResult result = run("", "no-such-applet");
    assertThat(result.status()).isEqualTo(127);
    assertThat(errors()).contains("applet not found");
  }
}
