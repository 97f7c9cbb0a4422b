package dev.xip.vm;

import static dev.xip.vm.TestMachine.ANONYMOUS;
import static dev.xip.vm.TestMachine.DEVICE;
import static dev.xip.vm.TestMachine.PRIVATE;
import static dev.xip.vm.TestMachine.SHARED;
import static dev.xip.vm.TestMachine.entry;
import static dev.xip.vm.TestMachine.map;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.FrameUse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The insertion primitives: preconditions, errors by name, and what each one counts. */
class InsertionTest {
  private static final long AT = 0x10_0000;
  private static final Pfn RAW = new Pfn(DEVICE >>> Pages.SHIFT);
  private static final long PFNMAP = SHARED & ~VmaFlags.MIXEDMAP | VmaFlags.PFNMAP;

  private TestMachine machine = new TestMachine();
  private AddressSpace space;
  private MemoryFile file;
  private long frame;

  @BeforeEach
  void takeAFrame() {
    space = machine.space("test");
    file = machine.file("f", 4);
    frame = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
  }

  @AfterEach
  void everythingGoesBackToZero() {
    space.close();
    machine.memory.allocator().put(frame);
    machine.close();
  }

  private void withoutSpecialBit() {
    everythingGoesBackToZero();
    machine =
        new TestMachine(X8664Of2008Layout.INSTANCE, FrameStrategy.SORTED_ARRAY, Rules.DEFAULT);
    takeAFrame();
  }

  @Test
  void aPfnGoesIntoAMappingWithEitherFlagAndIsNotCounted() {
    map(space, AT, 1, PRIVATE, file);
    map(space, 2 * AT, 1, PFNMAP, file);
    for (long va : new long[] {AT, 2 * AT}) {
      assertThat(space.insertPfn(va, RAW)).isEqualTo(Errno.OK);
      assertThat(machine.manager.layout().isSpecial(entry(space, va))).isTrue();
      assertThat(space.insertPfn(va, RAW)).isEqualTo(Errno.EBUSY);
    }
    assertThat(space.fileFrames()).isZero();
    assertThat(machine.manager.layout().isWritable(entry(space, AT))).isFalse();
    assertThat(machine.manager.layout().isWritable(entry(space, 2 * AT))).isTrue();
  }

  @Test
  void aPfnIsABugWhereTheMappingIsNotMadeForIt() {
    map(space, AT, 1, ANONYMOUS, file);
    map(space, 2 * AT, 1, PFNMAP | VmaFlags.MIXEDMAP, file);
    map(space, 3 * AT, 1, PRIVATE & ~VmaFlags.MIXEDMAP | VmaFlags.PFNMAP, file);
    map(space, 4 * AT, 1, PRIVATE, file);
    assertThatThrownBy(() -> space.insertPfn(AT, RAW))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("PFNMAP or MIXEDMAP must be set");
    assertThatThrownBy(() -> space.insertPfn(2 * AT, RAW)).hasMessageContaining("exclude");
    assertThatThrownBy(() -> space.insertPfn(3 * AT, RAW)).hasMessageContaining("copied on write");
    assertThatThrownBy(() -> space.insertPfn(4 * AT, new Pfn(frame)))
        .hasMessageContaining("no page frame");
    assertThatThrownBy(() -> space.insertMixed(AT, RAW)).hasMessageContaining("MIXEDMAP must");
    assertThatThrownBy(() -> space.insertFrame(2 * AT, new Pfn(frame)))
        .hasMessageContaining("PFNMAP");
  }

  @Test
  void errorsHaveTheKernelsNames() {
    map(space, AT, 1, PRIVATE, file);
    assertThat(space.insertPfn(AT + Pages.SIZE, RAW)).isEqualTo(Errno.EFAULT);
    assertThat(space.insertMixed(AT + Pages.SIZE, RAW)).isEqualTo(Errno.EFAULT);
    assertThat(space.insertFrame(AT + Pages.SIZE, new Pfn(frame))).isEqualTo(Errno.EFAULT);
    long free = machine.memory.frames().count() - 1;
    assertThat(space.insertFrame(AT, new Pfn(free))).isEqualTo(Errno.EINVAL);
    assertThat(space.insertFrame(AT, RAW)).isEqualTo(Errno.EINVAL);
    assertThat(space.insertPfn(AT, new Pfn(1L << 39))).isEqualTo(Errno.EINVAL);
    long anonymous = machine.memory.allocator().allocate(FrameUse.ANONYMOUS);
    assertThat(space.insertFrame(AT, new Pfn(anonymous))).isEqualTo(Errno.EINVAL);
    machine.memory.allocator().put(anonymous);
  }

  @Test
  void noFrameForATableIsNamed() {
    map(space, AT, 1, PRIVATE, file);
    long[] taken = new long[(int) machine.memory.allocator().available()];
    for (int i = 0; i < taken.length; i++) {
      taken[i] = machine.memory.allocator().allocate(FrameUse.ANONYMOUS);
    }
    assertThat(space.insertMixed(AT, RAW)).isEqualTo(Errno.ENOMEM);
    assertThat(space.insertFrame(AT, new Pfn(frame))).isEqualTo(Errno.ENOMEM);
    for (long pfn : taken) {
      machine.memory.allocator().put(pfn);
    }
    assertThat(space.insertMixed(AT, RAW)).isEqualTo(Errno.OK);
  }

  @Test
  void aFrameIsCountedAndMakesTheMappingMixed() {
    map(space, AT, 1, PRIVATE & ~VmaFlags.MIXEDMAP, file);
    assertThat(space.insertFrame(AT, new Pfn(frame))).isEqualTo(Errno.OK);
    assertThat(space.find(AT).has(VmaFlags.MIXEDMAP)).isTrue();
    assertThat(space.fileFrames()).isEqualTo(1);
    assertThat(machine.references(frame)).isEqualTo(2);
    assertThat(machine.memory.frames().mappings(frame)).isEqualTo(1);
    machine.verify();
  }

  @Test
  void withTheSpecialBitMixedNeverCounts() {
    map(space, AT, 2, PRIVATE, file);
    assertThat(space.insertMixed(AT, RAW)).isEqualTo(Errno.OK);
    assertThat(space.insertMixed(AT + Pages.SIZE, new Pfn(frame))).isEqualTo(Errno.OK);
    assertThat(space.fileFrames()).isZero();
    assertThat(machine.references(frame)).isEqualTo(1);
  }

  @Test
  void withoutTheSpecialBitMixedCountsWhatHasAPageFrame() {
    withoutSpecialBit();
    EntryLayout layout = machine.manager.layout();
    map(space, AT, 2, PRIVATE, file);
    assertThat(space.insertMixed(AT, RAW)).isEqualTo(Errno.OK);
    assertThat(space.insertMixed(AT + Pages.SIZE, new Pfn(frame))).isEqualTo(Errno.OK);
    assertThat(layout.isSpecial(entry(space, AT))).isFalse();
    assertThat(space.fileFrames()).isEqualTo(1);
    assertThat(machine.references(frame)).isEqualTo(2);
    machine.verify();
  }

  @Test
  void anEntryCountedOnlyWhenItIsRemovedIsReportedAndTheSpaceCloses() {
    withoutSpecialBit();
    long zero = machine.manager.zeroPfn();
    map(space, AT, 4, ANONYMOUS, null);
    for (int page = 0; page < 3; page++) {
      TestMachine.read(space, AT + page * Pages.SIZE);
    }
    // The mapping becomes mixed, and the zero page has a page frame: its entries look counted now.
    assertThat(space.insertFrame(AT + 3 * Pages.SIZE, new Pfn(zero))).isEqualTo(Errno.OK);
    TestMachine.write(space, AT, 1);
    machine.badEntriesExpected = 3;
    space.close();
    assertThat(machine.manager.badEntries().lines())
        .hasSize(3)
        .allMatch(
            line ->
                line.startsWith(
                    "BUG: Bad page map in space test: pfn 0x%x (ZERO)".formatted(zero)));
    assertThat(machine.manager.fileFrames()).isZero();
    assertThat(machine.references(zero)).isEqualTo(1);
  }

  @Test
  void theZeroPageIsInsertedTwiceAndCountedBack() {
    for (boolean bit : new boolean[] {true, false}) {
      if (!bit) {
        withoutSpecialBit();
      }
      map(space, AT, 2, PRIVATE, file);
      for (long va : new long[] {AT, AT + Pages.SIZE}) {
        assertThat(space.insertFrame(va, new Pfn(machine.manager.zeroPfn()))).isEqualTo(Errno.OK);
      }
      machine.verify();
      space.close();
      assertThat(machine.references(machine.manager.zeroPfn())).isEqualTo(1);
    }
  }
}
