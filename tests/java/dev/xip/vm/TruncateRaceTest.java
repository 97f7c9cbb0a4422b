package dev.xip.vm;

import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.file.MemoryFile;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.Threads.Gate;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;

/**
 * Property 11: a fault that has translated its page before the file is cut leaves a mapping of a
 * freed block under the rules of 3.19, and none if it holds the lock of the file's mappings.
 */
class TruncateRaceTest {
  private static final long AT = 0x10_0000;

  private static TestMachine machine(Rules rules) {
    return new TestMachine(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, rules);
  }

  @Test
  void theRulesOf319LeaveAMappingOfAFreedBlock() throws IOException {
    try (TestMachine machine = machine(Era.LINUX_3_19.rules())) {
      MemoryFile file = machine.file("cut", 1);
      AddressSpace space = machine.space("late");
      map(space, AT, 1, PRIVATE, file);
      Gate gate = new Gate(Step.TRANSLATED);
      machine.manager.stopWith(gate);
      FutureTask<Long> reading = Threads.start(() -> read(space, AT));
      gate.awaitArrival();
      file.truncate(0);
      gate.open();
      Threads.join(reading);
      MemoryFile other = machine.device.create("other");
      write(other, 0, 4711);
      assertThat(read(space, AT)).as("bytes of another file").isEqualTo(4711);
    }
  }

  @Test
  void aFaultThatHoldsTheFilesLockMakesTruncationWait() throws InterruptedException {
    try (TestMachine machine = machine(Rules.DEFAULT)) {
      MemoryFile file = machine.file("cut", 1);
      AddressSpace space = machine.space("late");
      map(space, AT, 1, PRIVATE, file);
      Gate gate = new Gate(Step.TRANSLATED);
      machine.manager.stopWith(gate);
      FutureTask<Object> reading = Threads.start(() -> space.fault(AT, dev.xip.base.Access.READ));
      gate.awaitArrival();
      FutureTask<Object> cutting =
          Threads.start(
              () -> {
                file.truncate(0);
                return null;
              });
      while (file.size() != 0) {
        Thread.onSpinWait();
      }
      Thread.sleep(20);
      assertThat(cutting.isDone()).isFalse();
      gate.open();
      Threads.join(reading);
      Threads.join(cutting);
      assertThat(machine.manager.layout().isEmpty(entry(space, AT))).isTrue();
      assertThatThrownBy(() -> read(space, AT))
          .hasRootCauseInstanceOf(MemoryFaultException.BusError.class);
    }
  }

  @Test
  void noScheduleLetsAStoreIntoAFreedBlock() {
    try (TestMachine machine = machine(Rules.DEFAULT)) {
      MemoryFile file = machine.file("cut", 1);
      AddressSpace space = machine.space("storer");
      map(space, AT, 1, SHARED, file);
      int rounds = RandomHistoryTest.STRESS ? 20_000 : 3_000;
      for (int round = 1; round <= rounds; round++) {
        long value = round;
        Callable<Object> store =
            () -> {
              try {
                for (int i = 0; i < 8; i++) {
                  new AddressWriter(space).putLong(AT + 8 * i, value);
                }
              } catch (MemoryFaultException.BusError e) {
                // It came after the truncation.
              }
              return null;
            };
        Callable<Object> cut =
            () -> {
              file.truncate(0);
              MemoryFile next = machine.device.create("next");
              write(next, 4088, 1);
              for (int i = 0; i < 8; i++) {
                assertThat(read(next, 8 * i)).isZero();
              }
              next.truncate(0);
              return null;
            };
        Threads.together(List.of(store, cut));
        assertThat(machine.manager.layout().isEmpty(entry(space, AT))).isTrue();
        write(file, 0, value);
      }
    }
  }
}
