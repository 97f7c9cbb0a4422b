package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.X8664Layout;
import java.io.IOException;
import java.util.EnumSet;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Cases that the host kernel cannot judge: special entries, locked files, errors of single calls.
 */
class MappingCallsTest {
  private static final X8664Layout LAYOUT = X8664Layout.INSTANCE;
  private static final long START = 0x10_0000;
  private static final Access RW = Access.READ_WRITE;

  private final TestMachine machine = new TestMachine(Rules.DEFAULT.withFaultAround(1));
  private final MemoryFile file = machine.file("file", 16);
  private final AddressSpace space = machine.space("space");

  @AfterEach
  void nothingIsLeft() {
    machine.close();
  }

  private static AddrRange pages(long first, long count) {
    return AddrRange.ofLength(START + first * Pages.SIZE, count * Pages.SIZE);
  }

  private static long at(long page) {
    return START + page * Pages.SIZE;
  }

  private void mapShared(int count) throws MapException {
    space.map(MapRequest.shared(file, RW).pages(0, count * Pages.SIZE).at(START));
  }

  private void mapPrivate(int count) throws MapException {
    space.map(MapRequest.privately(file, RW).pages(0, count * Pages.SIZE).at(START));
  }

  private void mapAnonymous(int count) throws MapException {
    space.map(MapRequest.anonymous(count * Pages.SIZE, RW).at(START));
  }

  private static void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(MapException.class, e -> assertThat(e.errno()).isEqualTo(errno))
        .hasMessageContainingAll(errno + ": ", "expected", "found");
  }

  private long flags(long page) {
    return space.find(at(page)).flags();
  }

  @Test
  void protectingKeepsTheSpecialBitAndTheFrame() throws IOException {
    mapShared(4);
    long value = TestMachine.read(space, at(1));
    long before = TestMachine.entry(space, at(1));
    space.protect(pages(0, 4), Access.NONE);
    assertThat(TestMachine.entry(space, at(1)))
        .matches(pte -> LAYOUT.isSpecial(pte) && !LAYOUT.isValid(pte) && LAYOUT.isPresent(pte));
    space.protect(pages(0, 4), RW);
    assertThat(TestMachine.entry(space, at(1))).isEqualTo(before);
    assertThat(TestMachine.read(space, at(1))).isEqualTo(value);
    assertThat(space.minorFaults()).isEqualTo(1);
  }

  @Test
  void aSharedPageThatWasStoredIntoNeedsNoFaultAfterItIsWritableAgain() throws IOException {
    mapShared(2);
    TestMachine.write(space, at(0), 1);
    TestMachine.read(space, at(1));
    space.protect(pages(0, 2), Access.READ);
    space.protect(pages(0, 2), RW);
    assertThat(LAYOUT.isWritable(TestMachine.entry(space, at(0)))).isTrue();
    assertThat(LAYOUT.isWritable(TestMachine.entry(space, at(1)))).isFalse();
  }

  @Test
  void aPrivatePageStaysProtectedWhenItsMappingBecomesWritable() throws IOException {
    mapPrivate(1);
    TestMachine.read(space, at(0));
    space.protect(pages(0, 1), Access.READ);
    space.protect(pages(0, 1), RW);
    assertThat(LAYOUT.isWritable(TestMachine.entry(space, at(0)))).isFalse();
    TestMachine.write(space, at(0), 77);
    assertThat(space.copies()).isEqualTo(1);
    assertThat(TestMachine.read(file, 0)).isEqualTo(1);
  }

  @Test
  void aFileOpenedForReadingMayBeStoredIntoPrivatelyAlone() throws IOException {
    MapRequest readOnly =
        MapRequest.shared(file, Access.READ).at(START).with(MapFlag.READ_ONLY_FILE);
    space.map(readOnly);
    assertThat(VmaFlags.letters(flags(0))).isEqualTo("rd mr me ms mm");
    assertRefused(Errno.EACCES, () -> space.protect(pages(0, 1), RW));
    space.map(MapRequest.privately(file, RW).over(START).with(MapFlag.READ_ONLY_FILE));
    assertThat(VmaFlags.letters(flags(0))).isEqualTo("rd wr mr mw me ac mm");
  }

  @Test
  void movingKeepsSpecialEntriesUnchanged() throws IOException {
    mapShared(4);
    TestMachine.read(space, at(2));
    TestMachine.write(space, at(3), 5);
    long second = TestMachine.entry(space, at(2));
    long third = TestMachine.entry(space, at(3));
    long faults = space.minorFaults();
    AddrRange moved = space.remap(RemapRequest.to(pages(2, 2), 3 * Pages.SIZE, at(600)));
    assertThat(moved).isEqualTo(pages(600, 3));
    assertThat(TestMachine.entry(space, at(600))).isEqualTo(second);
    assertThat(TestMachine.entry(space, at(601))).isEqualTo(third);
    assertThat(TestMachine.entry(space, at(2))).isEqualTo(LAYOUT.empty());
    assertThat(space.find(at(600)).pageOffset()).isEqualTo(2);
    assertThat(TestMachine.read(space, at(601))).isEqualTo(5);
    assertThat(space.minorFaults()).isEqualTo(faults);
    assertThat(space.find(at(2))).isNull();
  }

  @Test
  void mixedMapsMayGrowAndPageFrameMapsMayNot() throws IOException {
    mapShared(2);
    assertThat(space.remap(RemapRequest.inPlace(pages(0, 2), 5 * Pages.SIZE)))
        .isEqualTo(pages(0, 5));
    for (long fixed : new long[] {VmaFlags.PFNMAP, VmaFlags.DONTEXPAND}) {
      long flags = TestMachine.SHARED & ~VmaFlags.MIXEDMAP | fixed;
      TestMachine.map(space, new Vma(pages(50, 2), flags, file, 0));
      assertRefused(
          Errno.EFAULT, () -> space.remap(RemapRequest.anywhere(pages(50, 2), 3 * Pages.SIZE)));
      assertThat(space.remap(RemapRequest.to(pages(50, 2), Pages.SIZE, at(90))))
          .isEqualTo(pages(90, 1));
      space.unmap(pages(90, 1));
    }
  }

  @Test
  void aMoveThatCannotBeDoneChangesNothing() throws IOException {
    mapShared(4);
    String before = space.vmas().toString();
    long target = at(100);
    assertRefused(Errno.EINVAL, () -> space.remap(RemapRequest.to(pages(0, 2), Pages.SIZE, at(1))));
    assertRefused(
        Errno.EINVAL, () -> space.remap(RemapRequest.to(pages(0, 2), Pages.SIZE, target + 1)));
    assertRefused(Errno.EINVAL, () -> space.remap(RemapRequest.to(pages(0, 2), 0, target)));
    assertRefused(
        Errno.EFAULT, () -> space.remap(RemapRequest.to(pages(3, 2), 2 * Pages.SIZE, target)));
    assertRefused(
        Errno.EFAULT, () -> space.remap(RemapRequest.anywhere(pages(7, 1), 2 * Pages.SIZE)));
    assertRefused(
        Errno.ENOMEM, () -> space.remap(RemapRequest.inPlace(pages(0, 2), 3 * Pages.SIZE)));
    assertThat(space.vmas().toString()).isEqualTo(before);
  }

  @Test
  void discardingZapsMixedMapsAndRefusesPageFrameMaps() throws IOException {
    mapPrivate(2);
    TestMachine.write(space, at(0), 77);
    TestMachine.read(space, at(1));
    space.advise(pages(0, 2), Advice.DONTNEED);
    assertThat(TestMachine.entry(space, at(0))).isEqualTo(LAYOUT.empty());
    assertThat(TestMachine.entry(space, at(1))).isEqualTo(LAYOUT.empty());
    assertThat(space.anonymousFrames()).isZero();
    assertThat(TestMachine.read(space, at(0))).isEqualTo(1);
    TestMachine.map(
        space,
        new Vma(pages(50, 2), TestMachine.SHARED & ~VmaFlags.MIXEDMAP | VmaFlags.PFNMAP, file, 0));
    assertRefused(Errno.EINVAL, () -> space.advise(pages(50, 2), Advice.DONTNEED));
    space.advise(pages(0, 2), Advice.WILLNEED);
    assertRefused(Errno.EINVAL, () -> Advice.of(8));
  }

  @Test
  void adviceOverAGapIsTakenBeforeItIsRefused() throws IOException {
    mapAnonymous(2);
    space.map(MapRequest.anonymous(Pages.SIZE, RW).at(at(5)));
    TestMachine.write(space, at(5), 1);
    assertRefused(Errno.ENOMEM, () -> space.advise(pages(0, 6), Advice.DONTNEED));
    assertThat(TestMachine.entry(space, at(5))).isEqualTo(LAYOUT.empty());
  }

  @Test
  void aPageInPlaceCountsAsAbsentUntilItIsTouched() throws IOException {
    mapShared(4);
    TestMachine.read(space, at(2));
    assertThat(space.inCore(pages(0, 4)).stream()).containsExactly(2);
    assertRefused(Errno.ENOMEM, () -> space.inCore(pages(0, 5)));
    assertRefused(Errno.EINVAL, () -> space.inCore(new AddrRange(START + 1, START + 2)));
  }

  @Test
  void lockingAReadableFileInPlaceFailsAtItsFirstPage() throws IOException {
    mapShared(2);
    assertRefused(Errno.ENOMEM, () -> space.lock(pages(0, 2)));
    assertThat(VmaFlags.letters(flags(0))).doesNotContain("lo");
    assertThat(space.inCore(pages(0, 2)).cardinality()).isEqualTo(1);
  }

  @Test
  void lockingAPrivateWritableFileCopiesEveryPage() throws IOException {
    mapPrivate(3);
    space.lock(pages(0, 3));
    assertThat(VmaFlags.letters(flags(0))).doesNotContain("lo");
    assertThat(space.copies()).isEqualTo(3);
    assertThat(space.anonymousFrames()).isEqualTo(3);
  }

  @Test
  void lockedMemoryIsNeitherDiscardedNorInvalidated() throws IOException {
    mapAnonymous(3);
    space.lock(pages(1, 1));
    assertThat(space.vmas()).hasSize(3);
    assertThat(space.inCore(pages(0, 3)).stream()).containsExactly(1);
    assertRefused(Errno.EINVAL, () -> space.advise(pages(0, 3), Advice.DONTNEED));
    assertRefused(
        Errno.EBUSY, () -> space.sync(pages(0, 3), EnumSet.of(SyncFlag.SYNC, SyncFlag.INVALIDATE)));
    space.unlock(pages(0, 3));
    assertThat(space.vmas()).hasSize(1);
    space.sync(pages(0, 3), Set.of(SyncFlag.SYNC));
    assertRefused(
        Errno.EINVAL, () -> space.sync(pages(0, 3), EnumSet.of(SyncFlag.SYNC, SyncFlag.ASYNC)));
    assertRefused(Errno.ENOMEM, () -> space.sync(pages(0, 4), Set.of()));
  }

  @Test
  void populatingFaultsInBeforeTheFirstTouch() throws IOException {
    space.map(MapRequest.shared(file, Access.READ).at(START).with(MapFlag.POPULATE));
    assertThat(space.inCore(pages(0, 16)).cardinality()).isEqualTo(16);
    assertThat(space.minorFaults() + space.fileFrames()).isZero();
    space.map(MapRequest.anonymous(4 * Pages.SIZE, RW).at(at(50)).with(MapFlag.POPULATE));
    assertThat(space.inCore(pages(50, 4)).cardinality()).isEqualTo(4);
    assertThat(space.anonymousFrames()).isEqualTo(4);
  }

  @Test
  void sharedAnonymousMemoryIsSharedWithAChildAndFreedWithTheLastMapping() throws IOException {
    long before = machine.memory.allocator().inUse();
    space.map(MapRequest.anonymous(2 * Pages.SIZE, RW).at(START).with(MapFlag.SHARED));
    try (AddressSpace child = space.fork("child")) {
      TestMachine.write(child, at(1), 99);
      assertThat(TestMachine.read(space, at(1))).isEqualTo(99);
      space.unmap(pages(0, 2));
      assertThat(TestMachine.read(child, at(1))).isEqualTo(99);
    }
    assertThat(machine.memory.allocator().inUse()).isEqualTo(before);
  }

  @Test
  void mincoreOfMorePagesThanItsAnswerCanHoldIsRefused() throws IOException {
    long most = (long) Integer.MAX_VALUE << Pages.SHIFT;
    AddrRange range = space.map(MapRequest.anonymous(most + Pages.SIZE, RW));
    TestMachine.write(space, range.end() - Pages.SIZE, 1);
    assertRefused(Errno.EFAULT, () -> space.inCore(range));
    AddrRange part = new AddrRange(range.start() + Pages.SIZE, range.end());
    assertThat(space.inCore(part).stream()).containsExactly(Integer.MAX_VALUE - 1);
  }

  @Test
  void aHintIsTakenIfItIsFreeAndAnotherPlaceIfItIsNot() throws IOException {
    MapRequest request = MapRequest.anonymous(Pages.SIZE, RW).near(START + 5);
    assertThat(space.map(request).start()).isEqualTo(START);
    assertThat(space.map(request).start()).isNotEqualTo(START);
    assertThat(space.map(request.near(0)).start()).isEqualTo(AddressSpace.LOWEST_ADDRESS);
  }

  @Test
  void adjacentFilesInPlaceDoNotMergeAndAnonymousMemoryDoes() throws IOException {
    mapShared(2);
    space.map(MapRequest.shared(file, RW).pages(2, Pages.SIZE).at(at(2)));
    assertThat(space.vmas()).hasSize(2);
    space.map(MapRequest.anonymous(Pages.SIZE, RW).at(at(10)));
    space.map(MapRequest.anonymous(Pages.SIZE, RW).at(at(11)));
    assertThat(space.vmas()).hasSize(3);
  }
}
