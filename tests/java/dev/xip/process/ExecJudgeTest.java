package dev.xip.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.testing.Images;
import dev.xip.testing.Judge;
import dev.xip.vm.AddressReader;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The host kernel as judge: it executes the same program with the same arguments, and /proc/PID of
 * that process agrees with ours: mappings, rights, offsets, every byte of every segment, arguments
 * and environment.
 */
@Timeout(120)
class ExecJudgeTest {
  @TempDir Path folder;

  /** The kernel's view of a running program. */
  private record Judged(List<String> maps, byte[] arguments, byte[] environment) {}

  @Test
  void theHostKernelLaysTheSameProgramOutTheSame() throws Exception {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Path program = Programs.compile(tree, "program", "-no-pie", "-static").toRealPath();
    List<String> arguments = List.of(program.toString(), "one", "", "drei vier");
    ProcessBuilder builder = new ProcessBuilder(arguments);
    builder.environment().clear();
    builder.environment().put("LANG", "C");
    Process real = builder.start();
    try (ProcessMachine machine = new ProcessMachine(Images.ext2(tree), FrameStrategy.SPECIAL_BIT);
        ModelledProcess ours = machine.process("judged")) {
      Path proc = Path.of("/proc/" + real.pid());
      awaitExec(proc, program);
      ours.exec(machine.open("program"), arguments, List.of("LANG=C"));
      Judged judged =
          new Judged(
              Files.readAllLines(proc.resolve("maps")),
              Files.readAllBytes(proc.resolve("cmdline")),
              Files.readAllBytes(proc.resolve("environ")));
      assertThat(strings(ours.arguments())).isEqualTo(judged.arguments);
      assertThat(strings(ours.environment())).isEqualTo(judged.environment);
      compareMappings(ours, judged.maps, program);
      compareBytes(ours, proc.resolve("mem"));
    } finally {
      real.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
    }
  }

  private static void awaitExec(Path proc, Path program) throws Exception {
    for (int i = 0; i < 1000; i++) {
      try {
        if (Files.readSymbolicLink(proc.resolve("exe")).equals(program)) {
          return;
        }
      } catch (IOException e) {
        Judge.needs(false, "a kernel that shows /proc/PID/exe: " + e);
      }
      Thread.sleep(5);
    }
    throw new AssertionError(program + " was not executed");
  }

  private static byte[] strings(List<String> texts) {
    StringBuilder all = new StringBuilder();
    texts.forEach(text -> all.append(text).append('\0'));
    return all.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Range, rights and offset of everything below the stack and the kernel's own pages. */
  private static void compareMappings(ModelledProcess ours, List<String> maps, Path program) {
    List<String> judged =
        maps.stream()
            .filter(line -> line.endsWith(program.toString()) || line.split(" +").length < 6)
            .map(line -> String.join(" ", Arrays.copyOf(line.split(" +"), 3)))
            .toList();
    List<Vma> found = ours.space().vmas();
    assertThat(found.subList(0, found.size() - 1))
        .extracting(
            vma ->
                "%08x-%08x %s %08x"
                    .formatted(
                        vma.range().start(),
                        vma.range().end(),
                        vma.access() + "p",
                        vma.isAnonymous() ? 0 : vma.pageOffset() << Pages.SHIFT))
        .containsExactlyElementsOf(judged);
  }

  private static void compareBytes(ModelledProcess ours, Path mem) throws IOException {
    AddressReader reader = new AddressReader(ours.space());
    List<Vma> vmas = ours.space().vmas();
    try (RandomAccessFile judge = new RandomAccessFile(mem.toFile(), "r")) {
      for (Vma vma : vmas.subList(0, vmas.size() - 1)) {
        AddrRange range = vma.range();
        byte[] expected = new byte[(int) range.length()];
        judge.seek(range.start());
        judge.readFully(expected);
        byte[] found = new byte[expected.length];
        reader.copy(range.start(), MemorySegment.ofArray(found), 0, found.length);
        assertThat(found).as("%s", vma).isEqualTo(expected);
      }
    }
  }
}
