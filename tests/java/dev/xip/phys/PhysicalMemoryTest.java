package dev.xip.phys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The window: claims, files mapped at physical addresses, and what is left afterwards. */
class PhysicalMemoryTest {
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
