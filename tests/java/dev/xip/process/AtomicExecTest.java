package dev.xip.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.xip.base.SleepingInAtomicException;
import dev.xip.file.InPlaceFile;
import dev.xip.phys.FrameUse;
import dev.xip.testing.Images;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Property 3, and objection (a) of January 2008: exec gets the pages of its arguments through
 * get_user_pages, which asks under the entry lock whether there is a page frame. If that takes a
 * mutex, it may sleep in atomic context, in every process, whatever it maps.
 */
class AtomicExecTest {
  @TempDir static Path folder;
  private static Path packed;

  @BeforeAll
  static void packAProgram() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    Programs.compile(tree, "program", "-no-pie", "-static");
    packed = Images.ext2(tree);
  }

  @ParameterizedTest
  @EnumSource(names = {"MEM_SEGS_POSTED", "MEM_SEGS_CORRECTED", "MEM_SEGS_MUTEX"})
  void theMutexMakesExecSleepInAtomicContext(FrameStrategy strategy) throws IOException {
    ProcessMachine machine = new ProcessMachine(packed, strategy);
    try {
      ModelledProcess process = machine.process("init");
      InPlaceFile program = machine.open("program");
      Throwable bug = catchThrowable(() -> process.exec(program, List.of("program"), List.of()));
      assertThat(bug)
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContaining("sleeping function called from invalid context")
          .hasMessageContainingAll("vmem_mutex", "in_atomic():1");
      List<String> calls =
          Arrays.stream(bug.getStackTrace()).map(StackTraceElement::getMethodName).toList();
      assertThat(calls.reversed())
          .containsSubsequence(
              "exec",
              "copyStrings",
              "getArgPage",
              "getUserPages",
              "followPage",
              "normalFrame",
              "pfnValid",
              "pfnInSharedMemory",
              "mutexLock");
      assertThat(process.space().vmas()).as("it happened on the new stack alone").isEmpty();
      assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS))
          .as("the one page of arguments that exec got as far as")
          .isEqualTo(1);
    } finally {
      // The space of that exec cannot even be closed: exit asks the same question.
      machine.halt();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.xip.vm.FrameStrategy#working")
  void withAStrategyThatWorksExecRuns(FrameStrategy strategy) throws IOException {
    try (ProcessMachine machine = new ProcessMachine(packed, strategy);
        ModelledProcess process = machine.process("init")) {
      process.exec(machine.open("program"), List.of("program", "argument"), List.of("PATH=/"));
      assertThat(process.arguments()).containsExactly("program", "argument");
      assertThat(process.environment()).containsExactly("PATH=/");
      try (ModelledProcess child = process.fork("child")) {
        assertThat(child.arguments()).containsExactly("program", "argument");
      }
      machine.verify();
    }
  }
}
