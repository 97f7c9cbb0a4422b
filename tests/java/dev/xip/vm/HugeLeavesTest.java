package dev.xip.vm;

import static dev.xip.vm.HugeMachine.HUGE;
import static dev.xip.vm.HugeMachine.HUGE_PAGES;
import static dev.xip.vm.HugeMachine.PAGES;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.S390xLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** When one entry maps 2 MiB, and what splits it into 512. */
class HugeLeavesTest {
  static final List<EntryLayout> LAYOUTS = List.of(X8664Layout.INSTANCE, Arm64Layout.INSTANCE);

  private static final long AT = 1L << 32;
  private static final Access RW = Access.READ_WRITE;

  private HugeMachine machine;
  private AddressSpace space;

  private void boot(EntryLayout layout) {
    machine = new HugeMachine(layout, Rules.DEFAULT, 16L << 20);
    space = space("test");
  }

  private AddressSpace space(String name) {
    try {
      return machine.manager.newAddressSpace(name);
    } catch (MapException e) {
      throw new AssertionError(e);
    }
  }

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  private void map(Access access, int firstPage, int pages) throws MapException {
    space.map(
        MapRequest.privately(machine.file, access)
            .pages(firstPage, pages * Pages.SIZE)
            .at(AT + firstPage * Pages.SIZE));
  }

  private static AddrRange pages(int first, int count) {
    return AddrRange.ofLength(at(first), count * Pages.SIZE);
  }

  private static long at(int page) {
    return AT + page * Pages.SIZE;
  }

  private void requireCensus(long special, long normal, long huge) {
    Census census = Census.of(space);
    assertThat(census.special()).as("special").isEqualTo(special);
    assertThat(census.normal()).as("normal").isEqualTo(normal);
    assertThat(census.huge()).as("huge").isEqualTo(huge);
    assertThat(census.bad()).isZero();
    machine.verify();
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aReadMapsTwoMebibytesWithOneEntryAndNoTableForPages(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 0, PAGES);
    assertThat(read(space, at(700))).isEqualTo(701);
    assertThat(read(space, at(1023))).isEqualTo(1024);
    assertThat(space.minorFaults()).isEqualTo(1);
    requireCensus(HUGE_PAGES, 0, 1);
    assertThat(Census.of(space).tables()).isEqualTo(3);
    assertThat(space.fileFrames() + space.anonymousFrames()).isZero();
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void whereTheMappingOrTheFileEndsPagesAreMappedOneByOne(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 100, 900);
    read(space, at(110));
    read(space, at(511));
    requireCensus(28, 0, 0);
    read(space, at(512));
    requireCensus(44, 0, 0);
    assertThat(read(space, at(999))).isEqualTo(1000);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void anAddressThatIsNotCongruentWithTheMemoryHasSmallPages(EntryLayout layout) throws Exception {
    boot(layout);
    space.map(MapRequest.shared(machine.file, Access.READ).at(AT + Pages.SIZE));
    read(space, AT + HUGE);
    requireCensus(16, 0, 0);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aStoreSplitsTheLeafAndCopiesOnePage(EntryLayout layout) throws Exception {
    boot(layout);
    map(RW, 0, PAGES);
    read(space, at(3));
    read(space, at(600));
    requireCensus(2 * HUGE_PAGES, 0, 2);
    write(space, at(5), 99);
    requireCensus(2 * HUGE_PAGES - 1, 1, 1);
    assertThat(space.copies()).isEqualTo(1);
    assertThat(space.minorFaults()).isEqualTo(3);
    assertThat(read(space, at(4))).isEqualTo(5);
    assertThat(read(space, at(5))).isEqualTo(99);
    assertThat(layout.isSpecial(entry(space, at(6)))).isTrue();
    assertThat(space.minorFaults()).isEqualTo(3);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void protectingAPartSplitsAndProtectingAllDoesNot(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 0, PAGES);
    space.advise(pages(0, PAGES), Advice.WILLNEED);
    requireCensus(PAGES, 0, 5);
    space.protect(pages(0, PAGES), Access.NONE);
    assertThatThrownBy(() -> read(space, at(7))).hasMessageContaining("SIGSEGV");
    requireCensus(PAGES, 0, 5);
    space.protect(pages(0, PAGES), Access.READ);
    assertThat(read(space, at(7))).isEqualTo(8);
    space.protect(pages(600, 10), Access.NONE);
    requireCensus(PAGES, 0, 4);
    assertThatThrownBy(() -> read(space, at(609))).hasMessageContaining("SIGSEGV");
    assertThat(read(space, at(610))).isEqualTo(611);
    assertThat(space.minorFaults()).isZero();
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void unmappingAPartOfALeafLeavesTheRest(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 0, PAGES);
    space.advise(pages(0, PAGES), Advice.WILLNEED);
    space.unmap(pages(100, 10));
    requireCensus(PAGES - 10, 0, 4);
    space.advise(pages(1000, 100), Advice.DONTNEED);
    requireCensus(PAGES - 110, 0, 2);
    machine.file.invalidate(2000, 1);
    requireCensus(PAGES - 111, 0, 1);
    machine.file.invalidate(2048, 512);
    requireCensus(PAGES - 111 - 512, 0, 0);
    assertThat(read(space, at(99))).isEqualTo(100);
    assertThat(read(space, at(2500))).isEqualTo(2501);
    assertThat(space.inCore(pages(0, 100)).cardinality()).isEqualTo(100);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aNewBoundaryBetweenMappingsSplitsTheLeaf(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 0, PAGES);
    space.advise(pages(0, PAGES), Advice.WILLNEED);
    space.advise(pages(700, 20), Advice.DONTFORK);
    requireCensus(PAGES, 0, 4);
    try (AddressSpace child = space.fork("child")) {
      assertThat(Census.of(child).special()).isEqualTo(PAGES - 20);
      assertThat(Census.of(child).huge()).isEqualTo(4);
      assertThat(read(child, at(2000))).isEqualTo(2001);
      assertThat(child.minorFaults()).isZero();
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aChildHasTheLeavesAndNeitherSideSeesTheOthersStores(EntryLayout layout) throws Exception {
    boot(layout);
    map(RW, 0, PAGES);
    space.advise(pages(0, PAGES), Advice.WILLNEED);
    try (AddressSpace child = space.fork("child")) {
      assertThat(Census.of(child).huge()).isEqualTo(5);
      assertThat(layout.isYoung(entry(child, at(0)))).isFalse();
      write(child, at(10), 1000);
      write(space, at(10), 2000);
      assertThat(read(child, at(10))).isEqualTo(1000);
      assertThat(read(space, at(10))).isEqualTo(2000);
      machine.verify();
    }
    requireCensus(PAGES - 1, 1, 4);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aMovedMappingReadsTheSame(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 0, PAGES);
    space.advise(pages(0, PAGES), Advice.WILLNEED);
    long to = 2 * AT + 3 * Pages.SIZE;
    space.remap(RemapRequest.to(pages(10, 1500), 1500 * Pages.SIZE, to));
    assertThat(read(space, to + 1000 * Pages.SIZE)).isEqualTo(1011);
    assertThat(read(space, at(9))).isEqualTo(10);
    assertThat(read(space, at(1510))).isEqualTo(1511);
    machine.verify();
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void getUserPagesRefusesALeafForReadingAndCopiesFromItForWriting(EntryLayout layout)
      throws Exception {
    boot(layout);
    map(RW, 0, PAGES);
    read(space, at(3));
    GetUserPages pages = space.getUserPages();
    assertThatThrownBy(() -> pages.pin(at(3), 1, false, false)).hasMessageContaining("EFAULT");
    try (PinnedPages pinned = pages.pin(at(3), 1, true, false)) {
      assertThat(pinned.count()).isEqualTo(1);
    }
    requireCensus(HUGE_PAGES - 1, 1, 0);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aLeafThatCannotBeSplitIsDroppedAndFaultsInAgain(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 0, PAGES);
    read(space, at(3));
    List<Long> taken = new ArrayList<>();
    for (long pfn; (pfn = machine.memory.allocator().allocate(FrameUse.ANONYMOUS)) >= 0; ) {
      taken.add(pfn);
    }
    space.unmap(pages(0, 1));
    assertThat(Census.of(space).special()).isZero();
    taken.forEach(machine.memory.allocator()::put);
    assertThat(read(space, at(3))).isEqualTo(4);
    assertThatThrownBy(() -> read(space, at(0))).hasMessageContaining("SIGSEGV");
    requireCensus(15, 0, 0);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aPlaceIsChosenWhereTheFileCanHaveLeaves(EntryLayout layout) throws Exception {
    boot(layout);
    AddrRange range =
        space.map(
            MapRequest.shared(machine.file, Access.READ)
                .pages(7, (PAGES - 7) * Pages.SIZE)
                .with(MapFlag.POPULATE));
    assertThat(range.start() & HUGE - 1).isEqualTo(7 * Pages.SIZE);
    requireCensus(PAGES - 7, 0, 4);
    assertThat(read(space, range.start())).isEqualTo(8);
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void smapsAndDumpCountEveryPageOfALeaf(EntryLayout layout) throws Exception {
    boot(layout);
    map(Access.READ, 0, PAGES);
    space.advise(pages(0, PAGES), Advice.WILLNEED);
    assertThat(SpaceMaps.smaps(space)).contains("Special:           10240 kB");
    assertThat(PageTableDump.of(space)).contains("PMD     5 x", "special");
  }

  @ParameterizedTest
  @FieldSource("OTHERS")
  void aMachineThatHasNoneMapsPages(Other other) throws Exception {
    machine = new HugeMachine(other.layout, other.rules, 16L << 20);
    space = space("test");
    map(Access.READ, 0, PAGES);
    read(space, at(600));
    requireCensus(other.rules.faultAroundPages(), 0, 0);
  }

  private record Other(EntryLayout layout, Rules rules) {}

  static final List<Other> OTHERS =
      List.of(
          new Other(X8664Layout.INSTANCE, Rules.DEFAULT.without(Rule.HUGE_LEAVES)),
          new Other(X8664Layout.INSTANCE, Era.LINUX_3_19.rules()),
          new Other(S390xLayout.INSTANCE, Rules.DEFAULT));
}
