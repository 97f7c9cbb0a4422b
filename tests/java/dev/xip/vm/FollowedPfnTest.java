package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.Arm64Layout;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.S390xLayout;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** rules.md, "follow_pfn": what the API of 6.12 tells, and how long it holds. */
class FollowedPfnTest {
  private static final long GIB = 1L << 30;
  private static final long IO_FLAGS =
      VmaFlags.READ
          | VmaFlags.MAYREAD
          | VmaFlags.SHARED
          | VmaFlags.MAYSHARE
          | VmaFlags.IO
          | VmaFlags.PFNMAP;

  /** A device whose frames start at 1 GiB and are never touched. */
  private record Device(long bytes) implements Mappable {
    @Override
    public String name() {
      return "device";
    }

    @Override
    public long size() {
      return bytes;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun((GIB >>> Pages.SHIFT) + page, (bytes >>> Pages.SHIFT) - page);
    }
  }

  /** A machine whose window has room for huge leaves of every layout. */
  private record Wide(PhysicalMemory memory, MemoryManager manager) implements AutoCloseable {
    static Wide boot(EntryLayout layout, Rules rules) throws Exception {
      PhysicalMemory memory = PhysicalMemory.boot(4 * GIB, 16L << 20);
      return new Wide(
          memory,
          new MemoryManager(memory, layout, FrameStrategy.SPECIAL_BIT.on(memory, layout), rules));
    }

    @Override
    public void close() {
      assertThat(Verifier.verify(manager)).isEmpty();
      manager.spaces().forEach(AddressSpace::close);
      memory.close();
    }
  }

  private static EntryLayout layout(String name) {
    return switch (name) {
      case "x86-64" -> X8664Layout.INSTANCE;
      case "arm64" -> Arm64Layout.INSTANCE;
      default -> S390xLayout.INSTANCE;
    };
  }

  /** Maps a device of 1 GiB by the largest leaves that there are, and returns its address. */
  private static long mapHuge(AddressSpace space) {
    Vma vma = new Vma(AddrRange.ofLength(4 * GIB, GIB), IO_FLAGS, new Device(GIB), 0);
    TestMachine.map(space, vma);
    HugeLeaves leaves = space.mm().hugeLeaves();
    long va = vma.range().start();
    leaves.insert(vma, va, space.table().descend(va), GIB, GIB >>> Pages.SHIFT);
    return va;
  }

  @ParameterizedTest
  @CsvSource({"x86-64, PUD", "arm64, PMD"})
  void aHugeLeafTellsItsLevelAndThatItIsSpecial(String name, Level level) throws Exception {
    try (Wide machine = Wide.boot(layout(name), Era.LINUX_6_19.rules())) {
      AddressSpace space = machine.manager().newAddressSpace("vfio");
      long va = mapHuge(space);
      try (FollowedPfn found = space.followPfnMap(va + 5 * Pages.SIZE + 7)) {
        assertThat(found.level()).isEqualTo(level);
        assertThat(found.isSpecial()).isTrue();
        assertThat(found.isWritable()).isFalse();
        assertThat(found.pfn().value()).isEqualTo((GIB >>> Pages.SHIFT) + 5);
        assertThat(found.entry()).isEqualTo(entryAt(space, va));
      }
    }
  }

  private static long entryAt(AddressSpace space, long va) {
    return space.table().get(PageTable.slotOf(space.table().descend(va)));
  }

  @Test
  void s390xHasNoSpecialHugeLeafSoNoneIsMade() throws Exception {
    try (Wide machine = Wide.boot(S390xLayout.INSTANCE, Era.LINUX_6_19.rules())) {
      AddressSpace space = machine.manager().newAddressSpace("vfio");
      long va = mapHuge(space);
      assertRefused(space, va);
      assertThat(S390xLayout.INSTANCE.hasSpecialBit(Level.PMD)).isFalse();
    }
  }

  @Test
  void before612APfnMappingHasNoHugeLeaf() throws Exception {
    Rules before = Era.LINUX_6_19.rules().without(Rule.HUGE_PFN_MAPS);
    try (Wide machine = Wide.boot(X8664Layout.INSTANCE, before)) {
      AddressSpace space = machine.manager().newAddressSpace("vfio");
      assertRefused(space, mapHuge(space));
    }
  }

  private static void assertRefused(AddressSpace space, long va) {
    assertThatExceptionOfType(MapException.class)
        .isThrownBy(() -> space.followPfnMap(va))
        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    // The lock was released: the next call gets it.
    assertThatExceptionOfType(MapException.class).isThrownBy(() -> space.followPfnMap(va));
    assertThat(space.mm().isClosed()).isFalse();
  }

  @Test
  void aPageTellsRightsAndNumberAndMixedmapIsRefused() throws Exception {
    try (TestMachine machine = new TestMachine(Era.LINUX_6_19.rules())) {
      AddressSpace space = machine.space("pages");
      long pfn = TestMachine.DEVICE >>> Pages.SHIFT;
      long flags = IO_FLAGS | VmaFlags.WRITE | VmaFlags.MAYWRITE;
      TestMachine.map(space, new Vma(AddrRange.ofLength(0x10_0000, 0x2000), flags, null, 0));
      assertRefused(space, 0x10_0000);
      assertThat(space.insertPfn(0x10_0000, new Pfn(pfn))).isEqualTo(Errno.OK);
      try (FollowedPfn found = space.followPfnMap(0x10_0000)) {
        assertThat(found.pfn().value()).isEqualTo(pfn);
        assertThat(found.level()).isEqualTo(Level.PTE);
        assertThat(found.isWritable()).isTrue();
        assertThat(found.isSpecial()).isTrue();
      }
      TestMachine.map(space, 0x20_0000, 1, TestMachine.PRIVATE, machine.file("mixed", 1));
      TestMachine.read(space, 0x20_0000);
      assertRefused(space, 0x20_0000);
      assertRefused(space, 0x30_0000);
    }
  }

  @Test
  void nothingMayBlockBeforeTheEndAndNothingIsToldAfterIt() throws Exception {
    try (TestMachine machine = new TestMachine(Era.LINUX_6_19.rules())) {
      AddressSpace space = mapped(machine);
      FollowedPfn found = space.followPfnMap(0x10_0000);
      assertThatThrownBy(() -> AtomicContext.mightSleep("a mutex"))
          .isInstanceOf(SleepingInAtomicException.class);
      found.close();
      found.close();
      AtomicContext.mightSleep("a mutex");
      assertThatThrownBy(found::pfn)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("follow_pfnmap at 0x100000");
    }
  }

  private static AddressSpace mapped(TestMachine machine) {
    AddressSpace space = machine.space("pages");
    TestMachine.map(space, new Vma(AddrRange.ofLength(0x10_0000, 0x1000), IO_FLAGS, null, 0));
    long pfn = TestMachine.DEVICE >>> Pages.SHIFT;
    assertThat(space.insertPfn(0x10_0000, new Pfn(pfn))).isEqualTo(Errno.OK);
    return space;
  }

  @Test
  void anUnmapWaitsForTheEnd() throws Exception {
    try (TestMachine machine = new TestMachine(Era.LINUX_6_19.rules())) {
      AddressSpace space = mapped(machine);
      CountDownLatch unmapped = new CountDownLatch(1);
      Thread other =
          new Thread(
              () -> {
                space.close();
                unmapped.countDown();
              });
      try (FollowedPfn found = space.followPfnMap(0x10_0000)) {
        other.start();
        assertThat(unmapped.await(100, TimeUnit.MILLISECONDS)).isFalse();
        assertThat(entryAt(space, 0x10_0000)).isEqualTo(found.entry());
      }
      assertThat(unmapped.await(20, TimeUnit.SECONDS)).isTrue();
      other.join();
    }
  }
}
