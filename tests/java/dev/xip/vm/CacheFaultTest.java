package dev.xip.vm;

import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.EnumSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Mappings of a file through the page cache: its frames are counted like any others. */
class CacheFaultTest {
  private static final long AT = 0x10_0000;

  private final TestMachine machine = new TestMachine();
  private final EntryLayout layout = machine.manager.layout();
  private final AddressSpace space = machine.space("test");
  private final CachedFile file = machine.cached("f", 4);

  @AfterEach
  void everythingGoesBackToZero() throws IOException {
    machine.verify();
    machine.manager.spaces().forEach(AddressSpace::close);
    file.truncate(0);
    assertThat(machine.memory.allocator().inUse(FrameUse.PAGE_CACHE)).isZero();
    machine.close();
  }

  private void map(AddressSpace in, boolean shared, Access access) throws MapException {
    in.map((shared ? MapRequest.shared(file, access) : MapRequest.privately(file, access)).at(AT));
  }

  private long frame(long page) {
    return layout.pfn(entry(space, AT + page * Pages.SIZE));
  }

  private void expectCounts(long faults, long fileFrames, long anonymousFrames, long copies) {
    assertThat(space.minorFaults()).as("faults").isEqualTo(faults);
    assertThat(space.fileFrames()).as("file frames").isEqualTo(fileFrames);
    assertThat(space.anonymousFrames()).as("anonymous frames").isEqualTo(anonymousFrames);
    assertThat(space.copies()).as("copies").isEqualTo(copies);
    machine.verify();
  }

  @Test
  void theMappingIsOrdinary() throws MapException {
    map(space, true, Access.READ_WRITE);
    assertThat(VmaFlags.letters(space.vmas().getFirst().flags())).isEqualTo("rd wr sh mr mw me ms");
  }

  @Test
  void aReadMapsThePagesAroundThatAreInTheCacheAndCountsEach() throws MapException {
    map(space, false, Access.READ_WRITE);
    assertThat(read(space, AT + Pages.SIZE)).isEqualTo(Pages.SIZE + 1);
    expectCounts(1, 4, 0, 0);
    assertThat(layout.isSpecial(entry(space, AT))).isFalse();
    assertThat(frame(1)).isEqualTo(file.frame(1));
    assertThat(machine.references(frame(1))).isEqualTo(2);
    assertThat(machine.memory.frames().mappings(frame(1))).isEqualTo(1);
  }

  @Test
  void before315AReadMapsItsPageAlone() throws MapException {
    try (TestMachine old = new TestMachine(Era.LINUX_2_6_26.rules())) {
      AddressSpace there = old.space("test");
      AddrRange range = there.map(MapRequest.shared(old.cached("f", 4), Access.READ));
      read(there, range.start());
      assertThat(there.fileFrames()).isEqualTo(1);
    }
  }

  @Test
  void everyMappingFindsTheSameFrame() throws MapException {
    map(space, true, Access.READ);
    AddressSpace other = machine.space("other");
    map(other, false, Access.READ);
    read(space, AT);
    read(other, AT);
    assertThat(machine.references(frame(0))).isEqualTo(3);
    assertThat(machine.memory.frames().mappings(frame(0))).isEqualTo(2);
    assertThat(machine.cache.pages()).isEqualTo(4);
  }

  @Test
  void aFirstPrivateStoreTakesOneFaultAndCopiesAtOnce() throws MapException {
    map(space, false, Access.READ_WRITE);
    write(space, AT + 8, 77);
    expectCounts(1, 0, 1, 1);
    assertThat(read(space, AT + 16)).isEqualTo(17);
    assertThat(machine.references(file.frame(0))).isEqualTo(1);
  }

  @Test
  void aPrivateStoreAfterAReadExchangesAFileFrameForAnAnonymousOne() throws IOException {
    map(space, false, Access.READ_WRITE);
    read(space, AT);
    write(space, AT + 8, 77);
    expectCounts(2, 3, 1, 1);
    assertThat(machine.references(file.frame(0))).isEqualTo(1);
    long[] word = new long[1];
    file.read(8, MemorySegment.ofArray(word));
    assertThat(word[0]).isEqualTo(9);
  }

  @Test
  void aFirstSharedStoreTakesOneFaultAndReachesTheFile() throws IOException {
    map(space, true, Access.READ_WRITE);
    write(space, AT + 8, 77);
    expectCounts(1, 1, 0, 0);
    assertThat(layout.isDirty(entry(space, AT))).isTrue();
    long[] word = new long[1];
    file.read(8, MemorySegment.ofArray(word));
    assertThat(word[0]).isEqualTo(77);
  }

  @Test
  void aReadOfASharedWritableMappingMakesItsEntriesWritableAndClean() throws MapException {
    map(space, true, Access.READ_WRITE);
    read(space, AT);
    assertThat(layout.isWritable(entry(space, AT))).isTrue();
    assertThat(layout.isDirty(entry(space, AT))).isFalse();
  }

  @Test
  void aWriteToTheFileIsSeenByEveryMappingButNotByAPrivateCopy() throws IOException {
    map(space, true, Access.READ);
    AddressSpace other = machine.space("other");
    map(other, false, Access.READ_WRITE);
    read(space, AT);
    write(other, AT, 5);
    file.write(0, MemorySegment.ofArray(new long[] {6}));
    assertThat(read(space, AT)).isEqualTo(6);
    assertThat(read(other, AT)).isEqualTo(5);
  }

  @Test
  void aReadOfAHoleGivesItAPage() throws IOException {
    file.truncate(6 * Pages.SIZE);
    space.map(MapRequest.privately(file, Access.READ).at(AT));
    assertThat(machine.cache.pages()).isEqualTo(4);
    assertThat(read(space, AT + 5 * Pages.SIZE)).isZero();
    assertThat(machine.cache.pages()).isEqualTo(5);
    expectCounts(1, 5, 0, 0);
  }

  @Test
  void anAccessPastTheEndIsABusError() throws IOException {
    map(space, false, Access.READ_WRITE);
    file.truncate(Pages.SIZE);
    for (Access access : new Access[] {Access.READ, Access.WRITE}) {
      assertThat(space.fault(AT + Pages.SIZE, access)).isInstanceOf(FaultResult.Refused.class);
    }
    assertThatThrownBy(() -> new AddressReader(space).getByte(AT + Pages.SIZE))
        .isInstanceOf(MemoryFaultException.BusError.class);
    // The fault has mapped what is around before it finds that the page is past the end.
    expectCounts(0, 1, 0, 0);
  }

  @Test
  void forkSkipsAMappingWithoutPrivateCopiesAndCopiesOneWithThem() throws MapException {
    map(space, false, Access.READ_WRITE);
    read(space, AT);
    try (AddressSpace child = machine.fork(space)) {
      assertThat(child.fileFrames()).isZero();
      assertThat(read(child, AT)).isEqualTo(1);
    }
    write(space, AT, 5);
    try (AddressSpace child = machine.fork(space)) {
      assertThat(child.fileFrames()).isEqualTo(3);
      assertThat(child.anonymousFrames()).isEqualTo(1);
      assertThat(machine.references(file.frame(1))).isEqualTo(3);
      write(child, AT, 6);
      assertThat(read(space, AT)).isEqualTo(5);
      machine.verify();
    }
    assertThat(machine.references(file.frame(1))).isEqualTo(2);
  }

  @Test
  void truncationUnmapsPagesAndCopiesAndZeroesTheTail() throws IOException {
    map(space, false, Access.READ_WRITE);
    read(space, AT);
    write(space, AT + 2 * Pages.SIZE, 5);
    long gone = file.frame(2);
    file.truncate(Pages.SIZE + 16);
    expectCounts(2, 2, 0, 1);
    assertThat(machine.memory.frames().use(gone)).isEqualTo(FrameUse.FREE);
    assertThat(read(space, AT + Pages.SIZE + 8)).isEqualTo(Pages.SIZE + 9);
    assertThat(read(space, AT + Pages.SIZE + 16)).isZero();
    file.truncate(4 * Pages.SIZE);
    assertThat(read(space, AT + 2 * Pages.SIZE)).isZero();
  }

  @Test
  void aPunchedHoleKeepsPrivateCopies() throws IOException {
    map(space, false, Access.READ_WRITE);
    read(space, AT);
    write(space, AT, 5);
    file.punchHole(0, 2);
    expectCounts(2, 2, 1, 1);
    assertThat(read(space, AT)).isEqualTo(5);
    assertThat(read(space, AT + Pages.SIZE)).isZero();
  }

  @Test
  void mincoreAsksTheCacheAboutPagesWithoutAnEntry() throws IOException {
    map(space, false, Access.READ_WRITE);
    BitSet all = new BitSet();
    all.set(0, 4);
    assertThat(space.inCore(AddrRange.ofLength(AT, 4 * Pages.SIZE))).isEqualTo(all);
    write(space, AT, 5);
    file.punchHole(0, 2);
    all.clear(1);
    assertThat(space.inCore(AddrRange.ofLength(AT, 4 * Pages.SIZE))).isEqualTo(all);
  }

  @Test
  void discardedPagesAreFaultedInAgainFromTheCache() throws MapException {
    map(space, false, Access.READ_WRITE);
    write(space, AT, 5);
    space.advise(AddrRange.ofLength(AT, 4 * Pages.SIZE), Advice.DONTNEED);
    expectCounts(1, 0, 0, 1);
    assertThat(read(space, AT)).isEqualTo(1);
    expectCounts(2, 4, 0, 1);
  }

  @Test
  void aLockedMappingIsFilledAndRefusesToBeDiscarded() throws MapException {
    map(space, true, Access.READ_WRITE);
    AddrRange range = AddrRange.ofLength(AT, 4 * Pages.SIZE);
    space.lock(range);
    assertThat(space.fileFrames()).isEqualTo(4);
    assertThat(space.vmas().getFirst().has(VmaFlags.LOCKED)).isTrue();
    assertThatThrownBy(() -> space.advise(range, Advice.DONTNEED))
        .hasFieldOrPropertyWithValue("errno", Errno.EINVAL);
    space.unlock(range);
    space.sync(range, EnumSet.of(SyncFlag.SYNC));
  }

  @Test
  void mprotectMakesSharedEntriesWritableAtOnceAndPrivateOnesNot() throws MapException {
    for (boolean shared : new boolean[] {true, false}) {
      map(space, shared, Access.READ);
      read(space, AT);
      AddrRange range = AddrRange.ofLength(AT, 4 * Pages.SIZE);
      space.protect(range, Access.READ_WRITE);
      assertThat(layout.isWritable(entry(space, AT))).isEqualTo(shared);
      space.unmap(range);
    }
  }

  @Test
  void mremapTakesTheEntriesAlong() throws MapException {
    map(space, true, Access.READ);
    read(space, AT);
    long pfn = frame(0);
    AddrRange old = AddrRange.ofLength(AT, 4 * Pages.SIZE);
    space.remap(RemapRequest.to(old, old.length(), 2 * AT));
    assertThat(layout.pfn(entry(space, 2 * AT))).isEqualTo(pfn);
    expectCounts(1, 4, 0, 0);
  }

  @Test
  void getUserPagesGivesOutTheFramesOfTheCache() throws MapException {
    map(space, true, Access.READ_WRITE);
    try (PinnedPages pinned = space.getUserPages().pin(AT, 4, true, false)) {
      assertThat(pinned.frame(2).value()).isEqualTo(file.frame(2));
      assertThat(machine.references(file.frame(2))).isEqualTo(3);
      pinned.write(2, 0, MemorySegment.ofArray(new long[] {77}));
    }
    assertThat(layout.isDirty(entry(space, AT + 2 * Pages.SIZE))).isTrue();
    assertThat(read(space, AT + 2 * Pages.SIZE)).isEqualTo(77);
  }

  @Test
  void aForcedStoreThroughGetUserPagesCopiesAPrivateReadOnlyPage() throws MapException {
    map(space, false, Access.READ);
    try (PinnedPages read = space.getUserPages().pin(AT, 1, false, false);
        PinnedPages written = space.getUserPages().pin(AT, 1, true, true)) {
      assertThat(read.frame(0).value()).isEqualTo(file.frame(0));
      assertThat(written.frame(0).value()).isNotEqualTo(file.frame(0));
      written.write(0, 0, MemorySegment.ofArray(new long[] {77}));
    }
    assertThat(read(space, AT)).isEqualTo(77);
    assertThat(layout.isWritable(entry(space, AT))).isFalse();
    map(machine.space("other"), true, Access.READ);
    assertThatThrownBy(
            () -> machine.manager.spaces().getLast().getUserPages().pin(AT, 1, true, true))
        .hasFieldOrPropertyWithValue("errno", Errno.EFAULT);
  }

  @Test
  void aPinnedFrameOutlivesItsTruncation() throws IOException {
    map(space, true, Access.READ);
    try (PinnedPages pinned = space.getUserPages().pin(AT, 1, false, false)) {
      file.truncate(0);
      long[] word = new long[1];
      pinned.read(0, 0, MemorySegment.ofArray(word));
      assertThat(word[0]).isEqualTo(1);
      assertThat(machine.references(pinned.frame(0).value())).isEqualTo(1);
    }
  }
}
