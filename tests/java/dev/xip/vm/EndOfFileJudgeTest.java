package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The host kernel and our file agree on every byte around the end of a file: stored through a
 * mapping or written, in front of the end or behind it, while the file is cut and grows.
 */
class EndOfFileJudgeTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final int HISTORIES = 200;
  private static final int STEPS = 60;
  private static final int PAGES = 3;

  /** MAP_FIXED in a step of the judge's protocol. */
  private static final int FIXED = 0x10;

  @ParameterizedTest
  @ValueSource(strings = {"s file", "S cached"})
  @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = ThreadMode.SEPARATE_THREAD)
  void theHostKernelSeesTheSameBytesAroundTheEnd(String kindAndFile) throws IOException {
    String kind = kindAndFile.substring(0, 1);
    String file = kindAndFile.substring(2);
    System.err.println("EndOfFileJudgeTest: -Dxip.seed=" + SEED);
    Random random = new Random(SEED);
    try (HostJudge host = new HostJudge();
        JudgedMachine machine = new JudgedMachine(new TestMachine())) {
      for (int history = 0; history < HISTORIES; history++) {
        host.perform("reset 1");
        machine.reset(1);
        List<String> told = new ArrayList<>();
        compare("0 map 0 %d 3 %s 0 %d".formatted(PAGES, kind, FIXED), host, machine, told);
        for (int step = 0; step < STEPS; step++) {
          compare("0 " + draw(random, file), host, machine, told);
        }
      }
    }
  }

  /** Few places, so that stored words are read. */
  private static String draw(Random random, String file) {
    long page = random.nextInt(PAGES);
    int inPage = 500 * random.nextInt(9) + random.nextInt(2);
    long offset = page * Pages.SIZE + inPage;
    int value = 1 + random.nextInt(255);
    return switch (random.nextInt(9)) {
      case 0, 1, 2 -> "write %d %d %d".formatted(page, inPage, value);
      case 3, 4, 5 -> "read %d %d".formatted(page, inPage);
      case 6 -> file + " truncate " + offset;
      case 7 -> "%s write %d %d".formatted(file, offset, value);
      default -> file + " read " + offset;
    };
  }

  private static void compare(String step, HostJudge host, JudgedMachine machine, List<String> told)
      throws IOException {
    told.add(step);
    assertThat(machine.perform(step))
        .as("seed %d, after %s", SEED, told)
        .isEqualTo(host.perform(step));
  }
}
