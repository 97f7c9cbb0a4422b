package dev.xip.vm;

import static dev.xip.vm.TestMachine.ANONYMOUS;
import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.FrameUse;
import dev.xip.vm.Threads.Gate;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Property 12, and the races of COW against fork and of faults against unmap. */
class ConcurrentFaultTest {
  private static final long AT = 0x10_0000;
  private static final int ROUNDS = RandomHistoryTest.STRESS ? 20_000 : 2_000;

  private final TestMachine machine = new TestMachine();
  private final EntryLayout layout = machine.manager.layout();
  private final AddressSpace space = machine.space("test");

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  /** Lets three threads fault at once, on a fresh mapping each round, until none faults again. */
  private void faultTogether(long flags, MemoryFile file, Access wanted, long framesExpected)
      throws MapException {
    for (int round = 0; round < ROUNDS; round++) {
      map(space, AT, 1, flags, file);
      Callable<Long> fault =
          () -> {
            do {
              assertThat(space.fault(AT, wanted)).isInstanceOf(FaultResult.Handled.class);
            } while (wanted.write() && !layout.isWritable(entry(space, AT)));
            return layout.pfn(entry(space, AT));
          };
      List<Long> frames = Threads.together(Collections.nCopies(3, fault));
      assertThat(frames).containsOnly(frames.getFirst());
      assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS)).isEqualTo(framesExpected);
      space.unmap(AddrRange.ofLength(AT, Pages.SIZE));
    }
  }

  @Test
  void threadsThatReadOnePageOfAFileEndWithTheSamePage() throws MapException {
    faultTogether(PRIVATE, machine.file("f", 1), Access.READ, 0);
  }

  @Test
  void threadsThatStoreToOnePrivatePageEndWithTheSameCopy() throws MapException {
    faultTogether(PRIVATE, machine.file("f", 1), Access.WRITE, 1);
    assertThat(space.copies()).isEqualTo(ROUNDS);
  }

  @Test
  void threadsThatStoreToOneSharedPageEndWithTheFilesPage() throws MapException {
    faultTogether(SHARED, machine.file("f", 1), Access.WRITE, 0);
  }

  @Test
  void threadsThatStoreToOneAnonymousPageEndWithTheSameFrame() throws MapException {
    faultTogether(ANONYMOUS, null, Access.WRITE, 1);
  }

  @Test
  void aCopyIsDroppedIfTheEntryHasChangedMeanwhile() {
    MemoryFile file = machine.file("f", 1);
    map(space, AT, 1, PRIVATE, file);
    read(space, AT);
    Gate gate = new Gate(Step.COPIED);
    machine.manager.stopWith(gate);
    FutureTask<FaultResult> storing = Threads.start(() -> space.fault(AT, Access.WRITE));
    gate.awaitArrival();
    file.invalidate(0, 1);
    gate.open();
    assertThat(Threads.join(storing)).isEqualTo(FaultResult.Handled.PRESENT);
    assertThat(space.copies()).isZero();
    assertThat(space.anonymousFrames()).isZero();
    write(space, AT, 5);
    assertThat(read(space, AT)).isEqualTo(5);
  }

  @Test
  void noStoreIsLostToAForkAndNoneReachesTheChild() {
    map(space, AT, 1, PRIVATE, machine.file("f", 1));
    AtomicLong stored = new AtomicLong();
    AtomicLong stop = new AtomicLong();
    Callable<Object> store =
        () -> {
          AddressWriter writer = new AddressWriter(space);
          AddressReader reader = new AddressReader(space);
          for (long value = 1; stop.get() == 0; value++) {
            writer.putLong(AT, value);
            assertThat(reader.getLong(AT)).isEqualTo(value);
            stored.set(value);
          }
          return null;
        };
    Callable<Object> fork =
        () -> {
          try {
            for (int round = 0; round < ROUNDS; round++) {
              long before = stored.get();
              try (AddressSpace child = space.fork("child")) {
                long seen = read(child, AT);
                assertThat(seen).isGreaterThanOrEqualTo(before);
                long later = stored.get() + 1;
                for (int spin = 0; stored.get() <= later && spin < 1000; spin++) {
                  Thread.onSpinWait();
                }
                assertThat(read(child, AT)).isEqualTo(seen);
              }
            }
          } finally {
            stop.set(1);
          }
          return null;
        };
    write(space, AT, 0);
    Threads.together(List.of(store, fork));
  }

  @Test
  void faultsAndUnmapsOfOnePlaceLeaveNothingCounted() {
    MemoryFile file = machine.holes("f", 2);
    write(file, 0, 1);
    AtomicLong stop = new AtomicLong();
    Callable<Object> touch =
        () -> {
          AddressReader reader = new AddressReader(space);
          AddressWriter writer = new AddressWriter(space);
          while (stop.get() == 0) {
            try {
              reader.getLong(AT);
              reader.getLong(AT + Pages.SIZE);
              writer.putLong(AT, 1);
            } catch (MemoryFaultException.SegmentationFault e) {
              // It is unmapped now.
            }
          }
          return null;
        };
    Callable<Object> remap =
        () -> {
          try {
            for (int round = 0; round < ROUNDS; round++) {
              map(space, AT, 2, PRIVATE, file);
              Thread.onSpinWait();
              file.invalidate(0, 2);
              space.unmap(AddrRange.ofLength(AT, 2 * Pages.SIZE));
            }
          } finally {
            stop.set(1);
          }
          return null;
        };
    Threads.together(List.of(touch, touch, remap));
    assertThat(space.fileFrames() + space.anonymousFrames()).isZero();
    assertThat(space.table().countTables()).isEqualTo(1);
  }
}
