package dev.xip.vm;

import static dev.xip.vm.TestMachine.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.DeviceMemory;
import dev.xip.mapping.Mapper;
import dev.xip.mapping.PageRun;
import dev.xip.mapping.PhysicalRange;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Layouts;
import dev.xip.pagetable.X8664Of2008Layout;
import dev.xip.phys.FrameUse;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * rules.md, "remap_pfn_range": device memory mapped by page frame number, with and without the bit.
 */
class DeviceMapTest {
  private static final int PAGES = 12;
  private static final long PFN = TestMachine.DEVICE >>> Pages.SHIFT;
  private static final long AT = 0x4000_0000;

  /** A frame buffer on the device. */
  private static PhysicalRange buffer(boolean atOnce) {
    return new PhysicalRange(
        "frame-buffer", AddrRange.ofLength(TestMachine.DEVICE, PAGES * Pages.SIZE), true, atOnce);
  }

  /** Device memory whose pages lie at frames chosen by a test. */
  private record Scattered(long[] pfns, boolean isEnteredAtOnce) implements DeviceMemory {
    @Override
    public String name() {
      return "scattered";
    }

    @Override
    public boolean isWritable() {
      return true;
    }

    @Override
    public long size() {
      return pfns.length * Pages.SIZE;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun(pfns[(int) page], 1);
    }
  }

  /** A machine to be made. */
  private record Kind(EntryLayout layout, FrameStrategy strategy) {
    TestMachine boot() {
      return new TestMachine(layout, strategy, Rules.DEFAULT);
    }
  }

  static Stream<Kind> kinds() {
    return Stream.of(
            FrameStrategy.SPECIAL_BIT,
            FrameStrategy.REFCOUNT_PTE_BIT,
            FrameStrategy.FLAT,
            FrameStrategy.FLAT_IF_MIXED)
        .flatMap(
            strategy ->
                Layouts.ALL.stream()
                    .filter(strategy::fits)
                    .map(layout -> new Kind(layout, strategy)));
  }

  private static AddrRange pages(long first, long count) {
    return AddrRange.ofLength(AT + first * Pages.SIZE, count * Pages.SIZE);
  }

  private static AddressSpace mapped(TestMachine machine, MapRequest request) {
    AddressSpace space = machine.space("test");
    try {
      space.map(request.at(AT));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return space;
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void allEntriesAreMadeAtOnceAndNothingIsCounted(Kind kind) throws IOException {
    try (TestMachine machine = kind.boot();
        AddressSpace space =
            mapped(machine, MapRequest.shared(buffer(true), Access.READ_WRITE).pages(2, 8 << 12))) {
      EntryLayout layout = machine.manager.layout();
      Vma vma = space.find(AT);
      assertThat(VmaFlags.letters(vma.flags())).isEqualTo("rd wr sh mr mw me ms pf io de dd");
      assertThat(vma.pageOffset()).as("a shared mapping keeps its offset").isEqualTo(2);
      assertThat(Census.of(space).special()).isEqualTo(8);
      assertThat(layout.pfn(entry(space, AT))).isEqualTo(PFN + 2);
      assertThat(layout.isWritable(entry(space, AT))).isTrue();
      assertThat(layout.isSpecial(entry(space, AT))).isEqualTo(machine.manager.usesSpecialBit());
      assertThat(TestMachine.read(space, AT)).isZero();
      assertThat(space.minorFaults()).isZero();
      TestMachine.write(space, AT, 5);
      assertThat(TestMachine.read(space, AT)).isEqualTo(5);
      assertThat(machine.memory.window().get(ValueLayout.JAVA_LONG, PFN + 2 << 12))
          .as("in place")
          .isEqualTo(5);
      assertThat(space.fileFrames() + space.anonymousFrames()).isZero();
      assertThat(space.getUserPages().followPfn(AT).value()).isEqualTo(PFN + 2);
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aPrivateMappingIsLinearFromItsFirstFrameAndStoresCopy(Kind kind) throws IOException {
    try (TestMachine machine = kind.boot();
        AddressSpace space =
            mapped(
                machine, MapRequest.privately(buffer(true), Access.READ_WRITE).pages(2, 8 << 12))) {
      assertThat(space.find(AT).pageOffset()).isEqualTo(PFN + 2);
      TestMachine.write(space, AT + Pages.SIZE, 7);
      assertThat(TestMachine.read(space, AT + Pages.SIZE)).isEqualTo(7);
      assertThat(Census.of(space))
          .extracting(Census::special, Census::normal)
          .containsExactly(7L, 1L);
      assertThat(space.anonymousFrames()).isEqualTo(1);
      assertThat(machine.memory.window().get(ValueLayout.JAVA_LONG, PFN + 3 << 12)).isZero();
    }
  }

  /** Splits, moves, protections, forks and stores in any order. */
  @ParameterizedTest
  @MethodSource("kinds")
  void theLinearRuleStaysTrueWhateverIsDone(Kind kind) throws IOException {
    try (TestMachine machine = kind.boot()) {
      for (long seed = 0; seed < 60; seed++) {
        Random random = new Random(seed);
        List<AddressSpace> spaces = new ArrayList<>();
        spaces.add(mapped(machine, MapRequest.privately(buffer(true), Access.READ_WRITE)));
        for (int step = 0; step < 25; step++) {
          AddressSpace space = spaces.get(random.nextInt(spaces.size()));
          perform(random, space, spaces);
          requireRawOrOwn(machine, space);
        }
        machine.verify();
        spaces.forEach(AddressSpace::close);
        machine.requireBootState();
      }
    }
  }

  private static void perform(Random random, AddressSpace space, List<AddressSpace> spaces)
      throws IOException {
    List<Vma> vmas = space.vmas();
    if (vmas.isEmpty()) {
      return;
    }
    Vma vma = vmas.get(random.nextInt(vmas.size()));
    long count = vma.range().length() >>> Pages.SHIFT;
    long first = random.nextLong(count);
    AddrRange part =
        AddrRange.ofLength(
            vma.range().start() + first * Pages.SIZE,
            (1 + random.nextLong(count - first)) * Pages.SIZE);
    switch (random.nextInt(6)) {
      case 0 -> space.unmap(AddrRange.ofLength(part.start(), Pages.SIZE));
      case 1 ->
          space.remap(
              RemapRequest.to(
                  part, part.length(), AT + (64 + random.nextInt(64)) * 2 * PAGES * Pages.SIZE));
      case 2 -> space.protect(part, random.nextBoolean() ? Access.READ : Access.NONE);
      case 3 -> {
        if (spaces.size() < 4) {
          spaces.add(space.fork("child"));
        }
      }
      default -> {
        space.protect(part, Access.READ_WRITE);
        TestMachine.write(space, part.start(), random.nextLong());
      }
    }
  }

  /** Each page is the device's, uncounted, or a copy of the space's own, counted. */
  private static void requireRawOrOwn(TestMachine machine, AddressSpace space) {
    for (Vma vma : space.vmas()) {
      for (long va = vma.range().start(); va < vma.range().end(); va += Pages.SIZE) {
        long pte = entry(space, va);
        long pfn = machine.manager.layout().pfn(pte);
        boolean raw = pfn == vma.pageAt(va);
        assertThat(machine.manager.normalFrame(vma, va, pte))
            .isEqualTo(raw ? MemoryManager.NO_FRAME : pfn);
        assertThat(raw || machine.memory.frames().use(pfn) == FrameUse.ANONYMOUS).isTrue();
      }
    }
  }

  @Test
  void beforeRelease37SuchAMappingIsReserved() throws IOException {
    try (TestMachine machine = new TestMachine(Era.LINUX_2_6_26.rules());
        AddressSpace space = mapped(machine, MapRequest.shared(buffer(true), Access.READ))) {
      long flags = space.find(AT).flags();
      assertThat(flags & VmaFlags.RESERVED).isNotZero();
      assertThat(flags & (VmaFlags.DONTEXPAND | VmaFlags.DONTDUMP)).isZero();
    }
  }

  @Test
  void pagesOutOfOrderCanBeMappedSharedOnly() throws IOException {
    try (TestMachine machine = new TestMachine();
        AddressSpace space = machine.space("test")) {
      Scattered memory = new Scattered(new long[] {PFN + 4, PFN, PFN + 9}, true);
      assertThatThrownBy(() -> space.map(MapRequest.privately(memory, Access.READ)))
          .isInstanceOf(MapException.class)
          .hasMessageStartingWith("EINVAL")
          .hasMessageContaining("expected one run of frames")
          .hasMessageContaining("found 0x1 pages at pfn 0x%x".formatted(PFN + 4));
      assertThat(space.vmas()).isEmpty();
      AddrRange range = space.map(MapRequest.shared(memory, Access.READ));
      assertThat(machine.manager.layout().pfn(entry(space, range.end() - 1))).isEqualTo(PFN + 9);
    }
  }

  @Test
  void memoryOutsideTheWindowIsRefusedAndNothingIsLeft() throws IOException {
    try (TestMachine machine = new TestMachine();
        AddressSpace space = machine.space("test")) {
      long end = machine.memory.windowBytes();
      PhysicalRange beyond =
          new PhysicalRange(
              "beyond", AddrRange.ofLength(end - Pages.SIZE, 2 * Pages.SIZE), false, true);
      for (MapRequest request :
          List.of(
              MapRequest.shared(beyond, Access.READ), MapRequest.privately(beyond, Access.READ))) {
        assertThatThrownBy(() -> space.map(request)).hasMessageStartingWith("EINVAL");
      }
      assertThatThrownBy(
              () -> space.map(MapRequest.shared(buffer(true), Access.READ).pages(PAGES - 1, 8192)))
          .hasMessageStartingWith("EINVAL");
      assertThat(space.vmas()).isEmpty();
      assertThat(Census.of(space).special()).isZero();
    }
  }

  @Test
  void usedUpRamIsAnEnomemAndNothingIsLeft() throws IOException {
    try (TestMachine machine = new TestMachine();
        AddressSpace space = machine.space("test")) {
      // The range lies in two tables of the lowest level, of which only the first can be made.
      long start = (1L << 30) - 2 * Pages.SIZE;
      space.map(MapRequest.anonymous(Pages.SIZE, Access.READ).at(start - Pages.SIZE));
      TestMachine.read(space, start - Pages.SIZE);
      List<Long> taken = new ArrayList<>();
      for (long pfn; (pfn = machine.memory.allocator().allocate(FrameUse.ANONYMOUS)) >= 0; ) {
        taken.add(pfn);
      }
      assertThatThrownBy(() -> space.map(MapRequest.shared(buffer(true), Access.READ).at(start)))
          .hasMessageStartingWith("ENOMEM");
      taken.forEach(machine.memory.allocator()::put);
      assertThat(space.vmas()).hasSize(1);
      machine.verify();
    }
  }

  @Test
  void aSlotThatIsTakenIsABug() throws IOException {
    try (TestMachine machine = new TestMachine();
        AddressSpace space = mapped(machine, MapRequest.shared(buffer(true), Access.READ))) {
      assertThatThrownBy(
              () -> DeviceMap.remapPfnRange(space.mm(), "again", space.find(AT), AT, PFN, 1))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageStartingWith("BUG");
    }
  }

  @Test
  void callsTreatTheMappingAsTheRulesSay() throws IOException {
    try (TestMachine machine = new TestMachine();
        AddressSpace space =
            mapped(
                machine,
                MapRequest.privately(buffer(true), Access.READ)
                    .with(MapFlag.POPULATE, MapFlag.LOCKED))) {
      AddrRange whole = pages(0, PAGES);
      assertThatThrownBy(() -> space.advise(whole, Advice.DONTNEED))
          .hasMessageStartingWith("EINVAL");
      assertThatThrownBy(() -> space.advise(whole, Advice.DOFORK)).hasMessageStartingWith("EINVAL");
      assertThatThrownBy(() -> space.remap(new RemapRequest(whole, 2 * whole.length(), true, -1)))
          .hasMessageStartingWith("EFAULT");
      assertThatThrownBy(() -> space.getUserPages().pin(AT, 1, false, true))
          .hasMessageStartingWith("EFAULT");
      space.advise(whole, Advice.WILLNEED);
      space.lock(whole);
      assertThat(space.find(AT).has(VmaFlags.LOCKED)).isFalse();
      assertThat(space.inCore(whole).cardinality()).isEqualTo(PAGES);
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void pagesThatFaultsEnterLieWhereverTheyAre(Kind kind) throws IOException {
    Scattered memory = new Scattered(new long[] {PFN + 4, PFN, -1, 1L << 40}, false);
    try (TestMachine machine = kind.boot();
        AddressSpace space = mapped(machine, MapRequest.shared(memory, Access.READ_WRITE))) {
      assertThat(Census.of(space).special()).isZero();
      TestMachine.write(space, AT + Pages.SIZE, 9);
      assertThat(machine.manager.layout().pfn(entry(space, AT + Pages.SIZE))).isEqualTo(PFN);
      assertThat(space.fault(AT + Pages.SIZE, Access.READ)).isEqualTo(FaultResult.Handled.PRESENT);
      for (int page : new int[] {2, 3}) {
        assertThat(space.fault(AT + page * Pages.SIZE, Access.READ))
            .isInstanceOfSatisfying(
                FaultResult.Refused.class,
                refused -> assertThat(refused.cause()).hasMessageContaining("has no place"));
      }
      try (AddressSpace child = machine.fork(space)) {
        assertThat(TestMachine.read(child, AT + Pages.SIZE)).isEqualTo(9);
      }
      assertThatThrownBy(() -> space.map(MapRequest.privately(memory, Access.READ)))
          .hasMessageStartingWith("EINVAL")
          .hasMessageContaining("faults enter its pages");
    }
  }

  /** The owner of device memory takes its pages back. */
  @Test
  void aPageThatTheDeviceHasTakenBackIsABusError() throws IOException {
    Mapper[] attached = new Mapper[1];
    DeviceMemory memory =
        new DeviceMemory() {
          @Override
          public boolean isEnteredAtOnce() {
            return true;
          }

          @Override
          public String name() {
            return "unplugged";
          }

          @Override
          public long size() {
            return Pages.SIZE;
          }

          @Override
          public PageRun translate(long page) {
            return new PageRun(PFN, 1);
          }

          @Override
          public void attach(Mapper mapper) {
            attached[0] = mapper;
          }
        };
    try (TestMachine machine = new TestMachine();
        AddressSpace space = mapped(machine, MapRequest.shared(memory, Access.READ))) {
      assertThat(TestMachine.read(space, AT)).isZero();
      attached[0].unmap(0, 1, false);
      assertThat(space.fault(AT, Access.READ))
          .isInstanceOfSatisfying(
              FaultResult.Refused.class,
              refused ->
                  assertThat(refused.cause())
                      .isInstanceOf(MemoryFaultException.BusError.class)
                      .hasMessageContaining("unplugged has taken the page back"));
    }
  }

  @Test
  void followPfnAnswersForDevicesAndNotForMixedMappings() throws IOException {
    try (TestMachine machine =
            new TestMachine(
                X8664Of2008Layout.INSTANCE, FrameStrategy.FLAT_IF_MIXED, Rules.DEFAULT);
        AddressSpace space = mapped(machine, MapRequest.shared(buffer(false), Access.READ))) {
      GetUserPages pages = space.getUserPages();
      assertThatThrownBy(() -> pages.followPfn(AT))
          .hasMessageStartingWith("EINVAL")
          .hasMessageContaining("expected a present entry");
      TestMachine.read(space, AT);
      assertThat(pages.followPfn(AT).value()).isEqualTo(PFN);
      long mixed = TestMachine.map(space, 2 * AT, 1, TestMachine.PRIVATE, machine.holes("file", 1));
      TestMachine.read(space, mixed);
      assertThatThrownBy(() -> pages.followPfn(mixed))
          .isInstanceOfSatisfying(
              MapException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }
  }
}
