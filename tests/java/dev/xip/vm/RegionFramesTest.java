package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.file.MemoryBlocks;
import dev.xip.file.MemoryFile;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.S390xLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PageFrames;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
import dev.xip.phys.Region;
import dev.xip.phys.RegionFrames;
import dev.xip.process.DirectIo;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** rules.md, "Segments with page frames": DAX from 4.5 on, beside the page-less machine. */
class RegionFramesTest {
  private static final long START = 0x10_0000;
  private static final Rules RULES = Rules.DEFAULT.without(Rule.HUGE_LEAVES).withFaultAround(1);

  private static TestMachine boot(RegionFrames kind) {
    return new TestMachine(X8664Layout.INSTANCE, RULES, kind);
  }

  private static AddressSpace reading(TestMachine machine, long flags, MemoryFile file) {
    AddressSpace space = machine.space("reader");
    TestMachine.map(space, START, 2, flags, file);
    TestMachine.read(space, START);
    return space;
  }

  private static long pfn(TestMachine machine, AddressSpace space) {
    return machine.manager.layout().pfn(TestMachine.entry(space, START));
  }

  @ParameterizedTest
  @EnumSource
  void theMemMapGrowsBy64BytesForEachPageOrNotAtAll(RegionFrames kind) throws Exception {
    long bytes = 1L << 30;
    try (PhysicalMemory memory = PhysicalMemory.boot(4L << 30, RamBanks.of(16L << 20), kind)) {
      long before = memory.frames().bytes();
      Region region = memory.claim("S", AddrRange.ofLength(1L << 30, bytes), true);
      long grown = kind == RegionFrames.NONE ? 0 : (bytes >>> Pages.SHIFT) * 64;
      assertThat(memory.frames().bytes() - before).isEqualTo(grown);
      memory.release(region);
      assertThat(memory.frames().bytes()).isEqualTo(before);
      assertThat(memory.frames().contains(1L << 18)).isFalse();
    }
  }

  @Test
  void regionsThatShareAPageOfRecordsComeAndGoAlone() throws Exception {
    try (PhysicalMemory memory =
        PhysicalMemory.boot(1L << 30, RamBanks.of(16L << 20), RegionFrames.DEVMAP)) {
      PageFrames frames = memory.frames();
      Region one = memory.claim("A", AddrRange.ofLength(64L << 20, 3 * Pages.SIZE), true);
      Region two = memory.claim("B", AddrRange.ofLength(one.range().end(), Pages.SIZE), true);
      long last = two.range().start() >>> Pages.SHIFT;
      memory.release(one);
      assertThat(frames.references(last)).isEqualTo(1);
      assertThat(frames.contains(last - 1)).isFalse();
      memory.release(two);
      assertThat(frames.limit()).isEqualTo(frames.end());
    }
  }

  @Test
  void withoutPageFramesAnEntryIsSpecialAndNothingIsGivenOut() throws Exception {
    try (TestMachine machine = boot(RegionFrames.NONE)) {
      AddressSpace space = reading(machine, TestMachine.PRIVATE, machine.file("f", 2));
      long entry = TestMachine.entry(space, START);
      assertThat(machine.manager.layout().isSpecial(entry)).isTrue();
      assertThat(machine.manager.layout().isDevmap(entry)).isFalse();
      assertThatExceptionOfType(MapException.class)
          .isThrownBy(() -> new DirectIo(space, device(2)).write(START, 0, 10))
          .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EFAULT));
    }
  }

  private static MemorySegment device(int pages) {
    return MemorySegment.ofArray(new long[(int) (pages * Pages.SIZE / 8)]);
  }

  static EntryLayout[] devmapLayouts() {
    return new EntryLayout[] {X8664Layout.INSTANCE, Arm64Layout.INSTANCE};
  }

  @ParameterizedTest
  @MethodSource("devmapLayouts")
  void aDevmapEntryIsSpecialAndCountsNothing(EntryLayout layout) {
    try (TestMachine machine = new TestMachine(layout, RULES, RegionFrames.DEVMAP)) {
      AddressSpace space = reading(machine, TestMachine.PRIVATE, machine.file("f", 2));
      long entry = TestMachine.entry(space, START);
      assertThat(layout.isSpecial(entry)).isTrue();
      assertThat(layout.isDevmap(entry)).isTrue();
      assertThat(layout.describe(entry)).contains("SPECIAL").contains("DEVMAP");
      assertThat(layout.isDevmap(layout.modify(entry, Access.NONE))).isTrue();
      assertThat(machine.references(pfn(machine, space))).isEqualTo(1);
      assertThat(machine.memory.frames().mappings(pfn(machine, space))).isZero();
      assertThat(space.fileFrames()).isZero();
    }
  }

  @Test
  void aCountedEntryIsThatOfAnyPageOfAFile() {
    try (TestMachine machine = boot(RegionFrames.COUNTED)) {
      AddressSpace space = reading(machine, TestMachine.PRIVATE, machine.file("f", 2));
      AddressSpace child = machine.fork(space);
      assertThat(machine.manager.layout().isSpecial(TestMachine.entry(space, START))).isFalse();
      long pfn = pfn(machine, space);
      assertThat(machine.references(pfn)).isEqualTo(2);
      assertThat(machine.memory.frames().mappings(pfn)).isEqualTo(2);
      assertThat(space.fileFrames()).isEqualTo(1);
      TestMachine.write(child, START, 7);
      assertThat(machine.references(pfn)).isEqualTo(1);
      space.close();
      assertThat(machine.references(pfn)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DEVMAP", "COUNTED"})
  void directIoGoesOutOfAMappingAndIntoOne(RegionFrames kind) throws Exception {
    try (TestMachine machine = boot(kind)) {
      MemoryFile file = machine.file("f", 2);
      AddressSpace space = reading(machine, TestMachine.SHARED, file);
      MemorySegment device = device(4);
      DirectIo io = new DirectIo(space, device);
      assertThat(io.write(START + 8, 16, Pages.SIZE)).isEqualTo(Pages.SIZE);
      assertThat(device.get(ValueLayout.JAVA_LONG, 16)).isEqualTo(9);
      assertThat(device.get(ValueLayout.JAVA_LONG, 16 + Pages.SIZE - 8))
          .isEqualTo(TestMachine.read(file, Pages.SIZE));
      device.set(ValueLayout.JAVA_LONG, 0, 0x1234);
      assertThat(io.read(START + Pages.SIZE, 0, 8)).isEqualTo(8);
      assertThat(TestMachine.read(file, Pages.SIZE)).isEqualTo(0x1234);
      assertThat(file.pinnedPage()).isEqualTo(-1);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DEVMAP", "COUNTED"})
  void aDebuggerReadsAPageAndMlockFindsAllOfThem(RegionFrames kind) throws Exception {
    try (TestMachine machine = boot(kind)) {
      AddressSpace space = reading(machine, TestMachine.SHARED, machine.file("f", 2));
      long[] word = new long[1];
      try (PinnedPages peeked = space.getUserPages().pin(START, 1, false, true)) {
        peeked.read(0, 8, MemorySegment.ofArray(word));
      }
      assertThat(word[0]).isEqualTo(9);
      long[] pfns = new long[2];
      assertThat(space.getUserPages().getUserPagesFast(START, 2, false, pfns)).isEqualTo(2);
      for (long pfn : pfns) {
        assertThat(machine.memory.frames().pins(pfn)).isEqualTo(1);
        machine.memory.allocator().put(pfn);
      }
      space.lock(AddrRange.ofLength(START, 2 * Pages.SIZE));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aCoreDumpHasThePageUnlessItHasNoFrame(RegionFrames kind) {
    try (TestMachine machine = boot(kind)) {
      AddressSpace space = reading(machine, TestMachine.SHARED, machine.file("f", 2));
      try (PinnedPages dumped = new DumpPages(space).page(START)) {
        assertThat(dumped.count()).isEqualTo(kind == RegionFrames.NONE ? 0 : 1);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DEVMAP", "COUNTED"})
  void truncationWaitsForThePin(RegionFrames kind) throws Exception {
    try (TestMachine machine = boot(kind)) {
      MemoryFile file = machine.file("f", 2);
      AddressSpace space = reading(machine, TestMachine.SHARED, file);
      CountDownLatch truncated = new CountDownLatch(1);
      Thread other;
      try (PinnedPages pinned = space.getUserPages().pin(START, 1, true, false)) {
        assertThat(file.pinnedPage()).isZero();
        other = new Thread(() -> truncate(file, truncated));
        other.start();
        assertThat(truncated.await(100, TimeUnit.MILLISECONDS)).isFalse();
        pinned.write(0, 0, MemorySegment.ofArray(new long[] {5}));
      }
      assertThat(truncated.await(20, TimeUnit.SECONDS)).isTrue();
      other.join();
      assertThat(TestMachine.entry(space, START)).isZero();
    }
  }

  private static void truncate(MemoryFile file, CountDownLatch truncated) {
    try {
      file.truncate(0);
      truncated.countDown();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void aTruncationThatDoesNotWaitLetsThePinReachAnotherFile() throws Exception {
    try (TestMachine machine = boot(RegionFrames.DEVMAP)) {
      MemorySegment half = machine.memory.window().asSlice(TestMachine.DEVICE + (2L << 20), 8192);
      MemoryBlocks careless =
          new MemoryBlocks(half, TestMachine.DEVICE + (2L << 20) >>> Pages.SHIFT);
      MemoryFile file = careless.create("first");
      file.write(0, MemorySegment.ofArray(new long[] {1}));
      AddressSpace space = reading(machine, TestMachine.SHARED, file);
      MemoryFile next = careless.create("next");
      try (PinnedPages pinned = space.getUserPages().pin(START, 1, true, false)) {
        file.truncate(0);
        next.write(0, MemorySegment.ofArray(new long[] {2}));
        pinned.write(0, 0, MemorySegment.ofArray(new long[] {666}));
      }
      assertThat(TestMachine.read(next, 0)).isEqualTo(666);
      next.truncate(0);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"DEVMAP", "COUNTED"})
  void aRegionWithAPinnedFrameIsNotReleased(RegionFrames kind) throws Exception {
    try (PhysicalMemory memory = PhysicalMemory.boot(1L << 30, RamBanks.of(16L << 20), kind)) {
      Region region = memory.claim("A", AddrRange.ofLength(64L << 20, 1L << 20), true);
      long pfn = region.range().start() >>> Pages.SHIFT;
      memory.frames().get(pfn);
      assertThatIllegalStateException()
          .isThrownBy(() -> memory.release(region))
          .withMessageContaining("references to pfn 0x%x".formatted(pfn));
      memory.allocator().put(pfn);
      memory.release(region);
    }
  }

  @Test
  void aMachineThatCannotTellThemDoesNotBoot() throws Exception {
    for (RegionFrames kind : new RegionFrames[] {RegionFrames.DEVMAP, RegionFrames.COUNTED}) {
      try (PhysicalMemory memory = PhysicalMemory.boot(1L << 30, RamBanks.of(16L << 20), kind)) {
        EntryLayout layout = X8664Layout.INSTANCE;
        NormalFrame flat = FrameStrategy.FLAT.on(memory, layout);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> new MemoryManager(memory, layout, flat, RULES))
            .withMessageContaining("page frames of regions (" + kind);
      }
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new TestMachine(S390xLayout.INSTANCE, RULES, RegionFrames.DEVMAP))
        .withMessageContaining("layout s390x");
    new TestMachine(S390xLayout.INSTANCE, RULES, RegionFrames.COUNTED).close();
  }
}
