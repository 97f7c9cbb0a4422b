package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import dev.xip.host.Errno;
import dev.xip.host.HostFile;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SegmentLoaderTest {
  private static final long WINDOW = 16L << 30;
  private static final long RAM = 16L << 20;
  private static final long PLACE = 0x100000;

  private static final SegmentName A = new SegmentName("A");
  private static final SegmentName B = new SegmentName("B");

  @TempDir Path temp;
  private SegmentStore store;
  private PhysicalMemory memory;
  private SegmentLoader loader;
  private List<Region> atBoot;

  @BeforeEach
  void boot() throws IOException {
    store = SegmentStore.create(temp.resolve("store"));
    memory = PhysicalMemory.boot(WINDOW, RAM);
    loader = new SegmentLoader(store, memory);
    atBoot = memory.regions();
  }

  @AfterEach
  void nothingStaysMapped() throws IOException {
    for (SavedSegment each : loader.loaded()) {
      for (int left = each.references(); left > 0; left--) {
        loader.unload(each.name());
      }
    }
    assertUntouched();
    memory.close();
  }

  private void assertUntouched() throws IOException {
    assertThat(loader.loaded()).isEmpty();
    assertThat(memory.regions()).isEqualTo(atBoot);
    assertThat(Files.readAllLines(Path.of("/proc/self/maps")))
        .noneMatch(line -> line.contains(store.folder().toString()));
  }

  private StoredSegment define(SegmentName name, SegmentType type, long page, long pages)
      throws SegmentException {
    return store.define(definition(name, type, page, pages), SegmentSource.zeros());
  }

  private StoredSegment defineBytes(SegmentName name, SegmentType type, byte[] bytes)
      throws IOException {
    Path source = Files.write(Files.createTempFile(temp, "source", ".img"), bytes);
    return store.define(
        definition(name, type, PLACE, Pages.covering(bytes.length)),
        SegmentSource.copyOf(source, done -> {}));
  }

  private static MemorySegment bytes(PhysicalMemory memory, SavedSegment loaded) {
    return memory.window().asSlice(loaded.range().start(), loaded.range().length());
  }

  private static byte get(MemorySegment mem, long offset) {
    return mem.get(ValueLayout.JAVA_BYTE, offset);
  }

  private static void set(MemorySegment mem, long offset, int value) {
    mem.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
  }

  @Test
  void aSegmentLiesAtItsPhysicalAddressWithItsBytes() throws IOException {
    byte[] content = new byte[8192];
    Arrays.fill(content, (byte) 7);
    defineBytes(A, SegmentType.SR, content);
    SavedSegment loaded = loader.load(A, SharingMode.SHARED);
    assertThat(loaded.range()).isEqualTo(new AddrRange(4L << 30, (4L << 30) + 8192));
    assertThat(loaded.lastByte()).isEqualTo((4L << 30) + 8191);
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
        "segment A: expected to load it EXCLUSIVE, found it loaded SHARED");
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

  @ParameterizedTest
  @EnumSource(
      value = SegmentType.class,
      names = {"EWEN"},
      mode = EnumSource.Mode.EXCLUDE)
  void theRegionAndThePagesAreWritableAsTheTypeSays(SegmentType type) throws IOException {
    define(A, type, PLACE, 3);
    for (SharingMode mode : SharingMode.values()) {
      SavedSegment loaded = loader.load(A, mode);
      assertThat(memory.regions().getLast())
          .isEqualTo(new Region("A (DCSS)", loaded.range(), !type.isWritable(mode)));
      assertThat(rights(loaded))
          .isEqualTo(
              (type.isWritable(mode) ? "rw-" : "r--")
                  + (mode == SharingMode.SHARED && !type.isExclusiveByType() ? "s" : "p"));
      loader.unload(A);
    }
  }

  /** What the system itself says of the mapping at a segment's place. */
  private String rights(SavedSegment loaded) throws IOException {
    long address = memory.window().address() + loaded.range().start();
    return Files.readAllLines(Path.of("/proc/self/maps")).stream()
        .filter(line -> line.startsWith("%08x-".formatted(address)))
        .map(line -> line.split(" ")[1])
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(
      value = SegmentType.class,
      names = {"SW", "SN"})
  void twoMachinesThatShareASegmentSeeEachOthersStores(SegmentType type) throws IOException {
    define(A, type, PLACE, 2);
    try (PhysicalMemory otherMemory = PhysicalMemory.boot(WINDOW, RAM)) {
      SegmentLoader other = new SegmentLoader(SegmentStore.open(store.folder()), otherMemory);
      MemorySegment mine = bytes(memory, loader.load(A, SharingMode.SHARED));
      MemorySegment theirs = bytes(otherMemory, other.load(A, SharingMode.SHARED));
      set(mine, 4097, 1);
      set(theirs, 5, 2);
      assertThat(get(theirs, 4097)).isEqualTo((byte) 1);
      assertThat(get(mine, 5)).isEqualTo((byte) 2);
      other.unload(A);
      assertThat(get(mine, 5)).isEqualTo((byte) 2);
    }
  }

  @Test
  void theFirstUserOfSnFindsZerosAndTheNextOnesWhatItStored() throws IOException {
    define(A, SegmentType.SN, PLACE, 1);
    try (PhysicalMemory otherMemory = PhysicalMemory.boot(WINDOW, RAM)) {
      SegmentLoader other = new SegmentLoader(store, otherMemory);
      set(bytes(memory, loader.load(A, SharingMode.SHARED)), 0, 9);
      assertThat(get(bytes(otherMemory, other.load(A, SharingMode.SHARED)), 0)).isEqualTo((byte) 9);
      loader.unload(A);
      assertThat(get(bytes(memory, loader.load(A, SharingMode.SHARED)), 0)).isEqualTo((byte) 9);
      loader.unload(A);
      other.unload(A);
      assertThat(get(bytes(memory, loader.load(A, SharingMode.SHARED)), 0)).isZero();
    }
  }

  @Test
  void whoeverHasAVersionHoldsItsDataFileShared() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 1);
    try (HostFile file = HostFile.openReadWrite(stored.dataFile())) {
      loader.load(A, SharingMode.SHARED);
      assertThat(file.tryLockShared(0, 1)).isTrue();
      assertThat(file.tryLockExclusive(0, 1)).isFalse();
      loader.unload(A);
      assertThat(file.tryLockExclusive(0, 1)).isTrue();
      refused(
          () -> loader.load(A, SharingMode.SHARED),
          Errno.EBUSY,
          "expected a file to share, found it locked exclusively");
      assertUntouched();
    }
  }

  @Test
  void anExclusiveLoadIsAPrivateCopy() throws IOException {
    StoredSegment stored = define(A, SegmentType.SW, PLACE, 1);
    set(bytes(memory, loader.load(A, SharingMode.EXCLUSIVE)), 0, 9);
    assertThat(Files.readAllBytes(stored.dataFile())).isEqualTo(new byte[4096]);
    loader.unload(A);
    assertThat(get(bytes(memory, loader.load(A, SharingMode.SHARED)), 0)).isZero();
  }

  @Test
  void aSharedLoadOfAnExclusiveTypeIsAPrivateCopyToo() throws IOException {
    StoredSegment stored = define(A, SegmentType.EW, PLACE, 1);
    set(bytes(memory, loader.load(A, SharingMode.SHARED)), 0, 9);
    assertThat(Files.readAllBytes(stored.dataFile())).isEqualTo(new byte[4096]);
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
    refused(() -> loader.unload(A), Errno.EINVAL, "expected a loaded segment, found it not loaded");
  }

  @Test
  void modifyToTheSameModeChangesNothing() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    SavedSegment held = loader.load(A, SharingMode.SHARED);
    loader.load(A, SharingMode.SHARED);
    assertThat(loader.modifyShared(A, SharingMode.SHARED)).isSameAs(held);
    assertThat(held.references()).isEqualTo(2);
  }

  @Test
  void modifyOfWhatIsNotLoadedIsRefused() {
    refused(() -> loader.modifyShared(A, SharingMode.SHARED), Errno.EINVAL, "segment A");
  }

  @Test
  void modifyOfWhatOthersHaveIsRefusedForNow() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    SavedSegment held = loader.load(A, SharingMode.SHARED);
    loader.load(A, SharingMode.SHARED);
    refused(
        () -> loader.modifyShared(A, SharingMode.EXCLUSIVE),
        Errno.EAGAIN,
        "expected 1 reference, found 2");
    assertThat(loader.loaded()).containsExactly(held);
    assertThat(held.mode()).isEqualTo(SharingMode.SHARED);
  }

  @Test
  void modifyLosesWhatWasNotSaved() throws IOException {
    define(A, SegmentType.SW, PLACE, 1);
    SavedSegment before = loader.load(A, SharingMode.EXCLUSIVE);
    set(bytes(memory, before), 0, 9);
    SavedSegment after = loader.modifyShared(A, SharingMode.SHARED);
    assertThat(get(bytes(memory, after), 0)).isZero();
    assertThat(after.mode()).isEqualTo(SharingMode.SHARED);
    assertThat(before.references()).isZero();
  }

  @Test
  void aModifyThatCannotReloadLosesTheSegment() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    store.remove(A);
    refused(
        () -> loader.modifyShared(A, SharingMode.EXCLUSIVE),
        Errno.ENOENT,
        "segment A is gone, as it cannot be loaded EXCLUSIVE");
    assertUntouched();
  }

  @Test
  void aSaveIsSeenByNewLoadsWhileTheOldVersionStays() throws IOException {
    define(A, SegmentType.SR, PLACE, 2);
    try (PhysicalMemory otherMemory = PhysicalMemory.boot(WINDOW, RAM)) {
      SegmentLoader other = new SegmentLoader(store, otherMemory);
      SavedSegment old = other.load(A, SharingMode.SHARED);
      SavedSegment mine = loader.load(A, SharingMode.EXCLUSIVE);
      set(bytes(memory, mine), 8191, 3);
      assertThat(loader.save(A).version()).isEqualTo(2);
      assertThat(mine.version()).isEqualTo(1);

      assertThat(get(bytes(otherMemory, old), 8191)).isZero();
      assertThat(other.load(A, SharingMode.SHARED).version()).isEqualTo(1);
      other.unload(A);
      other.unload(A);
      SavedSegment fresh = other.load(A, SharingMode.SHARED);
      assertThat(fresh.version()).isEqualTo(2);
      assertThat(get(bytes(otherMemory, fresh), 8191)).isEqualTo((byte) 3);
    }
  }

  @Test
  void aSaveKeepsEwPartsAndForgetsEnParts() throws IOException {
    store.define(
        new SegmentDefinition(
            A,
            List.of(
                new SegmentPart(SegmentType.EW, PLACE, PLACE),
                new SegmentPart(SegmentType.EN, PLACE + 1, PLACE + 1),
                new SegmentPart(SegmentType.EW, PLACE + 2, PLACE + 2))),
        SegmentSource.zeros());
    MemorySegment mem = bytes(memory, loader.load(A, SharingMode.SHARED));
    mem.fill((byte) 5);
    byte[] expected = new byte[3 * 4096];
    Arrays.fill(expected, (byte) 5);
    Arrays.fill(expected, 4096, 8192, (byte) 0);
    StoredSegment saved = loader.save(A);
    assertThat(saved.definition().type()).isEqualTo(SegmentType.EWEN);
    assertThat(Files.readAllBytes(saved.dataFile())).isEqualTo(expected);
  }

  @Test
  void aSaveOfWhatKeepsNothingIsRefused() throws IOException {
    define(A, SegmentType.SN, PLACE, 1);
    loader.load(A, SharingMode.SHARED);
    refused(() -> loader.save(A), Errno.EINVAL, "type SN keeps none");
    refused(() -> loader.save(B), Errno.EINVAL, "a loaded segment");
    assertThat(store.query(A).version()).isEqualTo(1);
  }

  @Test
  void aSegmentRemovedWhileLoadedIsSavedUnderItsOldDefinition() throws IOException {
    StoredSegment stored = define(A, SegmentType.EW, PLACE, 1);
    set(bytes(memory, loader.load(A, SharingMode.EXCLUSIVE)), 1, 4);
    store.remove(A);
    StoredSegment saved = loader.save(A);
    assertThat(saved.definition()).isEqualTo(stored.definition());
    assertThat(Files.readAllBytes(saved.dataFile())[1]).isEqualTo((byte) 4);
  }

  @Test
  void aSaveOfWhatWasCutUnderneathFailsAndLeavesTheStore() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 4);
    loader.load(A, SharingMode.SHARED);
    try (RandomAccessFile cut = new RandomAccessFile(stored.dataFile().toFile(), "rw")) {
      cut.setLength(4096);
    }
    refused(() -> loader.save(A), Errno.EIO, "data file shortened while it was loaded");
    assertThat(store.query(A)).isEqualTo(stored);
    assertThat(store.folder().resolve("A.2.data")).doesNotExist();
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

  @Test
  void everyCodeOfALoadHasAWarning() {
    for (Errno code :
        List.of(
            Errno.ENOENT,
            Errno.EIO,
            Errno.EOPNOTSUPP,
            Errno.EBUSY,
            Errno.EPERM,
            Errno.ENOMEM,
            Errno.ERANGE,
            Errno.EAGAIN)) {
      assertThat(SegmentWarning.of(code, A))
          .hasValueSatisfying(text -> assertThat(text).containsPattern("\\bA\\b"));
    }
    assertThat(SegmentWarning.of(Errno.E2BIG, A)).isEmpty();
  }
}
