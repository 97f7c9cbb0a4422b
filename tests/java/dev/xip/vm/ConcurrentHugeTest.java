package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Huge leaves are inserted, split and removed while other threads read, store and fork. */
class ConcurrentHugeTest {
  static final List<EntryLayout> LAYOUTS = HugeLeavesTest.LAYOUTS;

  private static final long AT = 1L << 32;
  private static final int ROUNDS = Boolean.getBoolean("xip.stress") ? 20_000 : 1_000;
  private static final long SEED = Long.getLong("xip.seed", System.nanoTime());

  /** One round of one thread. */
  private interface Round {
    void run(Random random) throws Exception;
  }

  private static Callable<Void> rounds(int thread, Round round) {
    return () -> {
      Random random = new Random(SEED + thread);
      for (int i = 0; i < ROUNDS; i++) {
        round.run(random);
      }
      return null;
    };
  }

  private static long at(int page) {
    return AT + page * Pages.SIZE;
  }

  /** Every store stores the value that is there already, so every read must see the same. */
  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void everyPageReadsAsItselfAndAllCountsAgree(EntryLayout layout) throws Exception {
    try (HugeMachine machine = new HugeMachine(layout, Rules.DEFAULT, 64L << 20)) {
      AddressSpace space = machine.manager.newAddressSpace("space");
      space.map(MapRequest.privately(machine.file, Access.READ_WRITE).at(AT));
      AddressReader reader = new AddressReader(space);
      AddressWriter writer = new AddressWriter(space);
      Threads.together(
          List.of(
              rounds(
                  1,
                  random -> {
                    int page = random.nextInt(HugeMachine.PAGES);
                    assertThat(reader.getLong(at(page)))
                        .as("-Dxip.seed=%d", SEED)
                        .isEqualTo(page + 1);
                  }),
              rounds(
                  2,
                  random -> {
                    int page = random.nextInt(HugeMachine.PAGES);
                    writer.putLong(at(page), page + 1);
                  }),
              rounds(
                  3,
                  random -> {
                    int page = random.nextInt(HugeMachine.PAGES - 600);
                    machine.file.invalidate(page, random.nextInt(1, 600));
                  }),
              rounds(
                  4,
                  random -> {
                    int first = random.nextInt(HugeMachine.PAGES);
                    AddrRange rest = new AddrRange(at(first), at(HugeMachine.PAGES));
                    if (random.nextInt(4) == 0) {
                      space.fork("child").close();
                    } else if (random.nextBoolean()) {
                      space.advise(rest, Advice.DONTNEED);
                    } else {
                      space.advise(rest, Advice.WILLNEED);
                    }
                  })));
      machine.verify();
    }
  }
}
