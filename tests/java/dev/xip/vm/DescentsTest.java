package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.CountingTable;
import dev.xip.pagetable.X8664Layout;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How often a fault goes down the page table from the root. */
class DescentsTest {
  private static final long AT = 1L << 32;
  private static final long GIB = 1L << 30;

  private HugeMachine machine;
  private CountingTable table;
  private AddressSpace space;

  @BeforeEach
  void boot() {
    machine = new HugeMachine(X8664Layout.INSTANCE, Rules.DEFAULT, 16L << 20);
    table = CountingTable.counting(machine.memory.ram(), machine.manager.layout(), machine.manager);
    space = new AddressSpace(new Mm(machine.manager, "counted", table));
  }

  @AfterEach
  void everythingGoesBackToZero() {
    space.close();
    machine.close();
  }

  private void map(MapRequest request, long firstPage, long bytes) throws MapException {
    space.map(request.pages(firstPage, bytes).at(AT));
  }

  private int descentsOf(Access wanted) {
    table.descents();
    assertThat(space.fault(AT, wanted)).isEqualTo(FaultResult.Handled.MAPPED);
    return table.descents();
  }

  @Test
  void theFirstTouchOfAFileDescendsOnce() throws MapException {
    map(MapRequest.privately(machine.file, Access.READ), 0, Pages.SIZE);
    assertThat(descentsOf(Access.READ)).isEqualTo(1);
  }

  @Test
  void theFirstTouchThatTriesAndGivesUpHugeLeavesDescendsOnce() throws MapException {
    map(MapRequest.privately(machine.file, Access.READ), 1, GIB);
    assertThat(descentsOf(Access.READ)).isEqualTo(1);
    assertThat(Census.of(space).huge()).isZero();
  }

  @Test
  void theFirstTouchThatMapsAHugeLeafDescendsOnce() throws MapException {
    map(MapRequest.privately(machine.file, Access.READ), 0, GIB);
    assertThat(descentsOf(Access.READ)).isEqualTo(1);
    assertThat(Census.of(space).huge()).isEqualTo(1);
  }

  @Test
  void theFirstStoreIntoAPrivateFileDescendsOnceForTheEntryAndOnceForTheCopy() throws MapException {
    map(MapRequest.privately(machine.file, Access.READ_WRITE), 1, GIB);
    assertThat(descentsOf(Access.WRITE)).isEqualTo(1);
    assertThat(space.fault(AT, Access.WRITE)).isEqualTo(FaultResult.Handled.COPIED);
    assertThat(table.descents()).isEqualTo(1);
  }

  @Test
  void theFirstTouchOfAHoleDescendsOnce() throws MapException {
    long[] none = new long[(int) (GIB / Pages.SIZE)];
    Arrays.fill(none, PageRun.HOLE.pfn());
    Mappable holes = new PlacedFile(none);
    map(MapRequest.privately(holes, Access.READ), 0, GIB);
    assertThat(descentsOf(Access.READ)).isEqualTo(1);
    assertThat(space.fileFrames()).isEqualTo(1);
  }

  @Test
  void theFirstTouchOfAnonymousMemoryDescendsOnce() throws MapException {
    map(MapRequest.anonymous(GIB, Access.READ_WRITE), 0, GIB);
    assertThat(descentsOf(Access.WRITE)).isEqualTo(1);
  }

  @Test
  void populateDescendsOnceForEachTable() throws MapException {
    map(MapRequest.privately(machine.file, Access.READ), 1, 2 * HugeMachine.HUGE);
    table.descents();
    space.advise(AddrRange.ofLength(AT, 2 * HugeMachine.HUGE), Advice.WILLNEED);
    assertThat(table.descents()).isEqualTo(2);
  }
}
