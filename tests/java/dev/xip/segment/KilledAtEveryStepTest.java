package dev.xip.segment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.phys.PhysicalMemory;
import dev.xip.testing.Folders;
import dev.xip.testing.ForkingJvm;
import dev.xip.testing.Strace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A process that changes a store is killed by SIGKILL where it enters each of the system calls that
 * name a path there. The calls are known from a process that ran to its end.
 */
class KilledAtEveryStepTest {
  private static final int SIGKILL = 9;

  private static ForkingJvm jvm;

  @TempDir(factory = Folders.InMemory.class)
  Path temp;

  static Stream<Situation> situations() {
    return Situation.all();
  }

  @BeforeAll
  static void mayTrace() throws IOException {
    Strace.require();
    jvm = ForkingJvm.start(Writer.class);
  }

  @AfterAll
  static void end() {
    if (jvm != null) {
      jvm.close();
    }
  }

  /** What a forked process does: it waits until it is traced, and then makes a change. */
  static final class Writer implements ForkingJvm.Work {
    @Override
    public void warmUp() throws IOException {
      for (StoreChange each : StoreChange.values()) {
        Path root = Files.createTempDirectory("xip-warm");
        each.prepare(root);
        each.prepareBesideUsers(root);
        each.run(root);
        Folders.delete(root);
      }
    }

    @Override
    public void run(List<String> args) throws IOException {
      Path root = Path.of(args.getFirst());
      while (!Files.exists(go(root))) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      }
      StoreChange.valueOf(args.getLast()).run(root);
    }

    static Path go(Path root) {
      return Path.of(root + ".go");
    }
  }

  @ParameterizedTest
  @MethodSource("situations")
  void aStoreIsWholeWhereverItsWriterIsKilled(Situation situation) throws Exception {
    Path root = temp.resolve("recorded");
    List<Strace.Call> calls = complete(situation, root);
    Set<Path> names = new TreeSet<>();
    calls.forEach(each -> each.pathsIn(root).map(root::relativize).forEach(names::add));
    Map<String, Integer> counts = new HashMap<>();
    int kills = 0;
    for (Strace.Call each : calls) {
      int count = counts.merge(each.name(), 1, Integer::sum);
      String where = "%s, killed where it entered %s, number %d".formatted(situation, each, count);
      try (PhysicalMemory memory = boot()) {
        Path killed = temp.resolve("killed" + kills++);
        SegmentLoader user = situation.prepare(killed, memory);
        Strace.Call last = kill(situation, killed, names, each.name(), count);
        assertThat(last.result()).as("the result of %s", last).startsWith("?");
        assertThat(last.name()).isEqualTo(each.name());
        assertThat(last.pathsIn(killed).map(killed::relativize))
            .isEqualTo(each.pathsIn(root).map(root::relativize).toList());
        judge(situation, killed, memory, user, false);
      } catch (IOException | RuntimeException | AssertionError e) {
        throw new AssertionError(where + ": " + e.getMessage(), e);
      }
    }
    System.err.printf("KilledAtEveryStepTest: %s: %d kills%n", situation, kills);
  }

  /** Lets the change finish and returns its system calls. */
  private List<Strace.Call> complete(Situation situation, Path root) throws IOException {
    try (PhysicalMemory memory = boot()) {
      SegmentLoader user = situation.prepare(root, memory);
      List<Strace.Call> calls = Strace.record(root, temp.resolve("log"), situation.command(root));
      judge(situation, root, memory, user, true);
      assertThat(calls.stream().filter(DiskSteps::isStep)).hasSizeGreaterThan(3);
      return calls;
    }
  }

  /** Returns the last call, which killed the process. */
  private static Strace.Call kill(
      Situation situation, Path root, Set<Path> names, String call, int count)
      throws IOException, InterruptedException {
    long pid = jvm.fork(root, situation.change());
    Path log = Path.of(root + ".log");
    List<Path> paths = names.stream().map(root::resolve).toList();
    Process strace = Strace.kill(pid, paths, call, count, log);
    Files.createFile(Writer.go(root));
    assertThat(jvm.waitFor(pid)).as("the signal that killed it").isEqualTo(SIGKILL);
    strace.waitFor();
    return Strace.calls(root, log).getLast();
  }

  private static PhysicalMemory boot() throws IOException {
    return PhysicalMemory.boot(16L << 30, 16L << 20);
  }

  private static void judge(
      Situation situation, Path root, PhysicalMemory memory, SegmentLoader user, boolean returned)
      throws IOException {
    try (PhysicalMemory another = boot()) {
      StoreJudge judge = new StoreJudge(situation.change(), root, another);
      judge.requireWhole(returned);
      judge.requireNextWriter();
      if (situation.used()) {
        judge.requireKept(user);
      }
      judge.requireClean();
    }
    Folders.delete(root);
  }
}
