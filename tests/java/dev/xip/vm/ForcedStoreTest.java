package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Layouts;
import dev.xip.phys.FrameUse;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * A forced store through get_user_pages, on every layout: it never gets a frame that another space
 * maps, whatever rights the mapping has now. In an entry without any right s390x of 2008 has no bit
 * against stores; the time limit catches a fault that is repeated for ever.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD, unit = TimeUnit.SECONDS)
class ForcedStoreTest {
  static final List<EntryLayout> LAYOUTS = Layouts.ALL;

  private static final long AT = 0x10_0000;

  private static TestMachine machine(EntryLayout layout) {
    return new TestMachine(
        layout,
        layout.hasSpecialBit() ? FrameStrategy.SPECIAL_BIT : FrameStrategy.FLAT_IF_MIXED,
        Rules.DEFAULT);
  }

  private static long forced(AddressSpace space) throws MapException {
    long[] pfns = new long[1];
    assertThat(space.getUserPages().getUserPages(AT, 1, true, true, pfns)).isEqualTo(1);
    return pfns[0];
  }

  private static void requireOwnFrame(TestMachine machine, AddressSpace space, long others)
      throws MapException {
    for (Access access : new Access[] {Access.READ, Access.NONE}) {
      space.protect(AddrRange.ofLength(AT, Pages.SIZE), access);
      long pfn = forced(space);
      assertThat(pfn).isNotEqualTo(others);
      assertThat(machine.memory.frames().use(pfn)).isEqualTo(FrameUse.ANONYMOUS);
      assertThat(machine.memory.frames().mappings(pfn)).isEqualTo(1);
      machine.memory.allocator().put(pfn);
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aPageSharedByForkIsCopiedFirst(EntryLayout layout) throws MapException {
    for (Access access : new Access[] {Access.READ, Access.NONE}) {
      try (TestMachine machine = machine(layout);
          AddressSpace parent = machine.space("parent")) {
        TestMachine.map(parent, AT, 1, TestMachine.ANONYMOUS, null);
        TestMachine.write(parent, AT, 1);
        parent.protect(AddrRange.ofLength(AT, Pages.SIZE), access);
        try (AddressSpace child = machine.fork(parent)) {
          long shared = layout.pfn(TestMachine.entry(parent, AT));
          long pfn = forced(child);
          assertThat(pfn).isNotEqualTo(shared);
          machine.memory.allocator().put(pfn);
          machine.verify();
        }
        long own = forced(parent);
        assertThat(own).isEqualTo(layout.pfn(TestMachine.entry(parent, AT)));
        machine.memory.allocator().put(own);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void theZeroPageIsNotStoredInto(EntryLayout layout) throws MapException {
    try (TestMachine machine = machine(layout);
        AddressSpace space = machine.space("test")) {
      TestMachine.map(space, AT, 1, TestMachine.ANONYMOUS, null);
      TestMachine.read(space, AT);
      space.protect(AddrRange.ofLength(AT, Pages.SIZE), Access.NONE);
      requireOwnFrame(machine, space, machine.manager.zeroPfn());
    }
  }

  @ParameterizedTest
  @FieldSource("LAYOUTS")
  void aPageOfAFileIsNotStoredInto(EntryLayout layout) throws MapException {
    try (TestMachine machine = machine(layout);
        AddressSpace space = machine.space("test")) {
      long frame = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
      TestMachine.map(space, AT, 1, TestMachine.PRIVATE, machine.holes("holes", 1));
      assertThat(space.insertFrame(AT, new Pfn(frame))).isEqualTo(Errno.OK);
      space.protect(AddrRange.ofLength(AT, Pages.SIZE), Access.NONE);
      requireOwnFrame(machine, space, frame);
      machine.memory.allocator().put(frame);
    }
  }
}
