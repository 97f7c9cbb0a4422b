package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import dev.xip.base.Pfn;
import dev.xip.file.MemoryFile;
import dev.xip.phys.FrameUse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Property 9: get_user_pages over {read, write, write and force} x {private, shared} x {rights
 * granted, rights only possible} x {present, absent} x {special, normal}, with its answer and the
 * entry that it leaves. The time limit catches the endless loop that 2.6.26 had before its seventh
 * release candidate, which faulted a special entry in again and again.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD, unit = TimeUnit.SECONDS)
class GetUserPagesMatrixTest {
  private static final long START = 0x4000_0000;

  private enum Request {
    READ,
    WRITE,
    FORCED_WRITE
  }

  private enum Page {
    /** A page of a file on the device: no page frame. */
    SPECIAL,
    /** Anonymous memory, or, shared, a page of the page cache or a hole that cannot be filled. */
    NORMAL
  }

  private enum Answer {
    /** The frame of the entry, or the one that any fault would have mapped. */
    SAME_FRAME,
    /** A frame of the space's own. */
    OWN_FRAME,
    EFAULT,
    EEXIST
  }

  /** One cell: the release, the mapping and its entry, and the request. */
  private record Cell(
      Era era, Request request, boolean shared, boolean writable, boolean present, Page page) {
    /** The answer as rules.md, "get_user_pages", has it. */
    Answer expected() {
      boolean write = request != Request.READ;
      if (isForcedIntoShared()) {
        return Answer.OWN_FRAME;
      }
      if (write && !writable && (request == Request.WRITE || shared)) {
        return Answer.EFAULT;
      }
      if (write && !shared) {
        return Answer.OWN_FRAME;
      }
      if (page == Page.SPECIAL) {
        return era.rules().has(Rule.GET_USER_PAGES_ANSWERS_EEXIST) ? Answer.EEXIST : Answer.EFAULT;
      }
      return Answer.SAME_FRAME;
    }

    /** Until 3.14 a forced store put a private copy into a shared mapping. */
    boolean isForcedIntoShared() {
      return request == Request.FORCED_WRITE
          && shared
          && !writable
          && (flags() & VmaFlags.MAYWRITE) != 0
          && !era.rules().has(Rule.FORCED_STORE_NEEDS_PRIVATE);
    }

    /** How many faults it may take at most: reading a present entry takes none. */
    int mostFaults() {
      return (present ? 0 : 1) + (request == Request.READ ? 0 : 1);
    }

    long flags() {
      long flags = shared ? TestMachine.SHARED : TestMachine.PRIVATE;
      if (page == Page.NORMAL && !shared) {
        flags = TestMachine.ANONYMOUS;
      }
      if (!writable) {
        flags &= ~VmaFlags.WRITE;
      }
      // A hole stays one only if no mapping may write to it.
      return shared && page == Page.NORMAL && !present && !writable
          ? flags & ~VmaFlags.MAYWRITE
          : flags;
    }
  }

  static Stream<Cell> cells() {
    List<Cell> cells = new ArrayList<>();
    for (Era era : Era.values()) {
      for (Request request : Request.values()) {
        for (Page page : Page.values()) {
          addCells(era, request, page, cells);
        }
      }
    }
    return cells.stream();
  }

  private static void addCells(Era era, Request request, Page page, List<Cell> cells) {
    for (int bits = 0; bits < 8; bits++) {
      Cell cell = new Cell(era, request, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, page);
      // A fault on a hole that a shared mapping may write to allocates a block: a special page.
      if (page == Page.SPECIAL || !cell.shared || cell.present || !cell.writable) {
        cells.add(cell);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cells")
  void everyCellHasTheAnswerOfTheRules(Cell cell) throws Exception {
    try (TestMachine machine = new TestMachine(cell.era.rules())) {
      AddressSpace space = machine.space("gup");
      long inserted = prepare(machine, space, cell);
      long entryBefore = TestMachine.entry(space, START);
      long faultsBefore = space.minorFaults();
      long[] pfns = new long[1];
      Answer answer;
      try {
        int got =
            space
                .getUserPages()
                .getUserPages(
                    START,
                    1,
                    cell.request != Request.READ,
                    cell.request == Request.FORCED_WRITE,
                    pfns);
        assertThat(got).isEqualTo(1);
        answer = answerOf(machine, space, cell, entryBefore, pfns[0]);
        machine.memory.allocator().put(pfns[0]);
      } catch (MapException e) {
        assertThat(e).hasMessageContaining("get_user_pages at 0x40000000 in gup");
        answer = Answer.valueOf(e.errno().name());
      }
      assertThat(answer).isEqualTo(cell.expected());
      assertThat(space.minorFaults() - faultsBefore).isBetween(0L, (long) cell.mostFaults());
      checkWhatIsLeft(machine, space, cell, entryBefore);
      machine.verify();
      space.close();
      if (inserted >= 0) {
        machine.memory.allocator().put(inserted);
      }
    }
  }

  /** Maps one page; returns a frame of the page cache that the caller frees in the end, or -1. */
  private static long prepare(TestMachine machine, AddressSpace space, Cell cell) {
    boolean anonymous = cell.page == Page.NORMAL && !cell.shared;
    MemoryFile file =
        anonymous
            ? null
            : cell.page == Page.SPECIAL ? machine.file("file", 1) : machine.holes("holes", 1);
    TestMachine.map(space, START, 1, cell.flags(), file);
    if (!cell.present) {
      return -1;
    }
    if (cell.page == Page.NORMAL && cell.shared) {
      long pfn = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
      assertThat(space.insertFrame(START, new Pfn(pfn))).isEqualTo(Errno.OK);
      return pfn;
    }
    if (anonymous) {
      assertThat(space.faults().fault(START, Access.WRITE, true))
          .isEqualTo(FaultResult.Handled.MAPPED);
    } else {
      assertThat(space.fault(START, Access.READ)).isEqualTo(FaultResult.Handled.MAPPED);
    }
    return -1;
  }

  private static Answer answerOf(
      TestMachine machine, AddressSpace space, Cell cell, long entryBefore, long pfn) {
    assertThat(space.table().layout().pfn(TestMachine.entry(space, START))).isEqualTo(pfn);
    if (cell.expected() == Answer.OWN_FRAME) {
      assertThat(machine.memory.frames().use(pfn)).isEqualTo(FrameUse.ANONYMOUS);
      assertThat(machine.references(pfn)).as("the entry's and ours").isEqualTo(2);
      return Answer.OWN_FRAME;
    }
    if (cell.present) {
      assertThat(pfn).isEqualTo(space.table().layout().pfn(entryBefore));
    } else {
      FrameUse use = machine.memory.frames().use(pfn);
      boolean zero = cell.era.rules().has(Rule.ZERO_PAGE);
      assertThat(use).isIn(FrameUse.SPARSE, zero ? FrameUse.ZERO : FrameUse.ANONYMOUS);
    }
    return Answer.SAME_FRAME;
  }

  private static void checkWhatIsLeft(
      TestMachine machine, AddressSpace space, Cell cell, long entryBefore) {
    long entry = TestMachine.entry(space, START);
    boolean refusedAtTheGate =
        cell.request != Request.READ && !cell.writable && cell.expected() == Answer.EFAULT;
    if (refusedAtTheGate) {
      assertThat(entry).as("nothing was faulted in").isEqualTo(entryBefore);
    } else if (cell.page == Page.SPECIAL
        && (cell.expected() == Answer.EFAULT || cell.expected() == Answer.EEXIST)) {
      assertThat(space.table().layout().isSpecial(entry)).isTrue();
      assertThat(space.table().layout().isWritable(entry))
          .as("a store to a shared page was let through before the page was refused")
          .isEqualTo(cell.request != Request.READ);
    }
  }
}
