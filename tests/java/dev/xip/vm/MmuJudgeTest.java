package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.testing.Judge;
import java.io.IOException;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/**
 * The processor's MMU as judge: in random histories user mode makes each load and store, and it
 * sees what the host kernel sees and what a reader sees. In between it fetches instructions, and
 * accessed and dirty bits are cleared.
 *
 * <p>{@code -Dxip.seed=S -Dxip.histories=1} repeats the history that failed.
 */
class MmuJudgeTest {
  private static final int FILE_PAGES = 8;

  /** Sixty steps each, and at their end a load of each page of each process. */
  private static final int HISTORIES = 180;

  private static final int STEPS_AT_LEAST = 10_000;

  @Test
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
  void theMmuSeesWhatTheHostKernelAndTheReaderSee() throws IOException {
    Judge.kvm();
    int histories = Integer.getInteger("xip.histories", HISTORIES);
    long seed = Long.getLong("xip.seed", new Random().nextLong());
    System.out.printf("MmuJudgeTest: -Dxip.seed=%d%n", seed);
    long judged = 0;
    TestMachine booted = new TestMachine();
    UserMode user = new UserMode(booted.manager);
    try (HostJudge host = new HostJudge();
        JudgedMachine machine = new JudgedMachine(booted, user)) {
      for (int i = 0; i < histories; i++) {
        user.seed(seed + i);
        judged += HostKernelJudgeTest.compare(seed + i, host, machine);
      }
    }
    if (histories == HISTORIES) {
      assertThat(judged).as("steps judged").isGreaterThan(STEPS_AT_LEAST);
    }
  }
}
