package dev.xip.process;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.file.InPlaceFile;
import dev.xip.testing.Images;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.PinnedPages;
import dev.xip.vm.Vma;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random histories of processes: start, exec, fork, store, get_user_pages, exit. A process always
 * finds its own arguments on its stack and its own words in its data.
 */
class ProcessHistoryTest {
  private static final int STEPS = Boolean.getBoolean("xip.stress") ? 100_000 : 2_000;
  private static final int MOST = 6;

  @TempDir static Path folder;
  private static Path packed;

  private final Random random = new Random();
  private final List<Life> lives = new ArrayList<>();

  /** A process with its expected contents. */
  private record Life(ModelledProcess process, List<String> arguments, Map<Long, Long> words) {}

  @BeforeAll
  static void packAProgram() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Programs.compile(tree, "program", "-no-pie", "-static");
    packed = Images.ext2(tree);
  }

  @ParameterizedTest
  @MethodSource("dev.xip.vm.FrameStrategy#working")
  void eachProcessKeepsItsOwnAndAllGoesBackToZero(FrameStrategy strategy) throws IOException {
    long seed = Long.getLong("xip.seed", System.nanoTime());
    random.setSeed(seed);
    try (ProcessMachine machine = new ProcessMachine(packed, strategy)) {
      InPlaceFile program = machine.open("program");
      for (int i = 1; i <= STEPS; i++) {
        step(machine, program);
        if (i % 500 == 0) {
          machine.verify();
        }
      }
      for (Life each : lives) {
        requireItsOwn(each);
        each.process.close();
      }
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("repeat with -Dxip.seed=" + seed, e);
    }
  }

  private void step(ProcessMachine machine, InPlaceFile program) throws IOException {
    int choice = random.nextInt(100);
    if (lives.isEmpty() || choice < 10 && lives.size() < MOST) {
      ModelledProcess process = machine.process("process");
      lives.add(exec(process, program));
      return;
    }
    Life life = lives.get(random.nextInt(lives.size()));
    if (choice < 25) {
      lives.remove(life);
      lives.add(exec(life.process, program));
    } else if (choice < 35 && lives.size() < MOST) {
      lives.add(new Life(life.process.fork("child"), life.arguments, new HashMap<>(life.words)));
    } else if (choice < 70) {
      store(life);
    } else if (choice < 85) {
      pin(life);
    } else if (choice < 92) {
      requireItsOwn(life);
    } else {
      lives.remove(life);
      life.process.exit();
    }
  }

  private Life exec(ModelledProcess process, InPlaceFile program) throws ExecException {
    List<String> arguments = new ArrayList<>();
    for (int i = random.nextInt(5); i >= 0; i--) {
      arguments.add(Integer.toString(random.nextInt(), 36).repeat(1 + random.nextInt(800)));
    }
    process.exec(program, arguments, List.of("HOME=/"));
    return new Life(process, arguments, new HashMap<>());
  }

  /** An address in memory that the process may write: its data or its stack's lowest page. */
  private long anyWritable(Life life) {
    List<Vma> writable =
        life.process.space().vmas().stream().filter(vma -> vma.access().write()).toList();
    Vma vma = writable.getFirst();
    long words = vma.range().length() / 8;
    return vma.range().start() + 8 * random.nextLong(words);
  }

  private void store(Life life) throws IOException {
    long va = anyWritable(life);
    long value = random.nextLong();
    new AddressWriter(life.process.space()).putLong(va, value);
    life.words.put(va, value);
  }

  private void pin(Life life) throws IOException {
    long va = anyWritable(life);
    long[] word = new long[1];
    try (PinnedPages pinned = life.process.space().getUserPages().pin(va, 1, true, false)) {
      long expected = new AddressReader(life.process.space()).getLong(va);
      pinned.read(0, va & 0xfff, MemorySegment.ofArray(word));
      assertThat(word[0]).isEqualTo(expected);
    }
  }

  private static void requireItsOwn(Life life) throws IOException {
    assertThat(life.process.arguments()).isEqualTo(life.arguments);
    AddressReader reader = new AddressReader(life.process.space());
    for (Map.Entry<Long, Long> word : life.words.entrySet()) {
      assertThat(reader.getLong(word.getKey())).isEqualTo(word.getValue());
    }
  }
}
