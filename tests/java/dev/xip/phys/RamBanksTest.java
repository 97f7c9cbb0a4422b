package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** RAM in two banks of 4 and 8 pages, with a hole of 52 pages between them. */
class RamBanksTest {
  private static final AddrRange FIRST = new AddrRange(0, 4 * Pages.SIZE);
  private static final AddrRange SECOND = new AddrRange(56 * Pages.SIZE, 64 * Pages.SIZE);
  private static final AddrRange IN_THE_HOLE = new AddrRange(16 * Pages.SIZE, 32 * Pages.SIZE);
  private static final MemorySegment SOME = MemorySegment.ofArray(new byte[8192]);

  private PhysicalMemory memory;
  private PageFrames frames;
  private FrameAllocator allocator;

  @BeforeEach
  void boot() throws IOException {
    memory = PhysicalMemory.boot(1 << 20, RamBanks.of(FIRST, SECOND));
    frames = memory.frames();
    allocator = memory.allocator();
  }

  @AfterEach
  void close() {
    memory.close();
  }

  @Test
  void theMemMapHasRecordsForTheHoleButOnlyBanksAreRam() {
    assertThat(frames.count()).isEqualTo(12);
    assertThat(frames.end()).isEqualTo(64);
    assertThat(memory.ramBytes()).isEqualTo(12 * Pages.SIZE);
    assertThat(memory.banks().holes()).containsExactly(new AddrRange(FIRST.end(), SECOND.start()));
    for (long pfn = -1; pfn < 100; pfn++) {
      assertThat(frames.isRam(pfn))
          .as("pfn %d", pfn)
          .isEqualTo(pfn >= 0 && pfn < 4 || pfn >= 56 && pfn < 64);
      assertThat(frames.contains(pfn)).as("pfn %d", pfn).isEqualTo(pfn >= 0 && pfn < 64);
    }
  }

  @Test
  void sparsememMakesTheMemMapInWholeSections() throws IOException {
    RamBanks banks = RamBanks.of(FIRST, SECOND).inSections(20);
    try (PhysicalMemory sparse = PhysicalMemory.boot(1 << 20, banks)) {
      assertThat(sparse.frames().end()).isEqualTo(256);
      assertThat(sparse.frames().count()).isEqualTo(12);
      assertThat(sparse.frames().isRam(64)).isFalse();
    }
  }

  @Test
  void everyFrameOfBothBanksIsHandedOutOnceAndNoneOfTheHole() {
    Set<Long> handedOut = new HashSet<>();
    for (int i = 0; i < 12; i++) {
      long pfn = allocator.allocate(FrameUse.ANONYMOUS);
      assertThat(frames.isRam(pfn)).as("pfn %d", pfn).isTrue();
      assertThat(handedOut.add(pfn)).isTrue();
      memory.ram().set(ValueLayout.JAVA_LONG, pfn << Pages.SHIFT, pfn);
    }
    assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isEqualTo(-1);
    assertThat(allocator.available()).isZero();
  }

  @Test
  void aRunThatDoesNotFitIntoABankLeavesItsRestToSingleFrames() {
    allocator.allocate(FrameUse.ANONYMOUS);
    assertThat(allocator.allocateRun(FrameUse.TABLE, 8)).isEqualTo(56);
    assertThat(allocator.available()).isEqualTo(3);
    for (int i = 0; i < 3; i++) {
      assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isBetween(1L, 3L);
    }
    assertThat(allocator.allocate(FrameUse.ANONYMOUS)).isEqualTo(-1);
  }

  @Test
  void aSegmentMayLieInTheHoleAndNotOnABank() throws IOException {
    Region region = memory.claim("SEGMENT", IN_THE_HOLE, true);
    assertThat(memory.regions()).extracting(Region::name).containsExactly("RAM", "SEGMENT", "RAM");
    for (AddrRange bank : memory.banks().ranges()) {
      assertThatThrownBy(() -> memory.claim("OTHER", bank, true))
          .isInstanceOf(RegionBusyException.class)
          .hasMessageContaining("RAM");
      assertThatThrownBy(() -> memory.release(new Region("RAM", bank, false)))
          .hasMessageContaining("is not claimed");
    }
    memory.release(region);
  }

  @Test
  void aStoreReachesBothBanksAndNotTheHole() throws IOException {
    assertThat(memory.store(SOME, 0, 0, 8192)).isTrue();
    assertThat(memory.store(SOME, 0, SECOND.start(), 8192)).isTrue();
    for (long at :
        new long[] {FIRST.end(), FIRST.end() - 4, SECOND.start() - 4, SECOND.end() - 4}) {
      assertThat(memory.store(SOME, 0, at, 8)).as("0x%x", at).isFalse();
      assertThatThrownBy(() -> PhysicalMemory.storable(memory.window().asSlice(at, 8)))
          .hasMessageContaining("EACCES");
    }
    memory.claim("SEGMENT", new AddrRange(FIRST.end(), SECOND.start()), true);
    assertThat(memory.store(SOME, 0, FIRST.end() - 4, 8)).isFalse();
    assertThat(memory.window().get(ValueLayout.JAVA_LONG, FIRST.end())).isZero();
  }

  /** As memmap_init_zone leaves it: reserved, with a reference that no one drops. */
  @Test
  void aFrameOfTheHoleThatIsCountedIsReservedAndNeverFreed() {
    frames.get(20);
    assertThat(frames.use(20)).isEqualTo(FrameUse.RESERVED);
    assertThat(frames.references(20)).isEqualTo(2);
    frames.get(20);
    assertThat(allocator.put(20)).isFalse();
    assertThat(allocator.put(20)).isFalse();
    assertThat(frames.references(20)).isEqualTo(1);
    assertThat(allocator.refused()).isEmpty();
    assertThat(allocator.put(20)).as("one too many").isFalse();
    assertThat(allocator.refused()).containsExactly(20L);
    assertThat(allocator.available()).isEqualTo(12);
  }

  /** As sparse_init leaves it in 2.6.24: zeroed memory, neither reserved nor free. */
  @Test
  void aFrameBehindRamInItsSectionIsNotReservedAndItsLastReferenceIsRefused() throws IOException {
    RamBanks banks = RamBanks.of(FIRST, SECOND).inSections(20);
    try (PhysicalMemory sparse = PhysicalMemory.boot(1 << 20, banks)) {
      sparse.frames().get(100);
      assertThat(sparse.frames().use(100)).isEqualTo(FrameUse.FREE);
      assertThat(sparse.frames().references(100)).isEqualTo(1);
      assertThat(sparse.allocator().put(100)).isFalse();
      assertThat(sparse.allocator().refused()).containsExactly(100L);
      assertThat(sparse.allocator().available()).isEqualTo(12);
    }
  }

  @Test
  void aReferenceToAFreeFrameOfRamIsStillAnError() {
    assertThatThrownBy(() -> frames.get(57)).hasMessageContaining("free frame, pfn 0x39");
  }

  @Test
  void noSegmentIsClaimedBeforeTheBootIsDone() throws IOException {
    try (PhysicalMemory booting = PhysicalMemory.start(1 << 20, RamBanks.of(FIRST, SECOND))) {
      booting.reach(BootStep.MEMORY_CHUNKS);
      assertThatThrownBy(() -> booting.claim("EARLY", IN_THE_HOLE, true))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContainingAll("EARLY", "MEMORY_CHUNKS", "expected SEGMENTS");
      assertThatThrownBy(() -> booting.reach(BootStep.START))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContainingAll("START", "MEMORY_CHUNKS");
      booting.reach(BootStep.SEGMENTS);
      booting.claim("LATE", IN_THE_HOLE, true);
    }
  }

  /** The records of 60 GiB are 960 MiB. */
  @Test
  void theRecordsOfALargeHoleTakeNoMemory() throws IOException {
    AddrRange far = AddrRange.ofLength(60L << 30, 1 << 20);
    long before = residentBytes();
    try (PhysicalMemory large = PhysicalMemory.boot(64L << 30, RamBanks.of(FIRST, far))) {
      FrameAllocator all = large.allocator();
      while (all.available() > 0) {
        large.ram().set(ValueLayout.JAVA_LONG, all.allocate(FrameUse.ANONYMOUS) << Pages.SHIFT, 1);
      }
      assertThat(large.frames().bytes()).isGreaterThan(900L << 20);
      assertThat(residentBytes() - before).isLessThan(200L << 20);
    }
  }

  private static long residentBytes() throws IOException {
    return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ")[1]) * Pages.SIZE;
  }

  @Test
  void banksThatNoMachineHasAreRefused() {
    assertThatThrownBy(() -> RamBanks.of(FIRST).inSections(11)).hasMessageContaining("EINVAL");
    assertThatThrownBy(() -> RamBanks.of(new AddrRange[0])).hasMessageContaining("EINVAL");
    assertThatThrownBy(() -> RamBanks.of(SECOND)).hasMessageContaining("begins at 0");
    assertThatThrownBy(() -> RamBanks.of(SECOND, FIRST)).hasMessageContaining("begins at 0");
    assertThatThrownBy(() -> RamBanks.of(0)).hasMessageContaining("not empty");
    assertThatThrownBy(() -> RamBanks.of(5000)).hasMessageContaining("multiple of 0x1000");
    assertThatThrownBy(() -> RamBanks.of(FIRST, AddrRange.ofLength(FIRST.end(), Pages.SIZE)))
        .hasMessageContainingAll("EINVAL", "above 0x4000, behind a hole");
    assertThatThrownBy(() -> PhysicalMemory.boot(32 * Pages.SIZE, RamBanks.of(FIRST, SECOND)))
        .hasMessageContainingAll("EINVAL", "inside the window");
  }
}
