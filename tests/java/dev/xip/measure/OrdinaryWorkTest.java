package dev.xip.measure;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.Era;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Verifier;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The work whose share of questions is measured does what it says, with every strategy. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class OrdinaryWorkTest {
  private Path image;

  @BeforeAll
  void pack(@TempDir Path folder) throws IOException {
    image = FivePercentBench.packed(folder);
  }

  @ParameterizedTest
  @EnumSource
  void aRunLeavesNoCountBehindWithAnyStrategy(OrdinaryWork work) throws IOException {
    for (FrameStrategy strategy : FrameStrategy.working()) {
      try (NormalPageMachine machine = FivePercentBench.boot(2, image)) {
        MemoryManager manager =
            machine.manager(
                strategy.on(machine.memory(), X8664Layout.INSTANCE), Era.LINUX_3_19.rules());
        OrdinaryWork.Inputs inputs = FivePercentBench.inputs(machine, image);
        long frames = machine.memory().allocator().inUse();
        try (OrdinaryWork.Scene scene = work.on(manager, inputs)) {
          scene.prepare();
          scene.run();
          scene.prepare();
          assertThat(Verifier.verify(manager)).as(strategy.toString()).isEmpty();
        }
        assertThat(manager.badEntries().count()).isZero();
        assertThat(machine.memory().allocator().inUse()).isEqualTo(frames);
      }
    }
  }

  @Test
  void theStrategyIsAskedAboutEveryPageAtForkAndAtItsEnd() throws IOException {
    Map<OrdinaryWork, Double> questions = new EnumMap<>(OrdinaryWork.class);
    try (NormalPageMachine machine = FivePercentBench.boot(2, image)) {
      OrdinaryWork.Inputs inputs = FivePercentBench.inputs(machine, image);
      for (OrdinaryWork work : OrdinaryWork.values()) {
        questions.put(work, FivePercentBench.questions(machine, work, inputs));
      }
    }
    assertThat(questions.get(OrdinaryWork.FORK_EXIT)).isEqualTo(2);
    assertThat(questions.get(OrdinaryWork.FORK_EXIT_FILE)).isEqualTo(2);
    assertThat(questions.get(OrdinaryWork.FAULTS)).isEqualTo(1);
    assertThat(questions.get(OrdinaryWork.FAULTS_FILE)).isEqualTo(1);
    assertThat(questions.get(OrdinaryWork.COPIES)).isEqualTo(2);
    // The pages of the old program, and some of the new stack through get_user_pages.
    assertThat(questions.get(OrdinaryWork.EXEC)).isBetween(1.0, 1.1);
  }

  @Test
  void theRowOfSeveralProcessesHasTheMedianOfEachNumber() {
    List<FivePercentRow> rows =
        List.of(
            new FivePercentRow("faults", "flat", 1, 3, 1, 2, 5, -1),
            new FivePercentRow("faults", "flat", 1, 1, 3, 2, 4, 9),
            new FivePercentRow("faults", "flat", 1, 2, 2, 2, 6, 2));
    assertThat(FivePercentRow.median(rows))
        .isEqualTo(new FivePercentRow("faults", "flat", 1, 2, 2, 2, 5, 2));
  }

  @Test
  void aRowIsReadBackAsItWas() {
    FivePercentRow row =
        new FivePercentRow("fork + exit, anonymous", "sparse", 64, 51.5, 1.25, 2, 4.75, -0.5);
    assertThat(FivePercentRow.ofLine(row.toLine())).isEqualTo(row);
  }
}
