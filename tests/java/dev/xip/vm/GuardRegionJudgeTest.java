package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/**
 * The host kernel and our machine make the same guard regions in anonymous memory, private and
 * shared, step for step. {@code -Dxip.seed=S -Dxip.histories=1} repeats the history that failed.
 */
class GuardRegionJudgeTest {
  private static final int STEPS = 50;
  private static final int INSTALL = 102;
  private static final int[] ADVICE = {INSTALL, INSTALL, INSTALL, 103, 103, 4, 4, 3};

  private final Random random = new Random();
  private int processes;

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
  void theHostKernelSeesTheSameGuardRegions() throws IOException {
    long first = Long.getLong("xip.seed", random.nextLong());
    try (HostJudge host = new HostJudge();
        JudgedMachine machine = new JudgedMachine(new TestMachine(Era.LINUX_6_19.rules()))) {
      host.perform("reset 1");
      host.perform("0 map 0 1 3 a 0 16");
      assumeThat(host.perform("0 advise 0 1 " + INSTALL))
          .as("madvise(MADV_GUARD_INSTALL) on this host")
          .isEqualTo("ok");
      for (int i = 0; i < Integer.getInteger("xip.histories", 200); i++) {
        compare(first + i, host, machine);
      }
    }
  }

  private void compare(long seed, HostJudge host, JudgedMachine machine) throws IOException {
    random.setSeed(seed);
    processes = 1;
    host.perform("reset 1");
    machine.reset(1);
    List<String> history = new ArrayList<>();
    for (int i = 0; i < STEPS; i++) {
      compare(seed, next(), host, machine, history);
    }
    for (int process = 0; process < processes; process++) {
      compare(seed, process + " maps", host, machine, history);
      compare(seed, process + " sum", host, machine, history);
    }
  }

  private static void compare(
      long seed, String step, HostJudge host, JudgedMachine machine, List<String> history)
      throws IOException {
    history.add(step);
    assertThat(machine.perform(step))
        .as("-Dxip.seed=%d -Dxip.histories=1, after%n  %s", seed, String.join("\n  ", history))
        .isEqualTo(host.perform(step));
  }

  private String next() {
    int process = random.nextInt(processes);
    int choice = random.nextInt(20);
    String step =
        choice < 3
            ? "map %s %d %c 0 16"
                .formatted(range(), random.nextInt(4) == 0 ? 1 : 3, "aaA".charAt(random.nextInt(3)))
            : choice < 6
                ? "write %d 1 %d".formatted(slot(), random.nextInt(256))
                : choice < 8
                    ? "read %d 1".formatted(slot())
                    : choice < 15
                        ? "advise %s %d".formatted(range(), ADVICE[random.nextInt(ADVICE.length)])
                        : choice < 16 ? "unmap %s 0".formatted(range()) : rare(choice);
    return process + " " + step;
  }

  private String rare(int choice) {
    if (choice == 16 && processes < JudgedMachine.PROCESSES) {
      return "fork " + processes++;
    }
    // Which zero pages a fork copies, and so what mincore tells then, differs between releases.
    return choice < 19 || processes > 1
        ? "protect %s %d".formatted(range(), random.nextInt(2) == 0 ? 1 : 3)
        : "incore %s 0".formatted(range());
  }

  private int slot() {
    return random.nextInt(12);
  }

  private String range() {
    return slot() + " " + (1 + random.nextInt(5));
  }
}
