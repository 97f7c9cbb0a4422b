package dev.xip.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Layouts;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import dev.xip.phys.RamBanks;
import dev.xip.phys.RegionFrames;
import dev.xip.segment.SegmentDefinition;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentPart;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.segment.SharingMode;
import dev.xip.testing.Images;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.AddressWriter;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapException;
import dev.xip.vm.MapRequest;
import dev.xip.vm.PinnedPages;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A machine with two banks of RAM, and segments with a file system where memory models go wrong: in
 * the hole between the banks, and behind the second bank in its section.
 */
class BanksTest {
  private static final long MIB = 1L << 20;
  private static final RamBanks BANKS =
      RamBanks.of(new AddrRange(0, 16 * MIB), new AddrRange(256 * MIB, 264 * MIB));
  private static final long IN_THE_HOLE = 192 * MIB;
  private static final long IN_THE_SECTION = 272 * MIB;
  private static final byte[] TEXT = "mapped in place, counted by mistake".getBytes();

  @TempDir Path folder;
  private SegmentStore store;
  private SegmentName hole;
  private SegmentName section;

  @BeforeEach
  void defineSegments() throws IOException {
    Path tree = Files.createDirectory(folder.resolve("tree"));
    byte[] pages = new byte[(int) (4 * Pages.SIZE)];
    Arrays.fill(pages, (byte) 'x');
    System.arraycopy(TEXT, 0, pages, 0, TEXT.length);
    Files.write(tree.resolve("text"), pages);
    Path image = Images.ext2(tree);
    store = SegmentStore.create(folder.resolve("store"));
    hole = define("HOLE", IN_THE_HOLE, SegmentType.SR, image);
    section = define("SECTION", IN_THE_SECTION, SegmentType.SR, image);
  }

  private SegmentName define(String text, long start, SegmentType type, Path image)
      throws IOException {
    SegmentName name = SegmentName.of(text);
    long first = start >>> Pages.SHIFT;
    long last = first + Pages.covering(Files.size(image)) - 1;
    store.define(
        SegmentDefinition.of(name, List.of(SegmentPart.of(type, first, last))),
        SegmentSource.copyOf(image, bytes -> {}));
    return name;
  }

  private Machine boot(FrameStrategy strategy) throws IOException {
    return Machine.boot(MachineConfig.DEFAULT.withRam(BANKS).withStrategy(strategy), store);
  }

  private static Mappable text(Mount mount) throws IOException {
    Inode inode = PathResolver.resolve(mount.image(), "/text", true);
    return mount.open("/text", inode);
  }

  /** The frame number of the file's first page. */
  private static long pfn(Mount mount) throws IOException {
    return text(mount).translate(0).pfn();
  }

  private static AddressSpace reader(Machine machine, Mount mount) throws IOException {
    AddressSpace space = machine.memoryManager().newAddressSpace("reader");
    long va = space.map(MapRequest.shared(text(mount), Access.READ).over(1 << 20)).start();
    assertThat(new AddressReader(space).getByte(va)).isEqualTo(TEXT[0]);
    return space;
  }

  /** Reads, stores into a private page, forks and exits; asserts that nothing was counted. */
  private void assertCleanHistory(Machine machine, SegmentName segment) throws IOException {
    long frames = machine.framesInUse();
    try (Mount mount = machine.mount(segment)) {
      try (AddressSpace space = reader(machine, mount)) {
        AddrRange copy = space.map(MapRequest.privately(text(mount), Access.READ_WRITE));
        new AddressWriter(space).putLong(copy.start() + Pages.SIZE, 7);
        try (AddressSpace child = space.fork("child")) {
          assertThat(new AddressReader(child).getLong(copy.start() + Pages.SIZE)).isEqualTo(7);
          assertThat(machine.memoryManager().fileFrames()).isZero();
          assertThat(machine.verify()).isEmpty();
        }
      }
      PageFrames records = machine.memory().frames();
      if (records.contains(pfn(mount))) {
        assertThat(records.mappings(pfn(mount))).isZero();
        assertThat(records.references(pfn(mount))).isZero();
      }
    }
    assertThat(machine.framesInUse()).isEqualTo(frames);
    assertThat(machine.memory().allocator().refused()).isEmpty();
    assertThat(machine.verify()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"REFCOUNT_PTE_BIT", "MEM_SEGS_SPIN_LOCK", "SORTED_ARRAY", "SPECIAL_BIT"})
  void aStrategyThatIsRightCountsNoPageOfASegmentBetweenBanks(FrameStrategy strategy)
      throws IOException {
    try (Machine machine = boot(strategy)) {
      assertCleanHistory(machine, hole);
    }
  }

  /** Also where the mem_map has records for the whole section, as with sparsemem on x86-64. */
  @Test
  void withTheSpecialBitASegmentInASectionWithRamIsNotCountedEither() throws IOException {
    RamBanks sections = BANKS.inSections(27);
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(sections), store)) {
      assertThat(machine.memory().frames().contains(IN_THE_SECTION >>> Pages.SHIFT)).isTrue();
      assertCleanHistory(machine, section);
      assertCleanHistory(machine, hole);
    }
  }

  @Test
  void sparseIsRightAboutAHoleWithSectionsOfItsOwnAndFlatAboutWhatLiesBehindRam()
      throws IOException {
    try (Machine machine = boot(FrameStrategy.SPARSE)) {
      assertCleanHistory(machine, hole);
    }
    try (Machine machine = boot(FrameStrategy.FLAT)) {
      assertCleanHistory(machine, section);
    }
  }

  @Test
  void aSegmentOnTheSecondBankIsRefused() throws IOException {
    SegmentName on = define("ONRAM", 260 * MIB, SegmentType.SR, store.query(hole).dataFile());
    try (Machine machine = boot(FrameStrategy.SPECIAL_BIT)) {
      assertThatThrownBy(() -> machine.segments().load(on, SharingMode.SHARED))
          .isInstanceOf(SegmentException.class)
          .hasMessageContainingAll("EBUSY", "ONRAM", "RAM");
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"FLAT", "REFCOUNT_PTE_PFN_VALID", "FLAT_IF_MIXED"})
  void flatCountsASegmentBetweenBanksInReservedPageFrames(FrameStrategy strategy)
      throws IOException {
    try (Machine machine = boot(strategy)) {
      PageFrames frames = machine.memory().frames();
      try (Mount mount = machine.mount(hole)) {
        long pfn = pfn(mount);
        assertThat(machine.verify()).isEmpty();
        try (AddressSpace space = reader(machine, mount)) {
          assertThat(machine.memoryManager().fileFrames()).as("rss").isEqualTo(4);
          assertThat(frames.use(pfn)).isEqualTo(FrameUse.RESERVED);
          assertThat(machine.verify())
              .hasSize(4)
              .contains(
                  "pfn 0x%x (RESERVED): counted, but it is no RAM: map count 1, references 2"
                      .formatted(pfn));
          try (AddressSpace child = space.fork("child")) {
            new AddressReader(child).getByte(1 << 20);
            assertThat(frames.mappings(pfn)).isEqualTo(2);
          }
          try (AddressSpace other = machine.memoryManager().newAddressSpace("other")) {
            other.map(MapRequest.shared(text(mount), Access.READ).over(1 << 20));
            assertThatThrownBy(() -> other.insertPfn(1 << 20, new Pfn(pfn)))
                .hasMessageContainingAll("BUG", "in MIXEDMAP a pfn may have no page frame");
          }
        }
        assertThat(machine.verify()).as("after exit the boot's own reference is left").isEmpty();
        assertThat(frames.references(pfn)).isEqualTo(1);
      }
    }
  }

  /** What a page frame is for: the page stays as long as it is held. A segment's does not. */
  @Test
  void flatGivesOutAPageFrameThatDoesNotKeepTheSegmentsMemory() throws IOException {
    try (Machine machine = boot(FrameStrategy.FLAT)) {
      PinnedPages pinned;
      MemorySegment seen = MemorySegment.ofArray(new byte[TEXT.length]);
      try (Mount mount = machine.mount(hole);
          AddressSpace space = reader(machine, mount)) {
        pinned = space.getUserPages().pin(1 << 20, 1, false, false);
        pinned.read(0, 0, seen);
        assertThat(seen.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(TEXT);
      }
      assertThat(machine.segments().loaded()).as("unloaded under the pin").isEmpty();
      pinned.read(0, 0, seen);
      assertThat(seen.toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
      assertThat(machine.verify())
          .singleElement()
          .asString()
          .contains("(RESERVED): counted, but it is no RAM: map count 0, references 2");
      pinned.close();
      assertThat(machine.verify()).isEmpty();
    }
  }

  private record Writable(long firstPfn, long size) implements Mappable {
    @Override
    public String name() {
      return "writable";
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun(firstPfn + page, 1);
    }

    @Override
    public boolean isWritable() {
      return true;
    }
  }

  /** A store through a pin into memory that is gone is refused; it does not end the JVM. */
  @Test
  void aStoreThroughAPinOfAnUnloadedSegmentIsRefused() throws IOException {
    Path data = store.query(hole).dataFile();
    SegmentName writable = define("WRITE", IN_THE_HOLE + 32 * MIB, SegmentType.SW, data);
    MemorySegment some = MemorySegment.ofArray(new byte[] {1, 2, 3});
    try (Machine machine = boot(FrameStrategy.FLAT);
        AddressSpace space = machine.memoryManager().newAddressSpace("writer")) {
      long pfn = machine.segments().load(writable, SharingMode.SHARED).range().start() >>> 12;
      Mappable file = new Writable(pfn, 8 * Pages.SIZE);
      long va = space.map(MapRequest.shared(file, Access.READ_WRITE)).start();
      try (PinnedPages pinned = space.getUserPages().pin(va, 1, true, false)) {
        pinned.write(0, 8, some);
        assertThat(new AddressReader(space).getByte(va + 10)).isEqualTo((byte) 3);
        machine.segments().unload(writable);
        assertThatThrownBy(() -> pinned.write(0, 8, some))
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContainingAll("EFAULT", "pfn 0x%x".formatted(pfn), "expected RAM");
      }
    }
  }

  @Test
  void withTheSpecialBitNoPageFrameIsGivenOut() throws IOException {
    try (Machine machine = boot(FrameStrategy.SPECIAL_BIT);
        Mount mount = machine.mount(hole);
        AddressSpace space = reader(machine, mount)) {
      assertThatThrownBy(() -> space.getUserPages().pin(1 << 20, 1, false, false))
          .isInstanceOf(MapException.class)
          .hasMessageContaining("EFAULT");
      try (AddressSpace other = machine.memoryManager().newAddressSpace("other")) {
        other.map(MapRequest.shared(text(mount), Access.READ).over(1 << 20));
        assertThat(other.insertPfn(1 << 20, new Pfn(pfn(mount)))).isEqualTo(Errno.OK);
      }
    }
  }

  /**
   * 2.6.24 prints "Bad page state" and frees such a page: the segment is then handed out as RAM.
   */
  @Test
  void sparseCountsASegmentInASectionWithRamAndAtExitWouldFreeItAsRam() throws IOException {
    try (Machine machine = boot(FrameStrategy.SPARSE)) {
      PageFrames frames = machine.memory().frames();
      long free = machine.memory().allocator().available();
      try (Mount mount = machine.mount(section)) {
        long pfn = pfn(mount);
        try (AddressSpace space = reader(machine, mount)) {
          assertThat(machine.memoryManager().fileFrames()).as("rss").isEqualTo(4);
          assertThat(space.vmas()).hasSize(1);
          assertThat(machine.verify())
              .hasSize(4)
              .contains(
                  "pfn 0x%x (FREE): counted, but it is no RAM: map count 1, references 1"
                      .formatted(pfn));
        }
        assertThat(frames.references(pfn)).as("the last reference is dropped").isZero();
        assertThat(machine.memory().allocator().refused())
            .containsExactly(pfn, pfn + 1, pfn + 2, pfn + 3);
        assertThat(machine.memory().allocator().available()).isEqualTo(free);
        assertThat(machine.verify())
            .hasSize(4)
            .contains("pfn 0x%x: freed as if it were RAM".formatted(pfn));
      }
    }
  }

  static List<EntryLayout> layouts() {
    return Layouts.ALL;
  }

  /** 300 MiB lie in the section of 128 MiB that bank 2 begins, and not in that of 32 MiB. */
  @ParameterizedTest
  @MethodSource("layouts")
  void howNearASegmentMayLieDependsOnTheArchitecturesSections(EntryLayout layout)
      throws IOException {
    SegmentName near = define("NEAR", 300 * MIB, SegmentType.SR, store.query(hole).dataFile());
    MachineConfig config =
        new MachineConfig(
            1L << 30, BANKS, layout, FrameStrategy.SPARSE, Rules.DEFAULT, RegionFrames.NONE, false);
    try (Machine machine = Machine.boot(config, store)) {
      assertThat(counted(machine, section)).isEqualTo(4);
      assertThat(counted(machine, near)).isEqualTo(layout.sectionBits() == 25 ? 0 : 4);
      assertThat(counted(machine, hole)).isZero();
    }
  }

  /** Inside the zone the boot has reserved the frames of a section that are no RAM. */
  @Test
  void aSegmentBetweenBanksInASectionWithRamIsCountedInReservedFrames() throws IOException {
    Path data = store.query(hole).dataFile();
    SegmentName behindBankOne = define("BEHIND", 96 * MIB, SegmentType.SR, data);
    try (Machine machine = boot(FrameStrategy.SPARSE)) {
      assertThat(counted(machine, behindBankOne)).isEqualTo(4);
      assertThat(machine.memory().allocator().refused()).isEmpty();
      assertThat(machine.verify()).isEmpty();
    }
  }

  /** The frames that are counted for a file of four pages while it is mapped. */
  private static long counted(Machine machine, SegmentName segment) throws IOException {
    try (Mount mount = machine.mount(segment);
        AddressSpace space = reader(machine, mount)) {
      assertThat(space.vmas()).hasSize(1);
      return machine.memoryManager().fileFrames();
    }
  }
}
