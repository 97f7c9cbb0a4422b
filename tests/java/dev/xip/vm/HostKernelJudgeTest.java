package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * The host kernel and our machine perform the same histories, step for step: bytes seen, accesses
 * refused by signals, errors of calls, sharing after fork, rights and offsets of every page.
 *
 * <p>{@code -Dxip.seed=S -Dxip.histories=1} repeats the history that failed.
 */
class HostKernelJudgeTest {
  private static final int STEPS = 60;
  private static final int FILE_PAGES = 8;

  /** The host's word for a range that it does not keep as one mapping; nothing is done then. */
  private static final String MANY = "many";

  @TempDir Path folder;

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
  void theHostKernelSeesTheSameInRandomHistories() throws IOException {
    long seed = Long.getLong("xip.seed", new Random().nextLong());
    int histories = Integer.getInteger("xip.histories", 1000);
    long[] judged = new long[1];
    try (HostJudge host = new HostJudge(folder);
        JudgedMachine machine = new JudgedMachine()) {
      for (int i = 0; i < histories; i++) {
        compare(seed + i, host, machine, judged);
      }
    }
    assertThat(judged[0]).as("steps judged").isGreaterThan(histories * (STEPS * 9L / 10));
  }

  private static void compare(long seed, HostJudge host, JudgedMachine machine, long[] judged)
      throws IOException {
    host.perform("reset " + FILE_PAGES);
    machine.reset(FILE_PAGES);
    JudgedSteps steps = new JudgedSteps(new Random(seed), machine);
    List<String> history = new ArrayList<>();
    for (int i = 0; i < STEPS; i++) {
      compare(seed, steps.next(), host, machine, history);
    }
    for (int process = 0; process < steps.processes(); process++) {
      compare(seed, process + " maps", host, machine, history);
      compare(seed, process + " sum", host, machine, history);
    }
    judged[0] += history.size();
  }

  private static void compare(
      long seed, String step, HostJudge host, JudgedMachine machine, List<String> history)
      throws IOException {
    String seen = host.perform(step);
    if (seen.equals(MANY)) {
      return;
    }
    history.add(step);
    String ours;
    try {
      ours = machine.perform(step);
    } catch (RuntimeException | Error e) {
      throw new AssertionError(told(seed, history), e);
    }
    if (!ours.equals(seen)) {
      throw new AssertionError(
          "%s%nthe host kernel: %s%nours:            %s"
              .formatted(told(seed, history), seen, ours));
    }
  }

  private static String told(long seed, List<String> history) {
    return "-Dxip.seed=%d -Dxip.histories=1, after%n  %s"
        .formatted(seed, String.join(System.lineSeparator() + "  ", history));
  }
}
