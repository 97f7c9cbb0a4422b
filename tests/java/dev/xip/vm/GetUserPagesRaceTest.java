package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Frames are taken, with and without locks, while other threads store, discard, unmap and fork:
 * each frame is the page of its address, and no reference is lost.
 */
@Timeout(120)
class GetUserPagesRaceTest {
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());
  private static final long START = 0x4000_0000;
  private static final int PAGES = 16;
  private static final int STEPS = 40_000;

  @Test
  void aFrameTakenDuringARaceIsThatOfItsAddress() throws Exception {
    System.err.println("GetUserPagesRaceTest: -Dxip.seed=" + SEED);
    try (TestMachine machine = new TestMachine();
        ExecutorService others = Executors.newFixedThreadPool(2)) {
      AddressSpace space = machine.space("raced");
      TestMachine.map(space, START, PAGES, TestMachine.ANONYMOUS, null);
      AtomicBoolean over = new AtomicBoolean();
      Future<?> changing = others.submit(() -> change(space, new Random(SEED), over));
      Future<?> taking = others.submit(() -> take(space, new Random(SEED + 1), over));
      try {
        take(space, new Random(SEED + 2), over);
      } finally {
        over.set(true);
        changing.get();
        taking.get();
      }
    }
  }

  /** Each page holds its own address, or zeros. */
  private static void take(AddressSpace space, Random random, AtomicBoolean over) {
    GetUserPages pages = space.getUserPages();
    MemorySegment window = space.manager().memory().window();
    long[] pfns = new long[4];
    for (int i = 0; i < STEPS && !over.get(); i++) {
      int first = random.nextInt(PAGES - pfns.length);
      long va = START + first * Pages.SIZE;
      boolean write = random.nextBoolean();
      int got;
      try {
        got =
            random.nextInt(4) == 0
                ? pages.getUserPages(va, pfns.length, write, false, pfns)
                : pages.getUserPagesFast(va, pfns.length, write, pfns);
      } catch (MapException unmapped) {
        assertThat(unmapped.errno()).isEqualTo(Errno.EFAULT);
        continue;
      }
      for (int page = 0; page < got; page++) {
        long word = window.get(ValueLayout.JAVA_LONG, pfns[page] << Pages.SHIFT);
        space.manager().memory().allocator().put(pfns[page]);
        assertThat(word).as("step %d", i).isIn(0L, va + page * Pages.SIZE);
      }
    }
  }

  private static void change(AddressSpace space, Random random, AtomicBoolean over) {
    AddressWriter writer = new AddressWriter(space);
    AddrRange hole = AddrRange.ofLength(START + 4 * Pages.SIZE, 2 * Pages.SIZE);
    for (int i = 0; i < STEPS && !over.get(); i++) {
      long va = START + random.nextInt(PAGES) * Pages.SIZE;
      int what = random.nextInt(16);
      assertThatCode(
              () -> {
                if (what == 0) {
                  space.unmap(hole);
                  TestMachine.map(space, Vma.anonymous(hole, TestMachine.ANONYMOUS));
                } else if (what == 1) {
                  space.fork("child").close();
                } else if (what < 8) {
                  space.advise(AddrRange.ofLength(va, Pages.SIZE), Advice.DONTNEED);
                } else {
                  writer.putLong(va, va);
                }
              })
          .doesNotThrowAnyException();
    }
  }
}
