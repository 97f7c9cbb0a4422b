package dev.xip.vm;

import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.Threads.Gate;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Property 10: however a fault on a hole, a write to the file and a store through a shared mapping
 * interleave, no mapping keeps the sparse page where there is a block; without the sequence count
 * one does.
 */
class HoleProtocolTest {
  private static final long AT = 0x10_0000;
  private static final Rules UNGUARDED = Era.LINUX_3_19.rules().without(Rule.SPARSE_PAGE_GUARDED);

  private static TestMachine machine(Rules rules) {
    return new TestMachine(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, rules);
  }

  /**
   * A reader that has seen a hole is stopped while the hole is filled; returns the word that it
   * reads later.
   */
  private static long fillWhileAReaderInserts(TestMachine machine, boolean throughMapping)
      throws InterruptedException {
    MemoryFile file = machine.holes("f", 1);
    AddressSpace reader = machine.space("reader");
    AddressSpace writer = machine.space("writer");
    map(reader, AT, 1, PRIVATE, file);
    map(writer, AT, 1, SHARED, file);
    Gate gate = new Gate(Step.HOLE_SEEN);
    machine.manager.stopWith(gate);
    FutureTask<Long> reading = Threads.start(() -> read(reader, AT));
    gate.awaitArrival();
    FutureTask<Object> filling =
        Threads.start(
            () -> {
              if (throughMapping) {
                write(writer, AT, 7);
              } else {
                write(file, 0, 7);
              }
              return null;
            });
    while (file.blockCount() == 0) {
      Thread.onSpinWait();
    }
    if (machine.manager.rules().has(Rule.SPARSE_PAGE_GUARDED)) {
      // The filler has to wait for the mutex that the reader holds.
      Thread.sleep(20);
      assertThat(filling.isDone()).isFalse();
    } else {
      Threads.join(filling);
    }
    gate.open();
    Threads.join(reading);
    Threads.join(filling);
    return read(reader, AT);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void theSequenceCountMakesTheFillerGoThroughTheMappingsAgain(boolean throughMapping)
      throws InterruptedException {
    try (TestMachine machine = machine(Era.LINUX_3_19.rules())) {
      assertThat(fillWhileAReaderInserts(machine, throughMapping)).isEqualTo(7);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void withoutTheGuardAReaderKeepsSeeingZeros(boolean throughMapping) throws InterruptedException {
    try (TestMachine machine = machine(UNGUARDED)) {
      assertThat(fillWhileAReaderInserts(machine, throughMapping)).isZero();
      assertThat(Verifier.verify(machine.manager))
          .singleElement()
          .asString()
          .contains("sparse page");
      machine.manager.spaces().forEach(AddressSpace::close);
    }
  }

  @Test
  void noScheduleOfReadersWritersAndStoresLeavesASparsePageOnABlock() {
    for (Rules rules : List.of(Era.LINUX_3_19.rules(), Rules.DEFAULT)) {
      try (TestMachine machine = machine(rules)) {
        MemoryFile file = machine.holes("f", 1);
        AddressSpace reader = machine.space("reader");
        AddressSpace storer = machine.space("storer");
        map(reader, AT, 1, PRIVATE, file);
        map(storer, AT, 1, SHARED, file);
        int rounds = RandomHistoryTest.STRESS ? 20_000 : 2_000;
        for (int round = 1; round <= rounds; round++) {
          long value = round;
          boolean byCall = round % 2 == 0;
          Callable<Object> readIt = () -> read(reader, AT);
          Callable<Object> fillIt =
              () -> {
                if (byCall) {
                  write(file, 0, value);
                } else {
                  write(storer, AT, value);
                }
                return null;
              };
          Threads.together(List.of(readIt, fillIt));
          assertThat(read(reader, AT)).isEqualTo(value);
          assertThat(read(storer, AT)).isEqualTo(value);
          file.punchHole(0, 1);
        }
        assertThat(machine.device.available()).isEqualTo((4L << 20) / Pages.SIZE);
      }
    }
  }
}
