package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.S390x2008Layout;
import dev.xip.pagetable.S390xLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** rules.md, "Guard regions". */
class GuardRegionsTest {
  private static final long START = 0x10_0000;
  private static final int PAGES = 8;

  static Stream<EntryLayout> layouts() {
    return Stream.of(X8664Layout.INSTANCE, S390xLayout.INSTANCE, Arm64Layout.INSTANCE);
  }

  private static TestMachine today() {
    return new TestMachine(Era.LINUX_6_19.rules());
  }

  private static AddrRange pages(int first, int count) {
    return AddrRange.ofLength(START + first * Pages.SIZE, count * Pages.SIZE);
  }

  private static long at(int page) {
    return START + page * Pages.SIZE;
  }

  private static AddressSpace written(TestMachine machine) {
    AddressSpace space = machine.space("guarded");
    TestMachine.map(space, START, PAGES, TestMachine.ANONYMOUS, null);
    for (int i = 0; i < PAGES; i++) {
      TestMachine.write(space, at(i), i + 1);
    }
    return space;
  }

  private static void assertGuarded(AddressSpace space, int page) {
    assertThatThrownBy(() -> new AddressReader(space).getLong(at(page)))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class)
        .hasMessageContaining("a guard region of ");
  }

  @ParameterizedTest
  @MethodSource("layouts")
  void anAccessIsRefusedAndThePageBeforeIsUntouched(EntryLayout layout) throws Exception {
    try (TestMachine machine =
        new TestMachine(layout, FrameStrategy.SPECIAL_BIT, Era.LINUX_6_19.rules())) {
      AddressSpace space = written(machine);
      space.advise(pages(2, 2), Advice.GUARD_INSTALL);
      assertGuarded(space, 2);
      assertThatThrownBy(() -> new AddressWriter(space).putLong(at(3), 1))
          .isInstanceOf(MemoryFaultException.SegmentationFault.class);
      assertThat(TestMachine.read(space, at(1))).isEqualTo(2);
      assertThat(space.anonymousFrames()).isEqualTo(PAGES - 2);
    }
  }

  @Test
  void theMappingStaysOne() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = written(machine);
      space.advise(pages(2, 2), Advice.GUARD_INSTALL);
      assertThat(space.vmas()).hasSize(1);
      assertThat(VmaFlags.letters(space.vmas().getFirst().flags())).contains(" gu");
    }
  }

  @Test
  void mappingsThatDifferInTheFlagAloneMerge() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = machine.space("merged");
      TestMachine.map(space, START, 2, TestMachine.ANONYMOUS, null);
      space.advise(pages(0, 1), Advice.GUARD_INSTALL);
      TestMachine.map(space, at(2), 2, TestMachine.ANONYMOUS, null);
      assertThat(space.vmas()).hasSize(1);
      assertThat(space.vmas().getFirst().has(VmaFlags.MAYBE_GUARD)).isTrue();
    }
  }

  @Test
  void dontneedKeepsTheRegionAndRemovalGivesEmptyPages() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = written(machine);
      space.advise(pages(2, 2), Advice.GUARD_INSTALL);
      space.advise(pages(0, PAGES), Advice.DONTNEED);
      assertGuarded(space, 2);
      assertThat(TestMachine.read(space, at(1))).isZero();
      space.advise(pages(0, PAGES), Advice.GUARD_REMOVE);
      assertThat(TestMachine.read(space, at(2))).isZero();
    }
  }

  @Test
  void munmapDropsTheRegion() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = written(machine);
      space.advise(pages(2, 2), Advice.GUARD_INSTALL);
      space.unmap(pages(2, 2));
      TestMachine.map(space, at(2), 2, TestMachine.ANONYMOUS, null);
      assertThat(TestMachine.read(space, at(2))).isZero();
    }
  }

  @Test
  void mprotectAndMremapKeepTheRegion() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = written(machine);
      space.advise(pages(2, 1), Advice.GUARD_INSTALL);
      space.protect(pages(0, PAGES), Access.READ);
      assertGuarded(space, 2);
      long target = at(64);
      space.remap(RemapRequest.to(pages(0, PAGES), PAGES * Pages.SIZE, target));
      assertGuarded(space, 66);
      assertThat(TestMachine.read(space, at(65))).isEqualTo(2);
    }
  }

  @Test
  void forkCopiesTheRegionOfMemoryThatWasNeverTouched() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = machine.space("parent");
      TestMachine.map(space, START, PAGES, TestMachine.ANONYMOUS, null);
      space.advise(pages(2, 1), Advice.GUARD_INSTALL);
      assertGuarded(machine.fork(space), 2);
    }
  }

  @Test
  void theFlagAloneMakesForkCopyTheRegion() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = machine.space("parent");
      long flags = TestMachine.ANONYMOUS | VmaFlags.MAYBE_GUARD;
      TestMachine.map(space, START, PAGES, flags, null);
      long slot = space.table().slotOrCreate(at(2));
      space.table().set(slot, space.table().layout().guard());
      assertThat(space.vmas().getFirst().anon().isUsed()).isFalse();
      assertGuarded(machine.fork(space), 2);
    }
  }

  @Test
  void withoutTheFlagAHistoryOfPrivatePagesMakesForkCopyIt() throws Exception {
    try (TestMachine machine = new TestMachine(Era.LINUX_6_19.rules().without(Rule.GUARD_FLAG))) {
      AddressSpace space = machine.space("parent");
      TestMachine.map(space, START, PAGES, TestMachine.ANONYMOUS, null);
      space.advise(pages(2, 1), Advice.GUARD_INSTALL);
      assertThat(space.vmas().getFirst().has(VmaFlags.MAYBE_GUARD)).isFalse();
      assertThat(space.vmas().getFirst().anon().isUsed()).isTrue();
      assertGuarded(machine.fork(space), 2);
    }
  }

  @Test
  void aRegionThatForkDidNotCopyIsLostInTheChild() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = machine.space("parent");
      TestMachine.map(space, START, PAGES, TestMachine.ANONYMOUS, null);
      // An entry that neither flag nor history tells of.
      long slot = space.table().slotOrCreate(at(2));
      space.table().set(slot, space.table().layout().guard());
      assertGuarded(space, 2);
      assertThat(TestMachine.read(machine.fork(space), at(2))).isZero();
    }
  }

  @Test
  void noPageIsGivenOutAndMincoreCountsNone() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = written(machine);
      space.advise(pages(2, 1), Advice.GUARD_INSTALL);
      assertThatExceptionOfType(MapException.class)
          .isThrownBy(() -> space.getUserPages().pin(at(2), 1, false, false))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
      assertThatExceptionOfType(MapException.class)
          .isThrownBy(() -> space.lock(pages(2, 1)))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
      assertThat(space.inCore(pages(0, PAGES)).get(2)).isFalse();
      assertThat(space.inCore(pages(0, PAGES)).cardinality()).isEqualTo(PAGES - 1);
    }
  }

  @Test
  void lockedMemoryTakesNoRegionButLosesOne() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = written(machine);
      space.advise(pages(2, 1), Advice.GUARD_INSTALL);
      space.lock(pages(0, 1));
      assertRefused(space, pages(0, 1));
      assertThatThrownBy(() -> space.lock(pages(2, 1))).isInstanceOf(MapException.class);
      space.advise(pages(2, 1), Advice.GUARD_REMOVE);
      assertThat(TestMachine.read(space, at(2))).isZero();
    }
  }

  private static void assertRefused(AddressSpace space, AddrRange range) {
    assertThatExceptionOfType(MapException.class)
        .isThrownBy(() -> space.advise(range, Advice.GUARD_INSTALL))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
  }

  @Test
  void aMappingWithMixedmapTakesNone() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = machine.space("mixed");
      TestMachine.map(space, START, 1, TestMachine.PRIVATE, machine.file("file", 1));
      assertRefused(space, pages(0, 1));
    }
  }

  @Test
  void aFileThroughThePageCacheTakesOneThatForkCopiesAndTruncationKeeps() throws Exception {
    try (TestMachine machine = today()) {
      AddressSpace space = machine.space("cached");
      CachedFile file = machine.cached("f", 2);
      space.map(MapRequest.shared(file, Access.READ_WRITE).at(START));
      TestMachine.read(space, START);
      space.advise(pages(0, 1), Advice.GUARD_INSTALL);
      assertThat(space.vmas().getFirst().anon().isUsed()).isFalse();
      assertGuarded(machine.fork(space), 0);
      file.truncate(0);
      assertGuarded(space, 0);
      assertThatThrownBy(() -> TestMachine.read(space, at(1)))
          .hasRootCauseInstanceOf(MemoryFaultException.BusError.class);
      space.close();
    }
  }

  @Test
  void readOnlyMemoryTakesOneSince615() throws Exception {
    long readOnly = TestMachine.ANONYMOUS & ~(VmaFlags.WRITE | VmaFlags.MAYWRITE);
    Rules first = Era.LINUX_6_19.rules().without(Rule.GUARD_REGIONS_ANYWHERE, Rule.GUARD_FLAG);
    try (TestMachine before = new TestMachine(first);
        TestMachine now = today()) {
      AddressSpace old = before.space("6.13");
      TestMachine.map(old, START, 1, readOnly, null);
      assertRefused(old, pages(0, 1));
      AddressSpace space = now.space("6.15");
      TestMachine.map(space, START, 1, readOnly, null);
      space.advise(pages(0, 1), Advice.GUARD_INSTALL);
      assertGuarded(space, 0);
    }
  }

  @Test
  void earlierReleasesAndLayoutsOf2008HaveNone() throws Exception {
    try (TestMachine old = new TestMachine();
        TestMachine s390x =
            new TestMachine(
                S390x2008Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, Era.LINUX_6_19.rules());
        TestMachine x8664 =
            new TestMachine(
                X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT, Era.LINUX_6_19.rules())) {
      assertRefused(written(old), pages(0, 1));
      assertRefused(written(s390x), pages(0, 1));
      assertRefused(written(x8664), pages(0, 1));
    }
  }
}
