package dev.xip.vm;

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
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A table without counted entries is freed as it is; in any other the counted entries are found.
 */
class WholeTablesTest {
  private static final long AT = 4L << 20;
  private static final int PAGES = 600;
  private static final AddrRange RANGE = AddrRange.ofLength(AT, PAGES * Pages.SIZE);
  private static final int ROUNDS = Boolean.getBoolean("xip.stress") ? 20_000 : 500;

  private final TestMachine machine = new TestMachine(Rules.DEFAULT.without(Rule.HUGE_LEAVES));
  private final EntryLayout layout = machine.manager.layout();
  private final AddressSpace space = machine.space("test");

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  private void mapAndRead(long flags, MemoryFile file) {
    map(space, AT, PAGES, flags, file);
    readAll();
  }

  private void readAll() {
    for (int page = 0; page < PAGES; page++) {
      read(space, AT + page * Pages.SIZE);
    }
  }

  @Test
  void aTableWithoutCountedEntriesIsFreedAsItIs() throws Exception {
    mapAndRead(PRIVATE, machine.file("f", PAGES));
    AddressReader reader = new AddressReader(space);
    assertThat(reader.getLong(AT)).isEqualTo(1);
    long slot = space.table().descend(AT);
    long pte = entry(space, AT);
    space.unmap(RANGE);
    assertThat(space.table().get(slot)).isEqualTo(pte);
    assertThat(PageTable.levelOf(space.table().descend(AT))).isNotEqualTo(Level.PTE);
    assertThat(space.table().countTables()).isEqualTo(1);
    assertThatThrownBy(() -> reader.getLong(AT))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class);
  }

  @Test
  void aPartOfATableIsEmptiedAndTheRestStays() throws MapException {
    mapAndRead(PRIVATE, machine.file("f", PAGES));
    space.unmap(AddrRange.ofLength(AT, 100 * Pages.SIZE));
    assertThat(layout.isEmpty(entry(space, AT + 99 * Pages.SIZE))).isTrue();
    assertThat(layout.isEmpty(entry(space, AT + 100 * Pages.SIZE))).isFalse();
    machine.verify();
  }

  @Test
  void aPrivateCopyIsFoundWhereverItIs() throws MapException {
    mapAndRead(PRIVATE, machine.file("f", PAGES));
    write(space, AT + 500 * Pages.SIZE, 7);
    space.unmap(RANGE);
    assertThat(space.anonymousFrames()).isZero();
    assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS)).isZero();
  }

  @Test
  void aPrivateCopyThatCameFromTheParentIsFoundInTheChild() throws MapException {
    mapAndRead(PRIVATE, machine.file("f", PAGES));
    write(space, AT + 500 * Pages.SIZE, 7);
    space.fork("child").close();
    machine.verify();
    space.unmap(RANGE);
    assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS)).isZero();
  }

  @Test
  void aHolesPageIsFoundWhereverItIs() throws IOException {
    MemoryFile file = machine.file("f", PAGES - 1);
    file.truncate(PAGES * Pages.SIZE);
    mapAndRead(PRIVATE, file);
    assertThat(space.fileFrames()).isEqualTo(1);
    space.unmap(RANGE);
    assertThat(space.fileFrames()).isZero();
    assertThat(machine.references(machine.manager.sparsePfn())).isEqualTo(1);
  }

  /** A store under the lock of a table checks its entry alone. */
  @Test
  void aTableWithWritableEntriesIsEmptiedBeforeItIsFreed() throws MapException {
    mapAndRead(SHARED, machine.file("f", PAGES));
    write(space, AT, 7);
    long slot = space.table().descend(AT);
    space.unmap(RANGE);
    assertThat(layout.isEmpty(space.table().get(slot))).isTrue();
  }

  private boolean isSealed(AddressSpace of, long va) {
    return machine.memory.frames().isSealed(of.table().descend(va) >>> Pages.SHIFT);
  }

  @Test
  void aTableThatAForkHasCopiedIsSealedUntilItIsLocked() throws MapException {
    mapAndRead(PRIVATE, machine.file("f", PAGES));
    try (AddressSpace child = space.fork("child")) {
      assertThat(isSealed(child, AT)).isTrue();
      assertThat(isSealed(space, AT)).isFalse();
      assertThat(read(child, AT)).isEqualTo(1);
      assertThat(isSealed(child, AT)).isTrue();
      write(child, AT + 500 * Pages.SIZE, 7);
      assertThat(isSealed(child, AT)).isFalse();
    }
    machine.verify();
    assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS)).isZero();
  }

  @Test
  void aTableWithWritableEntriesIsNotSealed() throws MapException {
    mapAndRead(SHARED, machine.file("f", PAGES));
    write(space, AT, 7);
    try (AddressSpace child = space.fork("child")) {
      assertThat(isSealed(child, AT)).isFalse();
    }
  }

  @Test
  void aSealedTableWithACountedOrWritableEntryIsReported() throws MapException {
    mapAndRead(PRIVATE, machine.file("f", PAGES));
    try (AddressSpace child = space.fork("child")) {
      long slot = child.table().descend(AT);
      long pte = child.table().get(slot);
      for (long wrong :
          new long[] {
            layout.leaf(machine.manager.zeroPfn(), Access.READ),
            layout.withWrite(layout.withSpecial(layout.leaf(layout.pfn(pte), Access.READ_WRITE)))
          }) {
        child.table().set(slot, wrong);
        assertThat(Verifier.verify(machine.manager))
            .anySatisfy(line -> assertThat(line).contains("0x%x".formatted(AT), "sealed table"));
      }
      child.table().set(slot, pte);
    }
  }

  /** Truncation finds the child's entry, or has removed the parent's before fork copied it. */
  @Test
  void aPageRemovedFromAFileDuringAForkIsMappedInNeitherSpace() throws MapException {
    MemoryFile file = machine.file("f", PAGES);
    map(space, AT, PAGES, PRIVATE, file);
    for (int round = 0; round < ROUNDS; round++) {
      readAll();
      List<AddressSpace> spaces =
          Threads.together(
              List.<Callable<AddressSpace>>of(
                  () -> space.fork("child"),
                  () -> {
                    file.invalidate(0, PAGES);
                    return space;
                  }));
      for (AddressSpace each : spaces) {
        assertThat(Census.of(each).special()).as(each.name()).isZero();
      }
      spaces.getFirst().close();
    }
  }

  /** Truncation may be in a table that exit has taken out. */
  @Test
  void exitAndATruncationRunConcurrently() throws MapException {
    MemoryFile file = machine.file("f", PAGES);
    map(space, AT, PAGES, PRIVATE, file);
    for (int round = 0; round < ROUNDS; round++) {
      readAll();
      AddressSpace child = space.fork("child");
      Threads.together(
          List.<Callable<Void>>of(
              () -> {
                child.close();
                return null;
              },
              () -> {
                file.invalidate(0, PAGES);
                return null;
              }));
      machine.verify();
    }
  }
}
