package dev.xip.vm;

import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.read;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.file.CachedFile;
import dev.xip.mapping.CachedPages;
import dev.xip.phys.FrameUse;
import dev.xip.vm.Threads.Gate;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Faults on pages of the page cache against each other, against truncation and reclaim. */
class CacheRaceTest {
  private static final long AT = 0x10_0000;
  private static final int ROUNDS = RandomHistoryTest.STRESS ? 20_000 : 1_000;

  private final TestMachine machine = new TestMachine();
  private final AddressSpace space = machine.space("test");
  private final CachedFile file = machine.cached("f", 1);

  @AfterEach
  void everythingGoesBackToZero() throws IOException {
    machine.verify();
    machine.manager.spaces().forEach(AddressSpace::close);
    file.truncate(0);
    machine.close();
    assertThat(machine.cache.pages()).isZero();
  }

  private void map(boolean shared) throws MapException {
    Access access = Access.READ_WRITE;
    space.map(
        (shared ? MapRequest.shared(file, access) : MapRequest.privately(file, access)).at(AT));
  }

  private static FutureTask<Object> start(Callable<Object> work) {
    return Threads.start(work);
  }

  @Test
  void threadsThatFaultOnOnePageEndWithOneFrame() throws IOException {
    for (int round = 0; round < ROUNDS; round++) {
      file.punchHole(0, 1);
      map(true);
      Callable<Long> fault =
          () -> {
            assertThat(space.fault(AT, Access.WRITE)).isInstanceOf(FaultResult.Handled.class);
            return machine.manager.layout().pfn(entry(space, AT));
          };
      assertThat(Threads.together(Collections.nCopies(3, fault))).containsOnly(file.frame(0));
      assertThat(machine.memory.allocator().inUse(FrameUse.PAGE_CACHE)).isEqualTo(1);
      assertThat(machine.references(file.frame(0))).isEqualTo(2);
      space.unmap(AddrRange.ofLength(AT, Pages.SIZE));
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFaultThatHoldsThePageLockMakesTruncationWait(boolean store) throws Exception {
    map(false);
    file.punchHole(0, 1);
    Gate gate = new Gate(Step.TRANSLATED);
    machine.manager.stopWith(gate);
    FutureTask<Object> fault = start(() -> space.fault(AT, store ? Access.WRITE : Access.READ));
    gate.awaitArrival();
    FutureTask<Object> cutting =
        start(
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
    assertThat(Threads.join(fault))
        .isEqualTo(store ? FaultResult.Handled.COPIED : FaultResult.Handled.MAPPED);
    Threads.join(cutting);
    assertThat(machine.manager.layout().isEmpty(entry(space, AT))).isTrue();
    assertThat(machine.cache.pages()).isZero();
    assertThatThrownBy(() -> read(space, AT))
        .hasRootCauseInstanceOf(MemoryFaultException.BusError.class);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noScheduleLeavesAMappingOfAPageThatWasCutOff(boolean shared) throws MapException {
    map(shared);
    AddressSpace other = machine.space("other");
    other.map(MapRequest.shared(file, Access.READ).at(AT));
    MemorySegment word = MemorySegment.ofArray(new long[] {1});
    Callable<Object> store =
        () -> {
          try {
            new AddressWriter(space).putLong(AT, 7);
            new AddressReader(other).getLong(AT);
          } catch (MemoryFaultException.BusError e) {
            // It came after the truncation.
          }
          return null;
        };
    Callable<Object> cut =
        () -> {
          file.truncate(0);
          return null;
        };
    for (int round = 0; round < ROUNDS; round++) {
      Threads.together(List.of(store, cut));
      assertThat(machine.manager.layout().isEmpty(entry(space, AT))).isTrue();
      assertThat(machine.manager.layout().isEmpty(entry(other, AT))).isTrue();
      assertThat(machine.cache.pages()).isZero();
      try {
        file.write(0, word);
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    }
  }

  @Test
  void aPageLockIsNotWaitedForUnderAnEntryLock() throws IOException {
    map(true);
    read(space, AT);
    long slot = space.table().slotOrCreate(AT);
    machine.manager.lockEntry(slot);
    try {
      CachedPages.Page tried = file.tryLock(0);
      assertThat(file.tryLock(0)).as("a second try").isNull();
      tried.unlock();
      assertThatThrownBy(() -> file.lock(0)).isInstanceOf(SleepingInAtomicException.class);
    } finally {
      machine.manager.unlockEntry(slot);
    }
  }

  @Test
  void aLockedPageIsLeftOutByFaultsAroundIt() throws Exception {
    file.write(0, MemorySegment.ofArray(new byte[2 * (int) Pages.SIZE]));
    space.map(MapRequest.shared(file, Access.READ).at(AT));
    CachedPages.Page held = file.lock(0);
    Threads.join(start(() -> read(space, AT + Pages.SIZE)));
    held.unlock();
    assertThat(machine.manager.layout().isEmpty(entry(space, AT))).isTrue();
    assertThat(space.fileFrames()).isEqualTo(1);
  }
}
