package dev.xip.vm;

import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static dev.xip.vm.TestMachine.read;
import static dev.xip.vm.TestMachine.write;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.EntryLayout;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Property 8: truncation takes private copies out as well, invalidation leaves them. */
class UnmapTest {
  private static final long AT = 0x10_0000;
  private static final long SPECIAL = AT;
  private static final long COPY = AT + Pages.SIZE;
  private static final long SPARSE = AT + 2 * Pages.SIZE;
  private static final long NONE = AT + 3 * Pages.SIZE;

  private final TestMachine machine = new TestMachine();
  private final EntryLayout layout = machine.manager.layout();
  private final AddressSpace space = machine.space("test");
  private final MemoryFile file = machine.file("f", 2);

  @BeforeEach
  void mapOneEntryOfEachKind() throws IOException {
    file.truncate(4 * Pages.SIZE);
    map(space, AT, 4, PRIVATE, file);
    read(space, SPECIAL);
    write(space, COPY, 55);
    read(space, SPARSE);
    assertThat(space.fileFrames()).isEqualTo(1);
    assertThat(space.anonymousFrames()).isEqualTo(1);
  }

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  private boolean isEmpty(long va) {
    return layout.isEmpty(entry(space, va));
  }

  @Test
  void invalidationZapsSpecialAndSparseEntriesAndLeavesCopies() {
    long generation = space.generation();
    file.invalidate(0, 4);
    assertThat(isEmpty(SPECIAL)).isTrue();
    assertThat(isEmpty(COPY)).isFalse();
    assertThat(isEmpty(SPARSE)).isTrue();
    assertThat(isEmpty(NONE)).isTrue();
    assertThat(space.fileFrames()).isZero();
    assertThat(space.anonymousFrames()).isEqualTo(1);
    assertThat(space.generation()).isGreaterThan(generation);
    assertThat(read(space, COPY)).isEqualTo(55);
  }

  @Test
  void truncationZapsCopiesToo() throws IOException {
    file.truncate(0);
    for (long va = AT; va < AT + 4 * Pages.SIZE; va += Pages.SIZE) {
      assertThat(isEmpty(va)).isTrue();
      long touched = va;
      assertThatThrownBy(() -> read(space, touched))
          .hasRootCauseInstanceOf(MemoryFaultException.BusError.class);
    }
    assertThat(space.fileFrames()).isZero();
    assertThat(space.anonymousFrames()).isZero();
    assertThat(file.blockCount()).isZero();
  }

  @Test
  void aPageThatIsCutInsideStaysMappedWithItsEndZeroed() throws IOException {
    file.truncate(16);
    assertThat(isEmpty(SPECIAL)).isFalse();
    assertThat(isEmpty(COPY)).isTrue();
    assertThat(read(space, SPECIAL + 8)).isEqualTo(9);
    assertThat(read(space, SPECIAL + 16)).isZero();
  }

  @Test
  void onlyThePagesAskedForAreTakenOutOfAMappingThatBeginsLater() throws IOException {
    AddressSpace other = machine.space("other");
    map(other, new Vma(AddrRange.ofLength(AT, 2 * Pages.SIZE), PRIVATE, file, 1));
    write(other, AT, 1);
    read(other, AT + Pages.SIZE);
    file.truncate(2 * Pages.SIZE);
    assertThat(layout.isEmpty(entry(other, AT))).isFalse();
    assertThat(layout.isEmpty(entry(other, AT + Pages.SIZE))).isTrue();
  }

  @Test
  void aHolePunchedShowsZerosAndKeepsCopies() {
    file.punchHole(0, 2);
    assertThat(read(space, SPECIAL)).isZero();
    assertThat(read(space, COPY)).isEqualTo(55);
    assertThat(file.blockCount()).isZero();
  }

  @Test
  void anUnmappedFileForgetsItsMapper() throws IOException {
    space.unmap(AddrRange.ofLength(AT, 2 * Pages.SIZE));
    assertThat(machine.manager.reverseMap().files()).isEqualTo(1);
    space.unmap(AddrRange.ofLength(SPARSE, 2 * Pages.SIZE));
    assertThat(machine.manager.reverseMap().files()).isZero();
    file.truncate(0);
    assertThat(space.table().countTables()).isEqualTo(1);
  }
}
