package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.FlushDuty;
import dev.xip.pagetable.Walk;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/**
 * Two threads flush one space at once. One has emptied an entry; the other looks that entry up in
 * the epoch that its own flush began, maybe before the change is visible to it. Then the first
 * flush has to end that epoch too.
 */
class FlushRaceTest {
  private static final int SPACES = 64;
  private static final int ROUNDS = 3000;
  private static final int SPINS = 1000;
  private static final long AT = 0x10_0000;

  private record Entry(Mm mm, long slot, long pte) {
    static Entry in(AddressSpace space) {
      TestMachine.map(space, AT, 1, TestMachine.ANONYMOUS, null);
      TestMachine.write(space, AT, 7);
      Walk walk = new Walk();
      space.table().walk(AT, walk);
      return new Entry(space.mm(), walk.slot(), walk.pte());
    }
  }

  private final AtomicInteger arrivals = new AtomicInteger();

  private void meet(int meeting) {
    arrivals.incrementAndGet();
    for (int i = 0; arrivals.get() < 2 * meeting; i++) {
      if (i < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  @Test
  void noOldEntryIsFoundInAnEpochThatOutlivesTheFlush() {
    try (TestMachine machine = new TestMachine()) {
      EntryLayout layout = machine.manager.layout();
      List<Entry> entries = new ArrayList<>();
      for (int i = 0; i < SPACES; i++) {
        entries.add(Entry.in(machine.space("space-" + i)));
      }
      Epoch[] epochs = new Epoch[SPACES];
      boolean[] old = new boolean[SPACES];
      int stale = 0;
      var looker =
          Threads.start(
              () -> {
                for (int round = 0; round < ROUNDS; round++) {
                  meet(2 * round + 1);
                  for (int i = 0; i < SPACES; i++) {
                    Entry entry = entries.get(i);
                    entry.mm.flush(FlushDuty.OWED);
                    epochs[i] = entry.mm.epoch();
                    old[i] = !layout.isEmpty(entry.mm.table().get(entry.slot));
                  }
                  meet(2 * round + 2);
                }
                return null;
              });
      for (int round = 0; round < ROUNDS; round++) {
        meet(2 * round + 1);
        for (Entry entry : entries) {
          entry.mm.flush(entry.mm.table().clear(entry.slot));
        }
        meet(2 * round + 2);
        for (int i = 0; i < SPACES; i++) {
          stale += old[i] && !epochs[i].hasEnded() ? 1 : 0;
          entries.get(i).mm.table().set(entries.get(i).slot, entries.get(i).pte);
        }
      }
      Threads.join(looker);
      assertThat(stale).isZero();
      assertThat(TestMachine.read(machine.manager.spaces().getFirst(), AT)).isEqualTo(7);
    }
  }
}
