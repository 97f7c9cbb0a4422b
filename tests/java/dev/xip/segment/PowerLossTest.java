package dev.xip.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.phys.PhysicalMemory;
import dev.xip.testing.Folders;
import dev.xip.testing.Strace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every folder that a power loss could leave, after any system call of a change, is rebuilt from
 * the calls that were recorded, and opened.
 */
class PowerLossTest {
  @TempDir(factory = Folders.InMemory.class)
  Path temp;

  private PhysicalMemory memory;
  private int rebuilt;

  static Stream<Situation> situations() {
    return Situation.all();
  }

  @BeforeAll
  static void mayTrace() throws IOException {
    Strace.require();
  }

  @BeforeEach
  void boot() throws IOException {
    memory = PhysicalMemory.boot(16L << 30, 16L << 20);
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @ParameterizedTest
  @MethodSource("situations")
  void aStoreIsWholeWheneverThePowerIsLost(Situation situation) throws IOException {
    List<DiskStep> steps = record(situation);
    assertThat(broken(situation, steps)).isEmpty();
    System.err.printf(
        "PowerLossTest: %s: %d steps, %d folders%n", situation, steps.size(), rebuilt);
  }

  /** Checks the check: a store that forced less would be found out. */
  @ParameterizedTest
  @EnumSource(names = {"DEFINE_COPY", "DEFINE_MOVED", "SAVE_COPY", "SAVE_MOVED", "SAVE_MEMORY"})
  void aStoreIsBrokenIfAnythingIsNotForced(StoreChange change) throws IOException {
    Situation situation = new Situation(change, false);
    List<DiskStep> steps = record(situation);
    int dropped = 0;
    for (int i = 0; i < steps.size(); i++) {
      if (steps.get(i) instanceof DiskStep.Sync) {
        List<DiskStep> fewer = new ArrayList<>(steps);
        fewer.remove(i);
        assertThat(broken(situation, fewer)).as("step %d, %s", i, steps.get(i)).isPresent();
        dropped++;
      }
    }
    assertThat(dropped).isGreaterThanOrEqualTo(4);
  }

  /** Lets the change finish, keeps a copy of the folder before it, and returns the steps. */
  private List<DiskStep> record(Situation situation) throws IOException {
    Path root = temp.resolve("recorded");
    SegmentLoader user = situation.prepare(root, memory);
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.toList()) {
        Files.copy(path, before().resolve(root.relativize(path)));
      }
    }
    List<DiskStep> steps =
        DiskSteps.of(Strace.record(root, temp.resolve("log"), situation.command(root)), root);
    if (situation.used()) {
      user.unload(StoreChange.A);
    }
    return steps;
  }

  private Path before() {
    return temp.resolve("before");
  }

  /** Rebuilds each folder that the steps could leave until one is broken, and says how. */
  private Optional<String> broken(Situation situation, List<DiskStep> steps) throws IOException {
    Disk disk = Disk.of(before());
    if (situation.change().moves()) {
      disk.unforced(before().relativize(StoreChange.source(before())));
    }
    Set<Disk.Remains> seen = new HashSet<>();
    for (int i = 0; i <= steps.size(); i++) {
      boolean returned = i == steps.size();
      for (Disk.Remains each : disk.afterPowerLoss()) {
        if (seen.add(each) || returned) {
          try {
            judge(situation, each, returned);
          } catch (AssertionError | SegmentException e) {
            return Optional.of(
                "%s: power lost before step %d of %s left %s: %s"
                    .formatted(situation, i, steps, each, e));
          }
        }
      }
      if (!returned) {
        disk.apply(steps.get(i));
      }
    }
    return Optional.empty();
  }

  private void judge(Situation situation, Disk.Remains remains, boolean returned)
      throws IOException {
    Path root = Files.createDirectory(temp.resolve("rebuilt" + rebuilt++));
    remains.writeTo(root);
    StoreJudge judge = new StoreJudge(situation.change(), root, memory);
    judge.requireWhole(returned);
    judge.requireNextWriter();
    judge.requireClean();
    Folders.delete(root);
  }
}
