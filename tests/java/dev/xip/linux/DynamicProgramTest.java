package dev.xip.linux;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.cpu.Processors;
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
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs of the host run out of an image in a segment; ld.so maps their libraries in place. */
class DynamicProgramTest {
  private static final List<String> PROGRAMS =
      List.of("/bin/dash", "/bin/cat", "/usr/bin/seq", "/usr/bin/expr", "/usr/bin/stat");

  @TempDir Path folder;
  private Machine machine;
  private Mount mount;
  private Processors processors;
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

  @BeforeEach
  void boot() throws IOException {
    Judge.kvm();
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (String each : PROGRAMS) {
      copy(tree, each);
      for (String library : libraries(each)) {
        copy(tree, library);
      }
    }
    Files.writeString(tree.resolve("poem"), "line of a poem\n".repeat(2000));
    Files.createSymbolicLink(tree.resolve("link"), Path.of("poem"));
    Path image = Images.ext2(tree);
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    SegmentName name = SegmentName.of("ROOT");
    store.define(store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image));
    machine = Machine.boot(MachineConfig.DEFAULT.withRam(64 << 20), store);
    mount = machine.mount(name);
    processors = Processors.boot(machine.memoryManager());
  }

  /** The paths in what ldd prints, the loader's among them. */
  private static List<String> libraries(String program) throws IOException {
    return Stream.of(Processes.run("ldd", program).out().split("\\s+"))
        .filter(word -> word.startsWith("/"))
        .toList();
  }

  private static void copy(Path tree, String file) throws IOException {
    Judge.needs(Files.exists(Path.of(file)), file + ", as Debian has it");
    Path to = tree.resolve(file.substring(1));
    Files.createDirectories(to.getParent());
    if (!Files.exists(to)) {
      Files.copy(Path.of(file).toRealPath(), to);
    }
  }

  @AfterEach
  void nothingIsLeft() throws IOException {
    if (processors != null) {
      assertThat(machine.memory().allocator().inUse(FrameUse.ANONYMOUS)).isZero();
      assertThat(machine.verify()).isEmpty();
      processors.close();
      mount.close();
      machine.close();
    }
  }

  private ProgramResult run(String... words) throws IOException {
    return Program.run(
        machine.memoryManager(),
        processors,
        mount,
        words[0],
        List.of(words),
        List.of("PATH=/usr/bin:/bin"),
        new StandardStreams(new ByteArrayInputStream(new byte[0]), output, errors));
  }

  private void isAsOnTheHost(String... words) throws IOException {
    output.reset();
    errors.reset();
    ProgramResult result = run(words);
    Processes.Output host = Processes.runAny(words);
    assertThat(result.reason()).isNull();
    assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo(host.out());
    assertThat(errors.toString(StandardCharsets.UTF_8)).isEqualTo(host.err());
    assertThat(result.status()).isEqualTo(host.exit());
  }

  @Test
  void programsGiveWhatTheyGiveOnTheHost() throws IOException {
    isAsOnTheHost("/usr/bin/seq", "1", "3000");
    isAsOnTheHost("/usr/bin/seq", "-f", "%.3f", "0.1", "0.7", "9");
    isAsOnTheHost("/usr/bin/expr", "6", "*", "7");
    isAsOnTheHost("/usr/bin/expr", "6", "/", "0");
    isAsOnTheHost("/bin/cat", "/no/such/file");
    isAsOnTheHost(
        "/bin/dash",
        "-c",
        "f() { n=$1; r=1; while [ $n -gt 1 ]; do r=$((r*n)); n=$((n-1)); done; echo $r; };"
            + " for i in 1 5 10 15; do f $i; done; echo ${0##*/}; exit 3");
  }

  @Test
  void aFileOfTheImageIsReadThroughALink() throws IOException {
    ProgramResult result = run("/bin/cat", "/link");
    assertThat(result.reason()).isNull();
    assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo("line of a poem\n".repeat(2000));
  }

  @Test
  void attributesAreThoseOfTheImage() throws IOException {
    ProgramResult result = run("/usr/bin/stat", "-c", "%s %F", "/poem");
    assertThat(errors.toString(StandardCharsets.UTF_8)).isEmpty();
    assertThat(output.toString(StandardCharsets.UTF_8)).isEqualTo("30000 regular file\n");
    assertThat(result.status()).isZero();
  }
}
