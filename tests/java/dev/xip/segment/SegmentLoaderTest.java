package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import dev.xip.phys.Region;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SegmentLoaderTest extends LoaderFixture {
  @Test
  void aSegmentLiesAtItsPhysicalAddressWithItsBytes() throws IOException {
    byte[] content = new byte[8192];
    Arrays.fill(content, (byte) 7);
    defineBytes(A, SegmentType.SR, content);
    SavedSegment loaded = loader.load(A, SharingMode.SHARED);
    assertThat(loaded.range()).isEqualTo(new AddrRange(4L << 30, (4L << 30) + 8192));
    assertThat(loaded.range().end()).isEqualTo((4L << 30) + 8192);
    assertThat(loaded.type()).isEqualTo(SegmentType.SR);
    assertThat(loaded.version()).isEqualTo(1);
    assertThat(bytes(memory, loaded).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
    assertThat(loader.loaded()).containsExactly(loaded);
  }

  @Test
  void anUnloadedSegmentReadsAsZeros() throws IOException {
    byte[] content = new byte[4096];
    Arrays.fill(content, (byte) 7);
    defineBytes(A, SegmentType.SR, content);
    SavedSegment loaded = loader.load(A, SharingMode.SHARED);
    MemorySegment late = bytes(memory, loaded);
    assertThat(get(late, 4095)).isEqualTo((byte) 7);
    loader.unload(A);
    assertThat(get(late, 4095)).isZero();
    assertThat(loaded.references()).isZero();
    assertUntouched();
  }

  @Test
  void aSecondLoadInTheSameModeIsAReference() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    SavedSegment first = loader.load(A, SharingMode.SHARED);
    assertThat(loader.load(A, SharingMode.SHARED)).isSameAs(first);
    assertThat(first.references()).isEqualTo(2);
    loader.unload(A);
    assertThat(loader.loaded()).containsExactly(first);
    loader.unload(A);
    assertUntouched();
  }

  @Test
  void aLoadInTheOtherModeIsRefused() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    SavedSegment held = loader.load(A, SharingMode.SHARED);
    refused(
        () -> loader.load(A, SharingMode.EXCLUSIVE),
        Errno.EPERM,
        "segment A: already loaded SHARED, not EXCLUSIVE");
    assertThat(held.references()).isEqualTo(1);
  }

  @Test
  void anUnknownSegmentIsNotLoaded() throws IOException {
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.ENOENT, "segment A");
    assertUntouched();
  }

  @Test
  void aDamagedDefinitionIsNotLoaded() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    Files.write(store.folder().resolve("A.def"), new byte[3]);
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EIO, "A.def: at byte 0x0");
    refused(() -> loader.type(A), Errno.EIO, "A.def: at byte 0x0");
    assertUntouched();
  }

  @Test
  void aDataFileShorterThanItsDefinitionIsNotLoaded() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 4);
    try (RandomAccessFile cut = new RandomAccessFile(stored.dataFile().toFile(), "rw")) {
      cut.setLength(4 * 4096 - 1);
    }
    refused(
        () -> loader.load(A, SharingMode.SHARED),
        Errno.EIO,
        stored.dataFile() + ": expected 0x4000 bytes, found 0x3fff");
    assertUntouched();
  }

  @Test
  void aMissingDataFileIsAnIoErrorNotAnUnknownSegment() throws IOException {
    Files.delete(define(A, SegmentType.SR, PLACE, 4).dataFile());
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EIO, "A.1.data");
    assertUntouched();
  }

  @Test
  void aDataFileThatIsALinkIsNotLoadedAndLeavesMemoryAsItWas() throws IOException {
    Path data = define(A, SegmentType.SR, PLACE, 1).dataFile();
    Files.move(data, temp.resolve("elsewhere"));
    Files.createSymbolicLink(data, temp.resolve("elsewhere"));
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EIO, "found a symbolic link");
    Files.delete(data);
    assertUntouched();
  }

  @Test
  void twoHalvesOfOneMegabyteCollide() throws IOException {
    define(A, SegmentType.SR, PLACE, 0x80);
    define(B, SegmentType.SR, PLACE + 0xff, 1);
    loader.load(A, SharingMode.SHARED);
    refused(
        () -> loader.load(B, SharingMode.SHARED),
        Errno.EBUSY,
        "found [0x100000000, 0x100080000) A (DCSS) (read-only)");
    assertThat(loader.loaded()).hasSize(1);
    assertThat(memory.regions()).hasSize(atBoot.size() + 1);
  }

  @Test
  void neighbouringMegabytesDoNotCollide() throws IOException {
    define(A, SegmentType.SR, PLACE, 0x100);
    define(B, SegmentType.SR, PLACE + 0x100, 1);
    loader.load(B, SharingMode.SHARED);
    loader.load(A, SharingMode.SHARED);
    assertThat(loader.loaded()).extracting(SavedSegment::name).containsExactly(A, B);
  }

  @Test
  void aPlaceInRamIsBusy() throws IOException {
    define(A, SegmentType.SR, (RAM >>> Pages.SHIFT) - 1, 1);
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EBUSY, "RAM");
    assertUntouched();
  }

  @Test
  void aPlaceThatSomethingElseClaimedIsBusy() throws IOException {
    define(A, SegmentType.SR, PLACE, 2);
    Region device = memory.claim("device", AddrRange.ofLength((PLACE + 1) << 12, 4096), false);
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EBUSY, "found " + device);
    memory.release(device);
    loader.load(A, SharingMode.SHARED);
  }

  @Test
  void aPlaceBeyondTheWindowIsOutOfRange() throws IOException {
    define(A, SegmentType.SR, (WINDOW >>> Pages.SHIFT) - 1, 2);
    refused(
        () -> loader.load(A, SharingMode.SHARED),
        Errno.ERANGE,
        "found its end past [0x0, 0x400000000)");
    assertUntouched();
  }

  @Test
  void aCollisionIsFoundBeforeTheEndOfTheWindow() throws IOException {
    define(A, SegmentType.SR, (WINDOW >>> Pages.SHIFT) - 1, 2);
    define(B, SegmentType.SR, (WINDOW >>> Pages.SHIFT) - 2, 1);
    loader.load(B, SharingMode.SHARED);
    refused(() -> loader.load(A, SharingMode.SHARED), Errno.EBUSY, "B (DCSS)");
  }

  @Test
  void typeSaysTheTypeWithoutLoading() throws IOException {
    define(A, SegmentType.SC, PLACE, 1);
    assertThat(loader.type(A)).isEqualTo(SegmentType.SC);
    refused(() -> loader.type(B), Errno.ENOENT, "segment B");
    assertUntouched();
  }

  @Test
  void unloadOfWhatIsNotLoadedIsRefused() {
    refused(() -> loader.unload(A), Errno.EINVAL, "segment A: not loaded");
  }

  @Test
  void eightGibibytesLoadAtOnceAndTakeNoMemory() throws IOException {
    define(A, SegmentType.SW, PLACE, (8L << 30) >>> Pages.SHIFT);
    long memMap = memory.frames().bytes();
    for (SharingMode mode : SharingMode.values()) {
      long resident = residentKiB();
      long start = System.nanoTime();
      SavedSegment loaded = loader.load(A, mode);
      assertThat(System.nanoTime() - start).isLessThan(1_000_000_000L);
      set(bytes(memory, loaded), (8L << 30) - 1, 1);
      assertThat(get(bytes(memory, loaded), (8L << 30) - 1)).isEqualTo((byte) 1);
      assertThat(residentKiB() - resident).isLessThan(64 << 10);
      loader.unload(A);
    }
    assertThat(memory.frames().bytes()).isEqualTo(memMap);
    assertThat(memory.allocator().inUse()).isZero();
  }

  private static long residentKiB() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void theListIsNotTakenUnderASpinLock() {
    SpinLock lock = new SpinLock("pte lock");
    lock.lock();
    try {
      assertThatThrownBy(() -> loader.load(A, SharingMode.SHARED))
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContaining("dcss_lock");
      assertThatThrownBy(() -> loader.loaded()).isInstanceOf(SleepingInAtomicException.class);
    } finally {
      lock.unlock();
    }
  }

  @ParameterizedTest
  @EnumSource(Errno.class)
  void theCodesThatTheKernelWarnsOfHaveASentence(Errno code) {
    boolean known =
        Set.of("ENOENT ENOSYS EIO EOPNOTSUPP EBUSY EPERM ENOMEM ERANGE ENOSPC".split(" "))
            .contains(code.name());
    assertThat(SegmentWarning.of(code, A).isPresent()).isEqualTo(known);
    SegmentWarning.of(code, A).ifPresent(text -> assertThat(text).containsPattern("\\bA\\b"));
  }

  @Test
  void aFailedLoadEndsWithItsSentence() throws IOException {
    assertThatThrownBy(() -> loader.load(A, SharingMode.SHARED))
        .hasMessageStartingWith("ENOENT: segment A: ")
        .hasMessageEndingWith(" (A is not defined in the segment store)");
    define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    store.remove(A);
    assertThatThrownBy(() -> loader.modifyShared(A, SharingMode.EXCLUSIVE))
        .hasMessageEndingWith(" (A is not defined in the segment store)");
  }
}
