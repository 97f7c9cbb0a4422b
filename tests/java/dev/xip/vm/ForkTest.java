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

import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Property 7: what a child inherits, what it shares, and what neither side sees of the other. */
class ForkTest {
  private static final long AT = 0x10_0000;

  /** 600 pages from here fill one table of every layout wholly, and others partly. */
  private static final long AROUND_A_TABLE = (2L << 20) - 16 * Pages.SIZE;

  private TestMachine machine = new TestMachine();
  private EntryLayout layout = machine.manager.layout();

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  @Test
  void anUntouchedSpecialEntryIsCopiedWithoutAnyCount() throws MapException {
    AddressSpace parent = machine.space("parent");
    map(parent, AT, 4, PRIVATE, machine.file("f", 4));
    read(parent, AT);
    try (AddressSpace child = parent.fork("child")) {
      assertThat(layout.isSpecial(entry(child, AT))).isTrue();
      assertThat(layout.isYoung(entry(child, AT))).isFalse();
      assertThat(child.fileFrames() + child.anonymousFrames()).isZero();
      assertThat(read(child, AT)).isEqualTo(1);
      assertThat(child.minorFaults()).isZero();
    }
  }

  @Test
  void underTheRulesOf2626AMixedMappingIsLeftForTheChildToFaultIn() throws MapException {
    machine.close();
    machine =
        new TestMachine(X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, Era.LINUX_2_6_26.rules());
    AddressSpace parent = machine.space("parent");
    map(parent, AT, 4, PRIVATE, machine.file("f", 4));
    read(parent, AT);
    try (AddressSpace child = parent.fork("child")) {
      assertThat(layout.isEmpty(entry(child, AT))).isTrue();
      assertThat(read(child, AT)).isEqualTo(1);
      assertThat(child.minorFaults()).isEqualTo(1);
    }
    write(parent, AT, 5);
    read(parent, AT + Pages.SIZE);
    try (AddressSpace child = parent.fork("child")) {
      assertThat(layout.isEmpty(entry(child, AT))).isFalse();
      assertThat(layout.isEmpty(entry(child, AT + Pages.SIZE))).isFalse();
      assertThat(read(child, AT)).isEqualTo(5);
    }
  }

  /** Dirties every free frame. */
  private static void soilFreeFrames(TestMachine machine) {
    FrameAllocator allocator = machine.memory.allocator();
    long[] frames =
        LongStream.generate(() -> allocator.allocate(FrameUse.ANONYMOUS))
            .takeWhile(pfn -> pfn >= 0)
            .toArray();
    for (long pfn : frames) {
      machine.memory.ram().asSlice(pfn << Pages.SHIFT, Pages.SIZE).fill((byte) 0x5a);
      allocator.put(pfn);
    }
  }

  /** Private copies among them prevent most of a table from being handled in bulk. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 300})
  void aTableIsCopiedAndClearedAtOnceAsItsEntriesWouldBeOneByOne(int copies) throws MapException {
    for (EntryLayout each : EveryLayoutTest.LAYOUTS) {
      for (long flags : new long[] {PRIVATE, SHARED}) {
        try (TestMachine own = new TestMachine(each, FrameStrategy.SPECIAL_BIT, Rules.DEFAULT)) {
          AddressSpace parent = own.space("parent");
          map(parent, AROUND_A_TABLE, 600, flags, own.file("f", 600));
          Random random = new Random(copies);
          for (int page = 0; page < 600; page++) {
            if (random.nextInt(9) != 0) {
              read(parent, AROUND_A_TABLE + page * Pages.SIZE);
            }
          }
          for (int i = 0; i < copies; i++) {
            write(parent, AROUND_A_TABLE + random.nextInt(600) * Pages.SIZE, i);
          }
          long copied = parent.anonymousFrames();
          soilFreeFrames(own);
          try (AddressSpace child = parent.fork("child")) {
            own.verify();
            assertThat(child.anonymousFrames()).isEqualTo(copied);
            for (int page = 0; page < 600; page++) {
              long va = AROUND_A_TABLE + page * Pages.SIZE;
              long pte = entry(parent, va);
              long expected = flags == SHARED ? each.withClean(pte) : pte;
              assertThat(entry(child, va))
                  .as("%s at 0x%x", each, va)
                  .isEqualTo(each.isEmpty(pte) ? pte : each.withOld(expected));
              assertThat(flags == PRIVATE && each.isPresent(pte) && each.isWritable(pte)).isFalse();
            }
          }
          own.verify();
        }
      }
    }
  }

  @Test
  void neitherSideSeesTheOthersPrivateStores() throws MapException {
    AddressSpace parent = machine.space("parent");
    map(parent, AT, 4, PRIVATE, machine.file("f", 4));
    map(parent, 2 * AT, 4, ANONYMOUS, null);
    write(parent, AT, 100);
    write(parent, 2 * AT, 200);
    long frames = machine.memory.allocator().inUse(FrameUse.ANONYMOUS);
    try (AddressSpace child = parent.fork("child")) {
      assertThat(machine.memory.allocator().inUse(FrameUse.ANONYMOUS)).isEqualTo(frames);
      assertThat(read(child, AT)).isEqualTo(100);
      write(child, AT, 101);
      write(parent, 2 * AT, 201);
      write(child, AT + Pages.SIZE, 102);
      assertThat(read(parent, AT)).isEqualTo(100);
      assertThat(read(child, AT)).isEqualTo(101);
      assertThat(read(child, 2 * AT)).isEqualTo(200);
      assertThat(read(parent, 2 * AT)).isEqualTo(201);
      assertThat(read(parent, AT + Pages.SIZE)).isEqualTo(Pages.SIZE + 1);
      machine.verify();
    }
  }

  @Test
  void sharedStoresStayVisibleToBoth() throws MapException {
    AddressSpace parent = machine.space("parent");
    map(parent, AT, 4, SHARED, machine.file("f", 4));
    write(parent, AT, 100);
    try (AddressSpace child = parent.fork("child")) {
      assertThat(layout.isWritable(entry(parent, AT))).isTrue();
      assertThat(layout.isDirty(entry(child, AT))).isFalse();
      write(child, AT, 101);
      assertThat(read(parent, AT)).isEqualTo(101);
      write(parent, AT + Pages.SIZE, 102);
      assertThat(read(child, AT + Pages.SIZE)).isEqualTo(102);
    }
  }

  @Test
  void theLastOwnerOfAPrivatePageStoresIntoItInPlace() throws MapException {
    AddressSpace parent = machine.space("parent");
    map(parent, AT, 1, ANONYMOUS, null);
    write(parent, AT, 1);
    long pfn = layout.pfn(entry(parent, AT));
    parent.fork("child").close();
    assertThat(layout.isWritable(entry(parent, AT))).isFalse();
    write(parent, AT, 2);
    assertThat(layout.pfn(entry(parent, AT))).isEqualTo(pfn);
    assertThat(parent.copies()).isZero();
  }

  @Test
  void aMappingThatForksLeaveOutIsNotThere() throws MapException {
    AddressSpace parent = machine.space("parent");
    map(parent, AT, 1, ANONYMOUS | VmaFlags.DONTCOPY, null);
    map(parent, 2 * AT, 1, ANONYMOUS | VmaFlags.LOCKED, null);
    try (AddressSpace child = parent.fork("child")) {
      assertThat(child.vmas()).hasSize(1);
      assertThat(child.vmas().getFirst().has(VmaFlags.LOCKED)).isFalse();
    }
  }

  @Test
  void aForkWithoutRamForTablesLeavesNothingBehind() {
    AddressSpace parent = machine.space("parent");
    map(parent, AT, 1, ANONYMOUS, null);
    write(parent, AT, 1);
    long[] taken = new long[(int) machine.memory.allocator().available() - 2];
    for (int i = 0; i < taken.length; i++) {
      taken[i] = machine.memory.allocator().allocate(FrameUse.ANONYMOUS);
    }
    assertThatThrownBy(() -> parent.fork("child")).hasMessageContaining("ENOMEM");
    assertThat(machine.manager.spaces()).containsExactly(parent);
    for (long pfn : taken) {
      machine.memory.allocator().put(pfn);
    }
    write(parent, AT, 2);
    assertThat(read(parent, AT)).isEqualTo(2);
  }

  @Test
  void aClosedSpaceCannotFork() {
    AddressSpace parent = machine.space("parent");
    parent.close();
    assertThatThrownBy(() -> parent.fork("child")).hasMessageContaining("ESRCH");
  }
}
