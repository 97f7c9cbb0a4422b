package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The window: claims, files mapped at physical addresses, and what is left afterwards. */
class PhysicalMemoryTest {
  private static final MemorySegment SOME = MemorySegment.ofArray(new byte[] {1});

  private static final long MIB = 1L << 20;

  @TempDir Path folder;

  private static PhysicalMemory boot() throws IOException {
    return PhysicalMemory.boot(64 * MIB, 4 * MIB);
  }

  private HostFile file(int pages, int value) throws IOException {
    byte[] bytes = new byte[(int) (pages * Pages.SIZE)];
    java.util.Arrays.fill(bytes, (byte) value);
    return HostFile.openReadOnly(Files.write(folder.resolve("file" + value), bytes));
  }

  @Test
  void aWindowOfSixteenTebibytesIsReservedWithoutCommitting() throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(16L << 40, MIB)) {
      assertThat(memory.window().get(ValueLayout.JAVA_BYTE, (16L << 40) - 1)).isZero();
      assertThat(memory.frames().bytes()).isEqualTo(256 * PageFrames.RECORD_BYTES);
    }
  }

  @Test
  void aClaimAddsNothingToTheMemMap() throws IOException {
    try (PhysicalMemory memory = boot()) {
      long before = memory.frames().bytes();
      memory.claim("A", new AddrRange(8 * MIB, 40 * MIB), true);
      assertThat(memory.frames().bytes()).isEqualTo(before);
      assertThat(memory.frames().contains(8 * MIB >>> Pages.SHIFT)).isFalse();
    }
  }

  @Test
  void aFileLiesAtItsPhysicalAddress() throws IOException {
    try (PhysicalMemory memory = boot();
        HostFile file = file(2, 7)) {
      Region region = memory.claim("A", new AddrRange(8 * MIB, 9 * MIB), true);
      memory.mapFile(region, 0x1000, file, 0, 2 * Pages.SIZE, Access.READ, Sharing.SHARED);
      assertThat(memory.window().get(ValueLayout.JAVA_BYTE, 8 * MIB + 0xfff)).isZero();
      assertThat(memory.window().get(ValueLayout.JAVA_BYTE, 8 * MIB + 0x1000)).isEqualTo((byte) 7);
    }
  }

  @Test
  void aLateReaderOfAReleasedRegionSeesZeros() throws IOException {
    try (PhysicalMemory memory = boot();
        HostFile file = file(1, 9)) {
      Region region = memory.claim("A", new AddrRange(8 * MIB, 9 * MIB), true);
      memory.mapFile(region, 0, file, 0, Pages.SIZE, Access.READ, Sharing.SHARED);
      memory.release(region);
      assertThat(memory.window().get(ValueLayout.JAVA_BYTE, 8 * MIB)).isZero();
      assertThat(memory.regions()).extracting(Region::name).containsExactly("RAM");
      assertThat(Files.readString(Path.of("/proc/self/maps"))).doesNotContain("file9");
    }
  }

  @Test
  void aLateStoreIntoAReleasedWritableRegionIsRefused() throws IOException {
    Path path = Files.write(folder.resolve("written"), new byte[2 * (int) Pages.SIZE]);
    try (PhysicalMemory memory = boot();
        HostFile file = HostFile.openReadWrite(path)) {
      AddrRange range = AddrRange.ofLength(8 * MIB, 2 * Pages.SIZE);
      Region region = memory.claim("A", range, false);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ_WRITE, Sharing.SHARED);
      MemorySegment bytes = PhysicalMemory.storable(memory.window().asSlice(8 * MIB, 8));
      bytes.set(ValueLayout.JAVA_BYTE, 0, (byte) 5);
      memory.release(region);
      assertThat(memory.window().get(ValueLayout.JAVA_BYTE, 8 * MIB)).isZero();
      assertThatIllegalStateException()
          .isThrownBy(() -> bytes.set(ValueLayout.JAVA_BYTE, 1, (byte) 6));
      assertThat(memory.store(SOME, 0, 8 * MIB, 1)).isFalse();
      byte[] expected = new byte[2 * (int) Pages.SIZE];
      expected[0] = 5;
      assertThat(Files.readAllBytes(path)).isEqualTo(expected);
      assertThat(rights(memory, 8 * MIB)).isEqualTo("r--p");
    }
  }

  @Test
  void aStoreIntoAHoleOrAReadOnlyRegionIsRefusedBeforeItIsMade() throws IOException {
    try (PhysicalMemory memory = boot();
        HostFile file = file(1, 9)) {
      Region region = memory.claim("A", new AddrRange(8 * MIB, 9 * MIB), true);
      memory.mapFile(region, 0, file, 0, Pages.SIZE, Access.READ, Sharing.SHARED);
      memory.claim("B", new AddrRange(9 * MIB, 10 * MIB), false);
      for (long at : new long[] {8 * MIB, 9 * MIB, 10 * MIB, memory.windowBytes() - 1}) {
        MemorySegment there = memory.window().asSlice(at, 1);
        assertThatIllegalArgumentException()
            .isThrownBy(() -> there.set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
        assertThatIllegalArgumentException()
            .isThrownBy(() -> PhysicalMemory.storable(there))
            .withMessageContaining("EACCES");
        assertThat(memory.store(SOME, 0, at, 1)).isFalse();
      }
      assertThat(memory.store(SOME, 0, -1, 1)).isFalse();
      assertThat(memory.store(SOME, 0, memory.windowBytes(), 1)).isFalse();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> PhysicalMemory.ALL_WINDOWS.set(ValueLayout.JAVA_BYTE, 0, (byte) 1));
      assertThatIllegalArgumentException().isThrownBy(() -> PhysicalMemory.storable(SOME));
    }
  }

  @Test
  void aStoreIsWholeOrNotMade() throws IOException {
    try (PhysicalMemory memory = boot();
        HostFile file = HostFile.memfd("parts")) {
      file.truncate(2 * Pages.SIZE);
      Region region = memory.claim("A", AddrRange.ofLength(8 * MIB, 3 * Pages.SIZE), false);
      for (int page = 0; page < 2; page++) {
        long at = page * Pages.SIZE;
        memory.mapFile(region, at, file, at, Pages.SIZE, Access.READ_WRITE, Sharing.SHARED);
      }
      MemorySegment source = MemorySegment.ofArray(new byte[] {1, 2});
      long seam = 8 * MIB + Pages.SIZE - 1;
      assertThat(memory.store(source, 0, seam, 2)).isTrue();
      assertThat(memory.window().get(ValueLayout.JAVA_SHORT_UNALIGNED, seam))
          .isEqualTo((short) 0x201);
      MemorySegment both =
          PhysicalMemory.storable(memory.window().asSlice(8 * MIB, 2 * Pages.SIZE));
      both.fill((byte) 3);
      long end = 8 * MIB + 2 * Pages.SIZE - 1;
      assertThat(memory.store(source, 0, end, 2)).isFalse();
      assertThat(memory.window().get(ValueLayout.JAVA_BYTE, end)).isEqualTo((byte) 3);
    }
  }

  @Test
  void aPartThatIsMappedAnewForReadingCannotBeStoredInto() throws IOException {
    try (PhysicalMemory memory = boot();
        HostFile file = HostFile.memfd("again")) {
      file.truncate(Pages.SIZE);
      Region region = memory.claim("A", AddrRange.ofLength(8 * MIB, Pages.SIZE), false);
      memory.mapFile(region, 0, file, 0, Pages.SIZE, Access.READ_WRITE, Sharing.SHARED);
      assertThat(memory.store(SOME, 0, 8 * MIB, 1)).isTrue();
      memory.mapFile(region, 0, file, 0, Pages.SIZE, Access.READ, Sharing.SHARED);
      assertThat(memory.store(SOME, 0, 8 * MIB, 1)).isFalse();
    }
  }

  /** The mapping at a physical address in /proc/self/maps. */
  private static String rights(PhysicalMemory memory, long physical) throws IOException {
    long address = memory.window().address() + physical;
    for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
      String[] words = line.split(" ", 3);
      String[] ends = words[0].split("-");
      if (Long.parseUnsignedLong(ends[0], 16) <= address
          && address < Long.parseUnsignedLong(ends[1], 16)) {
        return words[1];
      }
    }
    throw new AssertionError("nothing is mapped at 0x%x".formatted(address));
  }

  @Test
  void theHolderOfAnyPartOfARangeIsFoundAmongMany() throws IOException {
    try (PhysicalMemory memory = boot()) {
      for (int i = 0; i < 20; i++) {
        memory.claim("S" + i, AddrRange.ofLength((8 + 2 * i) * MIB, MIB), true);
      }
      for (int i = 0; i < 20; i++) {
        long start = (8 + 2 * i) * MIB;
        assertThat(memory.holder(AddrRange.ofLength(start + MIB - 1, 1)))
            .hasValueSatisfying(region -> assertThat(region.range().start()).isEqualTo(start));
        assertThat(memory.holder(AddrRange.ofLength(start - 1, 2)))
            .hasValueSatisfying(region -> assertThat(region.range().start()).isEqualTo(start));
        assertThat(memory.holder(new AddrRange(start + MIB, start + 2 * MIB))).isEmpty();
      }
      assertThat(memory.holder(new AddrRange(4 * MIB, 8 * MIB))).isEmpty();
      assertThat(memory.holder(new AddrRange(4 * MIB - 1, 8 * MIB)))
          .hasValueSatisfying(region -> assertThat(region.name()).isEqualTo("RAM"));
    }
  }

  @Test
  void anOverlappingClaimNamesTheHolder() throws IOException {
    try (PhysicalMemory memory = boot()) {
      memory.claim("FIRST", new AddrRange(8 * MIB, 9 * MIB), true);
      assertThatThrownBy(() -> memory.claim("SECOND", new AddrRange(0x8ff000, 10 * MIB), true))
          .isInstanceOf(RegionBusyException.class)
          .hasMessageContainingAll("EBUSY", "SECOND", "FIRST", "0x800000");
      assertThatThrownBy(() -> memory.claim("LOW", new AddrRange(0, MIB), true))
          .isInstanceOf(RegionBusyException.class)
          .hasMessageContaining("RAM");
      assertThat(memory.regions()).hasSize(2);
    }
  }

  @Test
  void wrongArgumentsFailBeforeAnythingChanges() throws IOException {
    try (PhysicalMemory memory = boot();
        HostFile file = file(1, 3)) {
      assertThatThrownBy(() -> memory.claim("A", new AddrRange(8 * MIB + 1, 9 * MIB), true))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> memory.claim("A", new AddrRange(63 * MIB, 65 * MIB), true))
          .hasMessageContaining("ERANGE");
      Region region = memory.claim("A", new AddrRange(8 * MIB, 9 * MIB), true);
      assertThatThrownBy(
              () ->
                  memory.mapFile(region, 0, file, 0, Pages.SIZE, Access.READ_WRITE, Sharing.SHARED))
          .hasMessageContaining("EACCES");
      assertThatThrownBy(
              () -> memory.mapFile(region, MIB, file, 0, Pages.SIZE, Access.READ, Sharing.SHARED))
          .hasMessageContaining("EINVAL");
      memory.release(region);
      assertThatThrownBy(() -> memory.release(region)).hasMessageContaining("not claimed");
    }
  }

  @Test
  void ramThatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> PhysicalMemory.boot(MIB, 2 * MIB))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0x200000");
    assertThatThrownBy(() -> PhysicalMemory.boot(MIB, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> PhysicalMemory.boot(MIB + 5, Pages.SIZE))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void closingTwiceDoesNothing() throws IOException {
    PhysicalMemory memory = boot();
    memory.close();
    memory.close();
    assertThatThrownBy(() -> memory.window().get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
  }
}
