package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.RegionFrames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The host kernel and our machine perform the same histories, step for step: bytes seen, accesses
 * refused by signals, errors of calls, sharing after fork, rights and offsets of every page.
 *
 * <p>{@code -Dxip.seed=S -Dxip.histories=1} repeats the history that failed.
 */
class HostKernelJudgeTest {
  private static final int STEPS = 60;
  private static final int FILE_PAGES = 8;

  /** The host's answer for a range that is not one mapping there; the step does nothing then. */
  private static final String MANY = "many";

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
  void theHostKernelSeesTheSameInRandomHistories() throws IOException {
    judge(new TestMachine(), Integer.getInteger("xip.histories", 1000));
  }

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
  void theHostKernelSeesTheSameWithoutTheSpecialBit() throws IOException {
    judge(
        new TestMachine(
            X8664Of2008Layout.INSTANCE,
            FrameStrategy.SORTED_ARRAY,
            Rules.DEFAULT
                .without(
                    Rule.FORK_WALKS_MIXED_MAPS,
                    Rule.FAULT_HOLDS_FILE_LOCK,
                    Rule.SPARSE_PAGE_GUARDED,
                    Rule.HUGE_LEAVES,
                    Rule.FORK_FLUSHES_FOR_CHANGES)
                .with(Rule.PRIVATE_HOLE_COPIED_AT_ONCE, Rule.PRIVATE_STORE_COPIES_AT_ONCE)
                .withFaultAround(1)),
        Integer.getInteger("xip.histories", 100));
  }

  @ParameterizedTest
  @EnumSource(names = {"DEVMAP", "COUNTED"})
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
  void theHostKernelSeesTheSameWithPageFramesForTheDevice(RegionFrames kind) throws IOException {
    judge(
        new TestMachine(X8664Layout.INSTANCE, Rules.DEFAULT, kind),
        Integer.getInteger("xip.histories", 50));
  }

  private void judge(TestMachine booted, int histories) throws IOException {
    long seed = Long.getLong("xip.seed", new Random().nextLong());
    long judged = 0;
    try (HostJudge host = new HostJudge();
        JudgedMachine machine = new JudgedMachine(booted)) {
      for (int i = 0; i < histories; i++) {
        judged += compare(seed + i, host, machine);
      }
    }
    assertThat(judged).as("steps judged").isGreaterThan(histories * (STEPS * 9L / 10));
  }

  static long compare(long seed, HostJudge host, JudgedMachine machine) throws IOException {
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
    return history.size();
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
