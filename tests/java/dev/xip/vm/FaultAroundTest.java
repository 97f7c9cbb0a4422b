package dev.xip.vm;

import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.X8664Layout;
import dev.xip.pagetable.X8664Of2008Layout;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Which pages a fault maps beside its own, and which entries are filled before an access. */
class FaultAroundTest {
  /** Page 0x100 of the space, the first of a group. */
  private static final long AT = 0x10_0000;

  private static final long FIRST_PFN = TestMachine.DEVICE >>> Pages.SHIFT;

  private TestMachine machine = new TestMachine();
  private AddressSpace space = machine.space("test");

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  private static PlacedFile run(int pages) {
    return new PlacedFile(IntStream.range(0, pages).mapToLong(i -> FIRST_PFN + i).toArray());
  }

  private void mapFile(PlacedFile file, int firstPage, int pages, long flags) {
    map(space, new Vma(AddrRange.ofLength(AT, pages * Pages.SIZE), flags, file, firstPage));
  }

  private static long at(int page) {
    return AT + page * Pages.SIZE;
  }

  private int[] present(int pages) {
    return IntStream.range(0, pages)
        .filter(page -> space.table().layout().isPresent(entry(space, at(page))))
        .toArray();
  }

  private static int[] pages(int from, int to) {
    return IntStream.range(from, to).toArray();
  }

  private void requireRightEntries(PlacedFile file, int firstPage, int pages) {
    for (int page : present(pages)) {
      long pte = entry(space, at(page));
      assertThat(X8664Layout.INSTANCE.isSpecial(pte)).isTrue();
      assertThat(X8664Layout.INSTANCE.pfn(pte)).isEqualTo(file.pfns()[firstPage + page]);
    }
    machine.verify();
  }

  @Test
  void aReadMapsTheAlignedGroupAroundItInOneFault() {
    PlacedFile file = run(60);
    mapFile(file, 3, 50, PRIVATE);
    read(space, at(20));
    assertThat(present(50)).containsExactly(pages(16, 32));
    requireRightEntries(file, 3, 50);
    read(space, at(31));
    assertThat(space.minorFaults()).isEqualTo(1);
    assertThat(space.fileFrames()).isZero();
  }

  @Test
  void theGroupEndsWithTheMapping() {
    map(space, new Vma(new AddrRange(at(5), at(9)), PRIVATE, run(60), 2));
    read(space, at(7));
    assertThat(present(40)).containsExactly(pages(5, 9));
  }

  @Test
  void theGroupEndsWithTheFile() {
    mapFile(run(7), 0, 16, PRIVATE);
    read(space, at(2));
    assertThat(present(16)).containsExactly(pages(0, 7));
  }

  @Test
  void theGroupIsWhatLiesInOneRun() {
    long[] pfns = IntStream.range(0, 16).mapToLong(i -> FIRST_PFN + i).toArray();
    for (int page = 6; page < 11; page++) {
      pfns[page] += 100;
    }
    PlacedFile file = new PlacedFile(pfns);
    mapFile(file, 0, 16, PRIVATE);
    read(space, at(2));
    assertThat(present(16)).containsExactly(pages(0, 6));
    read(space, at(8));
    assertThat(present(16)).containsExactly(0, 1, 2, 3, 4, 5, 8, 9, 10);
    read(space, at(6));
    assertThat(present(16)).containsExactly(pages(0, 11));
    requireRightEntries(file, 0, 16);
  }

  @Test
  void aPageThatCannotBeReachedIsLeftOut() {
    long[] pfns = run(16).pfns();
    pfns[0] = PlacedFile.UNREACHABLE;
    mapFile(new PlacedFile(pfns), 0, 16, PRIVATE);
    read(space, at(5));
    assertThat(present(16)).containsExactly(pages(5, 16));
  }

  @Test
  void aStoreMapsItsPageAlone() {
    mapFile(run(16), 0, 16, PRIVATE);
    assertThat(space.fault(at(3), Access.WRITE)).isEqualTo(FaultResult.Handled.MAPPED);
    assertThat(present(16)).containsExactly(3);
  }

  @Test
  void pagesThatAreThereAlreadyStayAsTheyAre() {
    mapFile(run(16), 0, 16, PRIVATE);
    write(space, at(3), 7);
    long copy = entry(space, at(3));
    read(space, at(4));
    assertThat(entry(space, at(3))).isEqualTo(copy);
    assertThat(present(16)).hasSize(16);
    assertThat(read(space, at(3))).isEqualTo(7);
  }

  @Test
  void aHoleIsNeitherMappedNorGivenABlock() throws IOException {
    MemoryFile file = machine.holes("f", 16);
    file.allocate(4);
    map(space, AT, 16, SHARED, file);
    read(space, at(4));
    assertThat(present(16)).containsExactly(4);
    assertThat(file.blockCount()).isEqualTo(1);
  }

  @Test
  void aMachineMayMapOnePageForAFault() {
    machine.close();
    machine = new TestMachine(Rules.DEFAULT.withFaultAround(1));
    space = machine.space("test");
    mapFile(run(16), 0, 16, PRIVATE);
    read(space, at(4));
    assertThat(present(16)).containsExactly(4);
    assertThatIllegalArgumentException().isThrownBy(() -> Rules.DEFAULT.withFaultAround(3));
    assertThatIllegalArgumentException().isThrownBy(() -> Rules.DEFAULT.withFaultAround(512));
  }

  static Stream<FrameStrategy> workingWithoutTheBit() {
    return FrameStrategy.working().stream().filter(each -> each.fits(X8664Of2008Layout.INSTANCE));
  }

  @ParameterizedTest
  @MethodSource("workingWithoutTheBit")
  void aMachineWithoutTheBitMapsTheSamePages(FrameStrategy strategy) {
    machine.close();
    machine = new TestMachine(X8664Of2008Layout.INSTANCE, strategy, Rules.DEFAULT);
    space = machine.space("test");
    mapFile(run(40), 0, 40, PRIVATE);
    read(space, at(20));
    assertThat(present(40)).containsExactly(pages(16, 32));
    machine.verify();
  }

  @Test
  void populatingFillsEveryPageWithoutAFault() throws IOException {
    PlacedFile file = run(900);
    AddrRange range = space.map(MapRequest.shared(file, Access.READ).at(AT).with(MapFlag.POPULATE));
    assertThat(range.start()).isEqualTo(AT);
    assertThat(present(900)).hasSize(900);
    assertThat(space.minorFaults()).isZero();
    requireRightEntries(file, 0, 900);
  }

  @Test
  void populatingShowsHolesTheSparsePage() throws IOException {
    MemoryFile file = machine.holes("f", 8);
    file.allocate(5);
    space.map(MapRequest.privately(file, Access.READ).at(AT).with(MapFlag.POPULATE));
    assertThat(present(8)).hasSize(8);
    assertThat(space.fileFrames()).isEqualTo(7);
    assertThat(file.blockCount()).isEqualTo(1);
  }

  @Test
  void populatingEndsWithTheFile() throws IOException {
    space.map(
        MapRequest.shared(run(5), Access.READ)
            .pages(0, 9 * Pages.SIZE)
            .at(AT)
            .with(MapFlag.POPULATE));
    assertThat(present(9)).containsExactly(pages(0, 5));
  }

  @Test
  void pagesThatWillBeNeededAreFilledAsFarAsTheyLieInMemory() throws IOException {
    MemoryFile file = machine.holes("f", 40);
    for (int page : new int[] {2, 3, 17, 39}) {
      file.allocate(page);
    }
    map(space, AT, 40, SHARED, file);
    space.advise(new AddrRange(at(3), at(40)), Advice.WILLNEED);
    assertThat(present(40)).containsExactly(3, 17, 39);
    assertThat(file.blockCount()).isEqualTo(4);
    assertThat(space.minorFaults() + space.fileFrames() + space.copies()).isZero();
  }

  @Test
  void adviceAboutAPrivateWritableMappingCopiesNothing() throws IOException {
    mapFile(run(16), 0, 16, PRIVATE);
    space.advise(new AddrRange(at(0), at(16)), Advice.WILLNEED);
    assertThat(present(16)).hasSize(16);
    assertThat(Arrays.stream(present(16)).mapToLong(page -> entry(space, at(page))))
        .noneMatch(X8664Layout.INSTANCE::isWritable);
    assertThat(space.copies()).isZero();
  }
}
