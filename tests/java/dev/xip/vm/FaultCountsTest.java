package dev.xip.vm;

import static dev.xip.vm.TestMachine.ANONYMOUS;
import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Property 6: how many faults each kind of access takes, and property 5: what each one counts. */
class FaultCountsTest {
  private static final long AT = 0x10_0000;

  private final TestMachine machine = new TestMachine();
  private final EntryLayout layout = machine.manager.layout();
  private final AddressSpace space = machine.space("test");

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  private void expectCounts(long faults, long fileFrames, long anonymousFrames, long copies) {
    assertThat(space.minorFaults()).as("faults").isEqualTo(faults);
    assertThat(space.fileFrames()).as("file frames").isEqualTo(fileFrames);
    assertThat(space.anonymousFrames()).as("anonymous frames").isEqualTo(anonymousFrames);
    assertThat(space.copies()).as("copies").isEqualTo(copies);
    machine.verify();
  }

  @Test
  void aReadOfABlockTakesOneFaultAndCountsNothing() {
    map(space, AT, 4, PRIVATE, machine.file("f", 4));
    assertThat(read(space, AT + 8)).isEqualTo(9);
    expectCounts(1, 0, 0, 0);
    assertThat(layout.isSpecial(entry(space, AT))).isTrue();
  }

  @Test
  void anInstructionFetchTakesOneFault() {
    map(space, AT, 4, PRIVATE | VmaFlags.EXEC, machine.file("f", 4));
    assertThat(space.fault(AT, Access.EXECUTE)).isEqualTo(FaultResult.Handled.MAPPED);
    assertThat(layout.isExecutable(entry(space, AT))).isTrue();
    expectCounts(1, 0, 0, 0);
  }

  @Test
  void theFirstPrivateStoreTakesTwoFaultsAndMakesOneCountedCopy() {
    MemoryFile file = machine.file("f", 4);
    map(space, AT, 4, PRIVATE, file);
    assertThat(space.fault(AT, Access.WRITE)).isEqualTo(FaultResult.Handled.MAPPED);
    assertThat(layout.isWritable(entry(space, AT))).isFalse();
    assertThat(space.fault(AT, Access.WRITE)).isEqualTo(FaultResult.Handled.COPIED);
    write(space, AT + 8, 77);
    expectCounts(2, 0, 1, 1);
    assertThat(read(space, AT + 8)).isEqualTo(77);
    assertThat(read(space, AT + 16)).isEqualTo(17);
    assertThat(read(file, 8)).isEqualTo(9);
    assertThat(layout.isSpecial(entry(space, AT))).isFalse();
  }

  @Test
  void theFirstSharedStoreTakesTwoFaultsAndReusesTheEntry() {
    MemoryFile file = machine.file("f", 4);
    map(space, AT, 4, SHARED, file);
    assertThat(space.fault(AT, Access.WRITE)).isEqualTo(FaultResult.Handled.MAPPED);
    assertThat(space.fault(AT, Access.WRITE)).isEqualTo(FaultResult.Handled.REUSED);
    write(space, AT + 8, 77);
    expectCounts(2, 0, 0, 0);
    assertThat(read(file, 8)).isEqualTo(77);
    long pte = entry(space, AT);
    assertThat(layout.isSpecial(pte) && layout.isYoung(pte) && layout.isDirty(pte)).isTrue();
    assertThat(layout.isWritable(pte)).isTrue();
  }

  @Test
  void aSharedStoreToAHoleTakesTwoFaultsAndGivesItABlock() {
    MemoryFile file = machine.holes("f", 4);
    map(space, AT, 4, SHARED, file);
    write(space, AT + Pages.SIZE, 5);
    expectCounts(2, 0, 0, 0);
    assertThat(file.blockCount()).isEqualTo(1);
    assertThat(read(file, Pages.SIZE)).isEqualTo(5);
  }

  @Test
  void aSharedReadOfAHoleInAWritableFileGivesItABlockToo() {
    MemoryFile file = machine.holes("f", 4);
    map(space, AT, 4, SHARED, file);
    assertThat(read(space, AT)).isZero();
    assertThat(file.blockCount()).isEqualTo(1);
    expectCounts(1, 0, 0, 0);
  }

  @Test
  void aPrivateReadOfAHoleShowsTheCountedSparsePageAndAStoreCopiesIt() {
    MemoryFile file = machine.holes("f", 4);
    map(space, AT, 4, PRIVATE, file);
    assertThat(read(space, AT)).isZero();
    expectCounts(1, 1, 0, 0);
    assertThat(layout.pfn(entry(space, AT))).isEqualTo(machine.manager.sparsePfn());
    write(space, AT, 5);
    expectCounts(2, 0, 1, 1);
    assertThat(file.blockCount()).isZero();
  }

  @Test
  void aReadOfAnonymousMemoryShowsTheUncountedZeroPageAndAStoreReplacesIt() {
    map(space, AT, 4, ANONYMOUS, null);
    assertThat(read(space, AT)).isZero();
    expectCounts(1, 0, 0, 0);
    assertThat(layout.pfn(entry(space, AT))).isEqualTo(machine.manager.zeroPfn());
    write(space, AT, 5);
    expectCounts(2, 0, 1, 1);
    assertThat(read(space, AT)).isEqualTo(5);
  }

  @Test
  void aFirstStoreToAnonymousMemoryTakesOneFault() {
    map(space, AT, 4, ANONYMOUS, null);
    write(space, AT, 5);
    expectCounts(1, 0, 1, 0);
  }

  @Test
  void aStoreWithoutTheRightIsASegmentationFault() {
    map(space, AT, 4, SHARED & ~VmaFlags.WRITE, machine.file("f", 4));
    assertThatThrownBy(() -> new AddressWriter(space).putByte(AT, (byte) 1))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class);
    assertThatThrownBy(() -> new AddressWriter(space).putByte(-1, (byte) 1))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class);
    assertThatThrownBy(() -> new AddressWriter(space).putByte(AT - 1, (byte) 1))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class);
    expectCounts(0, 0, 0, 0);
  }

  @Test
  void aStorePastTheEndOfTheFileIsABusError() {
    map(space, AT, 8, SHARED, machine.file("f", 4));
    assertThatThrownBy(() -> new AddressWriter(space).putByte(AT + 4 * Pages.SIZE, (byte) 1))
        .isInstanceOf(MemoryFaultException.BusError.class);
  }

  @Test
  void aStoreMayCrossPages() {
    map(space, AT, 4, PRIVATE, machine.file("f", 4));
    write(space, AT + Pages.SIZE - 3, 0x1122334455667788L);
    assertThat(read(space, AT + Pages.SIZE - 3)).isEqualTo(0x1122334455667788L);
    expectCounts(4, 0, 2, 2);
  }

  @Test
  void aForcedStoreCopiesAReadOnlyPrivatePageThatStaysReadOnly() {
    map(space, AT, 4, PRIVATE & ~VmaFlags.WRITE, machine.file("f", 4));
    assertThat(space.faults().fault(AT, Access.WRITE, true)).isEqualTo(FaultResult.Handled.MAPPED);
    assertThat(space.faults().fault(AT, Access.WRITE, true)).isEqualTo(FaultResult.Handled.COPIED);
    assertThat(layout.isWritable(entry(space, AT))).isFalse();
    expectCounts(2, 0, 1, 1);
  }

  @Test
  void aStackGrowsDownToTheAddressAccessed() {
    long top = 0x4000_0000;
    map(space, Vma.anonymous(new AddrRange(top - Pages.SIZE, top), ANONYMOUS | VmaFlags.GROWSDOWN));
    write(space, top - 5 * Pages.SIZE, 7);
    assertThat(space.vmas().getFirst().range().length()).isEqualTo(5 * Pages.SIZE);
    assertThat(read(space, top - 5 * Pages.SIZE)).isEqualTo(7);
    expectCounts(1, 0, 1, 0);
  }

  @Test
  void aStackGrowsNeitherPastItsLimitNorOntoTheMappingBelow() {
    long top = 0x4000_0000;
    map(space, Vma.anonymous(new AddrRange(top - Pages.SIZE, top), ANONYMOUS | VmaFlags.GROWSDOWN));
    assertThatThrownBy(() -> read(space, top - StackGrowth.LIMIT - 1))
        .hasRootCauseInstanceOf(MemoryFaultException.SegmentationFault.class);
    map(space, top - 10 * Pages.SIZE, 1, ANONYMOUS, null);
    assertThatThrownBy(() -> read(space, top - 9 * Pages.SIZE))
        .hasRootCauseInstanceOf(MemoryFaultException.SegmentationFault.class);
    assertThat(read(space, top - 8 * Pages.SIZE)).isZero();
  }

  @Test
  void aDamagedEntryIsReportedAndTheMachineGoesOn() {
    map(space, AT, 4, PRIVATE, machine.file("f", 4));
    read(space, AT);
    Walk walk = new Walk();
    space.table().walk(AT, walk);
    space.table().set(walk.slot(), 0x8000_0000_0000_0000L);
    assertThatThrownBy(() -> read(space, AT))
        .hasRootCauseInstanceOf(MemoryFaultException.BusError.class);
    assertThat(machine.manager.badEntries().count()).isEqualTo(1);
    space.table().set(walk.slot(), layout.empty());
    assertThat(read(space, AT)).isEqualTo(1);
    machine.badEntriesExpected = 1;
  }
}
