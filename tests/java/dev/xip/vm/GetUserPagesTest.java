package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.testing.Allocations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * get_user_pages, pins and follow_pfn, one rule of rules.md, "get_user_pages", at a time. The
 * matrix of property 9 is {@link GetUserPagesMatrixTest}.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GetUserPagesTest {
  private static final long START = 0x4000_0000;
  private static final long TEXT = TestMachine.PRIVATE & ~VmaFlags.WRITE;

  private TestMachine machine;
  private AddressSpace space;
  private GetUserPages pages;

  @BeforeEach
  void boot() {
    machine = new TestMachine();
    space = machine.space("gup");
    pages = space.getUserPages();
  }

  @AfterEach
  void everythingGoesBackToZero() {
    machine.close();
  }

  private void put(long... pfns) {
    for (long pfn : pfns) {
      machine.memory.allocator().put(pfn);
    }
  }

  private static void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(MapException.class, e -> assertThat(e.errno()).isEqualTo(errno));
  }

  private long pfnAt(long va) {
    return space.table().layout().pfn(TestMachine.entry(space, va));
  }

  @Test
  void anAddressWithoutAMappingIsAnEfault() {
    long[] one = new long[1];
    for (long va : new long[] {START, -4096, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 60}) {
      assertRefused(Errno.EFAULT, () -> pages.getUserPages(va, 1, false, true, one));
      assertRefused(Errno.EFAULT, () -> pages.getUserPagesFast(va, 1, false, one));
    }
  }

  @Test
  void theGateKeepsMappingsOfIoMemoryAndPageFrameNumbersOut() {
    TestMachine.map(space, START, 1, TEXT & ~VmaFlags.MIXEDMAP | VmaFlags.PFNMAP, null);
    TestMachine.map(space, START + 0x10000, 1, TEXT | VmaFlags.IO, null);
    long[] one = new long[1];
    assertRefused(Errno.EFAULT, () -> pages.getUserPages(START, 1, false, true, one));
    assertRefused(Errno.EFAULT, () -> pages.getUserPages(START + 0x10000, 1, false, true, one));
    assertThat(space.minorFaults()).isZero();
  }

  @Test
  void forceReadsThroughAMappingThatMayBeReadableLater() throws Exception {
    long flags = TestMachine.ANONYMOUS & ~(VmaFlags.READ | VmaFlags.WRITE);
    TestMachine.map(space, START, 1, flags, null);
    long[] one = new long[1];
    assertRefused(Errno.EFAULT, () -> pages.getUserPages(START, 1, false, false, one));
    assertThat(pages.getUserPages(START, 1, false, true, one)).isEqualTo(1);
    assertThat(one[0]).isEqualTo(machine.manager.zeroPfn());
    put(one);
  }

  @Test
  void theZeroPageIsGivenOutWithAReferenceThoughItIsNotCounted() throws Exception {
    TestMachine.map(space, START, 1, TestMachine.ANONYMOUS, null);
    long[] one = new long[1];
    assertThat(pages.getUserPages(START, 1, false, false, one)).isEqualTo(1);
    assertThat(one[0]).isEqualTo(machine.manager.zeroPfn());
    assertThat(machine.references(one[0])).isEqualTo(2);
    assertThat(space.anonymousFrames()).isZero();
    put(one);
  }

  @Test
  void thePagesBeforeTheErrorAreTheAnswer() throws Exception {
    TestMachine.map(space, START, 2, TestMachine.ANONYMOUS, null);
    TestMachine.map(space, START + 2 * Pages.SIZE, 1, TEXT, machine.file("text", 1));
    long[] pfns = new long[4];
    assertThat(pages.getUserPages(START + 100, 4, false, false, pfns)).isEqualTo(2);
    put(pfns[0], pfns[1]);
    assertThat(pages.getUserPagesFast(START, 3, false, pfns)).isEqualTo(2);
    put(pfns[0], pfns[1]);
    long special = START + 2 * Pages.SIZE;
    assertRefused(Errno.EFAULT, () -> pages.getUserPages(special, 2, false, false, pfns));
    assertRefused(Errno.EFAULT, () -> pages.getUserPagesFast(special, 2, false, pfns));
  }

  @Test
  void aBreakpointCanBePlantedInTextWhoseBytesCannotBeRead() throws Exception {
    MemoryFile text = machine.file("text", 1);
    TestMachine.map(space, START, 1, TEXT | VmaFlags.EXEC, text);
    long[] one = new long[1];
    assertRefused(Errno.EFAULT, () -> pages.getUserPages(START, 1, false, true, one));
    try (PinnedPages planted = pages.pin(START, 1, true, true)) {
      planted.write(0, 8, MemorySegment.ofArray(new byte[] {(byte) 0xcc}));
      assertThat(machine.memory.frames().use(planted.frame(0).value()))
          .isEqualTo(FrameUse.ANONYMOUS);
    }
    assertThat(TestMachine.read(space, START + 8) & 0xff).isEqualTo(0xcc);
    assertThat(TestMachine.read(text, 8)).as("the file itself").isEqualTo(9);
    assertThat(space.copies()).isEqualTo(1);
    assertThat(pages.getUserPages(START, 1, false, false, one))
        .as("the copy is an ordinary page")
        .isEqualTo(1);
    put(one);
  }

  @Test
  void aSpecialEntryIsRefusedAfterOneFaultAndNotFaultedForEver() {
    TestMachine.map(space, START, 1, TEXT, machine.file("text", 1));
    assertRefused(Errno.EFAULT, () -> pages.getUserPages(START, 1, false, false, new long[1]));
    assertThat(space.minorFaults()).isEqualTo(1);
    assertThatThrownBy(() -> pages.getUserPages(START, 1, false, false, new long[1]))
        .hasMessageContaining("expected an entry with a page frame, found entry 0x")
        .hasMessageContaining("text");
    assertThat(space.minorFaults()).isEqualTo(1);
  }

  @Test
  void aFaultThatEndsInASignalIsAnEfaultWithItsCause() {
    TestMachine.map(space, START, 2, TEXT, machine.file("short", 1));
    assertThatThrownBy(() -> pages.getUserPages(START + 4096, 1, false, false, new long[1]))
        .isInstanceOf(MapException.class)
        .hasMessageStartingWith("EFAULT")
        .hasCauseInstanceOf(MemoryFaultException.BusError.class);
  }

  @Test
  void usedUpRamIsAnEnomem() {
    TestMachine.map(space, START, 1, TestMachine.ANONYMOUS, null);
    assertThat(space.fault(START, Access.READ)).isEqualTo(FaultResult.Handled.MAPPED);
    long[] all = new long[(int) machine.memory.allocator().available()];
    for (int i = 0; i < all.length; i++) {
      all[i] = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
    }
    assertRefused(Errno.ENOMEM, () -> pages.getUserPages(START, 1, true, false, new long[1]));
    put(all);
  }

  @Test
  void aStackGrowsToHoldThePage() throws Exception {
    TestMachine.map(space, START, 1, TestMachine.ANONYMOUS | VmaFlags.GROWSDOWN, null);
    long below = START - 5 * Pages.SIZE;
    long[] pfns = new long[6];
    assertThat(pages.getUserPages(below, 6, true, true, pfns)).isEqualTo(6);
    assertThat(space.find(below).range()).isEqualTo(new AddrRange(below, START + Pages.SIZE));
    put(pfns);
    long farBelow = START - StackGrowth.LIMIT;
    assertRefused(Errno.EFAULT, () -> pages.getUserPages(farBelow, 1, true, true, pfns));
  }

  @Test
  void wrongArgumentsAreRefusedBeforeAnythingHappens() throws Exception {
    TestMachine.map(space, START, 4, TestMachine.ANONYMOUS, null);
    assertThatThrownBy(() -> pages.getUserPages(START, -1, false, false, new long[1]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("EINVAL");
    assertThatThrownBy(() -> pages.getUserPagesFast(START, 2, false, new long[1]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> pages.pin(START, -1, false, false))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(pages.getUserPages(START, 0, false, false, new long[0])).isZero();
    assertThat(space.minorFaults()).isZero();
  }

  @Test
  void aCountBeyondAllPagesPinsThoseThatAreThere() throws Exception {
    TestMachine.map(space, START, 300, TestMachine.ANONYMOUS, null);
    try (PinnedPages pinned = pages.pin(START, Integer.MAX_VALUE, true, false)) {
      assertThat(pinned.count()).isEqualTo(300);
      assertThat(pinned.frame(299).value()).isEqualTo(pfnAt(START + 299 * Pages.SIZE));
    }
    assertRefused(Errno.EFAULT, () -> pages.pin(0, Integer.MAX_VALUE, true, false));
  }

  @Test
  void theFastPathTakesMappedPagesWithoutAFaultAndTheSlowPathTheOthers() throws Exception {
    TestMachine.map(space, START, 3, TestMachine.ANONYMOUS, null);
    TestMachine.write(space, START, 1);
    TestMachine.write(space, START + Pages.SIZE, 2);
    long faults = space.minorFaults();
    long[] pfns = new long[3];
    assertThat(pages.getUserPagesFast(START, 2, true, pfns)).isEqualTo(2);
    assertThat(space.minorFaults()).isEqualTo(faults);
    assertThat(machine.references(pfns[0])).isEqualTo(2);
    put(pfns[0], pfns[1]);
    assertThat(pages.getUserPagesFast(START, 3, true, pfns)).isEqualTo(3);
    assertThat(space.minorFaults()).isEqualTo(faults + 1);
    put(pfns);
  }

  @Test
  void theFastPathAllocatesNothing() throws Exception {
    TestMachine.map(space, START, 1, TestMachine.ANONYMOUS, null);
    TestMachine.write(space, START, 1);
    long[] one = new long[1];
    long bytes =
        Allocations.ofCompiled(
            () -> {
              for (int i = 0; i < 10_000; i++) {
                try {
                  pages.getUserPagesFast(START, 1, true, one);
                } catch (MapException e) {
                  throw new AssertionError(e);
                }
                machine.memory.allocator().put(one[0]);
              }
            });
    assertThat(bytes).as("bytes for 10,000 pages").isLessThan(10_000);
  }

  @Test
  void theFastPathTestsTheBitAndNotTheFrame() throws Exception {
    TestMachine.map(space, START, 1, TEXT, machine.file("file", 1));
    long pfn = machine.memory.allocator().allocate(FrameUse.PAGE_CACHE);
    assertThat(space.insertMixed(START, new Pfn(pfn))).isEqualTo(Errno.OK);
    assertRefused(Errno.EFAULT, () -> pages.getUserPagesFast(START, 1, false, new long[1]));
    assertThat(machine.references(pfn)).isEqualTo(1);
    space.close();
    put(pfn);
  }

  @Test
  void withoutASpecialBitTheFastPathIsNeverTaken() throws Exception {
    try (TestMachine flat =
        new TestMachine(X8664Layout.INSTANCE, FrameStrategy.FLAT, Rules.DEFAULT)) {
      AddressSpace other = flat.space("flat");
      TestMachine.map(other, START, 1, TEXT, flat.file("text", 1));
      assertThat(other.fault(START, Access.READ)).isEqualTo(FaultResult.Handled.MAPPED);
      assertThat(other.table().layout().isSpecial(TestMachine.entry(other, START)))
          .as("the entry itself does not say that it has no page frame")
          .isFalse();
      GetUserPages slow = other.getUserPages();
      assertRefused(Errno.EFAULT, () -> slow.getUserPagesFast(START, 1, false, new long[1]));
    }
  }

  @Test
  void aPinKeepsTheFrameAfterTheMappingIsGone() throws Exception {
    TestMachine.map(space, START, 2, TestMachine.ANONYMOUS, null);
    TestMachine.write(space, START + Pages.SIZE, 77);
    PinnedPages pinned = pages.pin(START, 2, true, false);
    assertThat(pinned.count()).isEqualTo(2);
    long pfn = pinned.frame(1).value();
    assertThat(Verifier.verify(machine.manager, held -> isHeld(pinned, held) ? 1 : 0)).isEmpty();
    space.unmap(AddrRange.ofLength(START, 2 * Pages.SIZE));
    assertThat(machine.references(pfn)).isEqualTo(1);
    MemorySegment word = MemorySegment.ofArray(new long[1]);
    pinned.read(1, 0, word);
    assertThat(word.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(77);
    pinned.close();
    pinned.close();
    assertThat(machine.memory.frames().use(pfn)).isEqualTo(FrameUse.FREE);
    assertThatThrownBy(() -> pinned.frame(0)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  private static boolean isHeld(PinnedPages pinned, long pfn) {
    for (int i = 0; i < pinned.count(); i++) {
      if (pinned.frame(i).value() == pfn) {
        return true;
      }
    }
    return false;
  }

  @Test
  void aPinIsNeverStoredPastItsPageNorIntoAPageToBeRead() throws Exception {
    TestMachine.map(space, START, 1, TestMachine.ANONYMOUS, null);
    MemorySegment bytes = MemorySegment.ofArray(new byte[8]);
    try (PinnedPages pinned = pages.pin(START, 1, true, false)) {
      assertThatThrownBy(() -> pinned.write(0, Pages.SIZE - 7, bytes))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> pinned.read(1, 0, bytes))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
    try (PinnedPages pinned = pages.pin(START, 1, false, false)) {
      assertThatThrownBy(() -> pinned.write(0, 0, bytes)).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aCopyThatIsDroppedBeforeItIsLookedAtIsMadeAgain() throws Exception {
    for (MemoryFile file : new MemoryFile[] {machine.holes("holes", 1), machine.file("text", 1)}) {
      TestMachine.map(space, START, 1, TEXT, file);
      AddrRange range = AddrRange.ofLength(START, Pages.SIZE);
      int[] dropped = new int[1];
      machine.manager.stopWith(
          step -> {
            if (step == Step.FAULTED_IN && space.copies() > 0 && dropped[0]++ == 0) {
              assertThat(pfnAt(START)).isNotEqualTo(machine.manager.sparsePfn());
              assertThatCode(() -> space.advise(range, Advice.DONTNEED)).doesNotThrowAnyException();
              assertThat(space.fault(START, Access.READ)).isEqualTo(FaultResult.Handled.MAPPED);
            }
          });
      try (PinnedPages pinned = pages.pin(START, 1, true, true)) {
        assertThat(machine.memory.frames().use(pinned.frame(0).value()))
            .as("never the shared page")
            .isEqualTo(FrameUse.ANONYMOUS);
      }
      assertThat(dropped[0]).isPositive();
      space.unmap(range);
    }
  }

  @Test
  void theMutexSleepsUnderTheEntryLockOfAProcessThatMapsNoFile() {
    TestMachine mutex =
        new TestMachine(X8664Layout.INSTANCE, FrameStrategy.MEM_SEGS_MUTEX, Rules.DEFAULT);
    try {
      AddressSpace plain = mutex.space("plain");
      TestMachine.map(plain, START, 1, TestMachine.ANONYMOUS, null);
      GetUserPages gup = plain.getUserPages();
      assertThatThrownBy(() -> gup.getUserPages(START, 1, true, true, new long[1]))
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContaining("sleeping function called from invalid context")
          .hasMessageContaining("holding [entry lock]");
    } finally {
      // Its spaces cannot even exit: that too calls normalFrame under the entry lock.
      mutex.memory.close();
    }
  }

  @Test
  void followPfnAnswersOnlyForIoMemoryAndPageFrameNumbers() throws Exception {
    long flags = TestMachine.SHARED & ~VmaFlags.MIXEDMAP | VmaFlags.PFNMAP | VmaFlags.IO;
    long pfn = TestMachine.DEVICE >>> Pages.SHIFT;
    TestMachine.map(
        space, new Vma(AddrRange.ofLength(START, 2 * Pages.SIZE), flags, machine.file("f", 2), 0));
    assertThat(space.insertPfn(START, new Pfn(pfn))).isEqualTo(Errno.OK);
    assertThat(pages.followPfn(START + 12)).isEqualTo(new Pfn(pfn));
    assertRefused(Errno.EINVAL, () -> pages.followPfn(START + Pages.SIZE));
    assertRefused(Errno.EINVAL, () -> pages.followPfn(START + 2 * Pages.SIZE));
    TestMachine.map(space, START + 0x10000, 1, TEXT, machine.file("mixed", 1));
    assertThat(space.fault(START + 0x10000, Access.READ)).isEqualTo(FaultResult.Handled.MAPPED);
    assertRefused(Errno.EINVAL, () -> pages.followPfn(START + 0x10000));
    assertThat(pfnAt(START)).isEqualTo(pfn);
  }
}
