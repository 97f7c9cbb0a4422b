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
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.S390x2008Layout;
import org.junit.jupiter.api.Test;

/**
 * Each bug of history that can be switched on, by leaving its repair out: the harm, and that there
 * is none with the repair. The page of a hole that outlives it is in {@link HoleProtocolTest}.
 */
class HistoricalBugsTest {
  private static final long AT = 0x40_0000;
  private static final Rules RULES = Era.LINUX_2_6_26.rules();

  private static TestMachine s390x(Rules rules) {
    return new TestMachine(S390x2008Layout.INSTANCE, FrameStrategy.SPECIAL_BIT, rules);
  }

  @Test
  void mprotectErasesTheBitAndASegmentPageCountsAsAFrameThatDoesNotExist() throws Exception {
    try (TestMachine machine = s390x(RULES.without(Rule.MPROTECT_KEEPS_SPECIAL))) {
      AddressSpace space = machine.space("victim");
      map(space, AT, 1, PRIVATE, machine.file("f", 1));
      read(space, AT);
      space.protect(AddrRange.ofLength(AT, Pages.SIZE), Access.READ_EXECUTE);

      long pfn = machine.manager.layout().pfn(entry(space, AT));
      assertThat(machine.manager.layout().isSpecial(entry(space, AT))).isFalse();
      assertThat(Verifier.verify(machine.manager)).contains("bad entries met: expected 0, found 1");

      space.close();
      assertThat(machine.manager.badEntries().last())
          .contains("pfn 0x%x has no page frame".formatted(pfn));
      machine.badEntriesExpected = 2;
    }
  }

  @Test
  void mprotectKeepsTheBitWithItsRepair() throws Exception {
    try (TestMachine machine = s390x(RULES)) {
      AddressSpace space = machine.space("safe");
      map(space, AT, 1, PRIVATE, machine.file("f", 1));
      read(space, AT);
      space.protect(AddrRange.ofLength(AT, Pages.SIZE), Access.READ_EXECUTE);
      assertThat(machine.manager.layout().isSpecial(entry(space, AT))).isTrue();
      machine.fork(space);
      machine.verify();
    }
  }

  @Test
  void aSharedStoreIsLostToAllOtherMappings() {
    try (TestMachine machine = s390x(RULES.without(Rule.SHARED_STORE_IN_PLACE))) {
      MemoryFile file = machine.file("f", 1);
      AddressSpace writer = machine.space("writer");
      AddressSpace reader = machine.space("reader");
      map(writer, AT, 1, SHARED, file);
      map(reader, AT, 1, SHARED, file);
      write(writer, AT, 99);
      assertThat(read(writer, AT)).isEqualTo(99);
      assertThat(read(reader, AT)).as("the other mapping").isEqualTo(1);
      assertThat(read(file, 0)).as("the file").isEqualTo(1);
      assertThat(writer.anonymousFrames()).as("a private page, MAP_SHARED").isEqualTo(1);
    }
  }

  @Test
  void aSharedStoreIsSeenByAllWithItsRepair() {
    try (TestMachine machine = s390x(RULES)) {
      MemoryFile file = machine.file("f", 1);
      AddressSpace writer = machine.space("writer");
      AddressSpace reader = machine.space("reader");
      map(writer, AT, 1, SHARED, file);
      map(reader, AT, 1, SHARED, file);
      write(writer, AT, 99);
      assertThat(read(reader, AT)).isEqualTo(99);
      assertThat(read(file, 0)).isEqualTo(99);
      assertThat(writer.anonymousFrames()).isZero();
    }
  }

  @Test
  void getUserPagesFaultsForEverUntilItIsReported() {
    try (TestMachine machine = s390x(RULES.without(Rule.GET_USER_PAGES_ENDS))) {
      AddressSpace space = machine.space("gup");
      map(space, AT, 1, PRIVATE, machine.file("f", 1));
      long[] pfns = new long[1];
      assertThatThrownBy(() -> space.getUserPages().getUserPages(AT, 1, false, false, pfns))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage(
              "BUG: get_user_pages at 0x400000 in gup: expected a page frame, found none after"
                  + " 1000 faults");
      assertThat(space.minorFaults()).isEqualTo(1000);
    }
  }

  @Test
  void theReportLeavesNoPageBeforeItPinned() throws Exception {
    try (TestMachine machine = s390x(RULES.without(Rule.GET_USER_PAGES_ENDS))) {
      AddressSpace space = machine.space("gup");
      map(space, AT, 2, PRIVATE, machine.file("f", 2));
      write(space, AT, 1);
      assertThatThrownBy(() -> space.getUserPages().pin(AT, 2, false, false))
          .isInstanceOf(IllegalStateException.class);
      machine.verify();
    }
  }

  @Test
  void getUserPagesRefusesWithItsRepair() {
    try (TestMachine machine = s390x(RULES)) {
      AddressSpace space = machine.space("gup");
      map(space, AT, 1, PRIVATE, machine.file("f", 1));
      assertThatThrownBy(() -> space.getUserPages().getUserPages(AT, 1, false, false, new long[1]))
          .isInstanceOfSatisfying(
              MapException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
      assertThat(space.minorFaults()).isEqualTo(1);
    }
  }

  @Test
  void mlockOfAPrivateWritableMappingFollowsANullPointer() {
    try (TestMachine machine = s390x(RULES.without(Rule.LOCKED_COPY_CHECKS_FRAME))) {
      AddressSpace space = machine.space("locker");
      map(space, AT, 1, PRIVATE, machine.file("f", 1));
      assertThatThrownBy(() -> space.lock(AddrRange.ofLength(AT, Pages.SIZE)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("BUG: NULL pointer dereference: do_wp_page")
          .hasMessageContaining("0x400000");
      assertThat(space.anonymousFrames()).isZero();
    }
  }

  @Test
  void mlockOfAPrivateWritableMappingCopiesItWithTheRepair() throws Exception {
    try (TestMachine machine = s390x(RULES)) {
      AddressSpace space = machine.space("locker");
      map(space, AT, 2, PRIVATE, machine.file("f", 2));
      space.lock(AddrRange.ofLength(AT, 2 * Pages.SIZE));
      assertThat(space.find(AT).has(VmaFlags.LOCKED)).isTrue();
      assertThat(space.anonymousFrames()).isEqualTo(2);
    }
  }

  @Test
  void theReleasesOfTheErasHaveNoBugThatWasRepairedBeforeThem() {
    for (Rule repair : Rule.repairs()) {
      assertThat(Rules.DEFAULT.has(repair)).as("%s", repair).isTrue();
      assertThat(repair.repair()).as("%s", repair).hasSizeGreaterThan(9);
    }
    assertThat(RULES.has(Rule.SPARSE_PAGE_GUARDED)).as("repaired in 2.6.27").isFalse();
    assertThat(Rule.LOCKED_COPY_CHECKS_FRAME.holdsIn(Release.of("2.6.28"))).isFalse();
    assertThat(Rule.LOCKED_COPY_CHECKS_FRAME.holdsIn(Release.of("2.6.29"))).isTrue();
  }
}
