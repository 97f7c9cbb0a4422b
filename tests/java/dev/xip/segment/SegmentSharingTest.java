package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.host.HostFile;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Modes, private copies, changes of the mode and saves. */
class SegmentSharingTest extends LoaderFixture {
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

  /** The mapping at a segment's address in /proc/self/maps. */
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
  void everyUserOfAVersionHoldsItsDataFileShared() throws IOException {
    StoredSegment stored = define(A, SegmentType.SR, PLACE, 1);
    try (HostFile file = HostFile.openReadWrite(stored.dataFile())) {
      loader.load(A, SharingMode.SHARED);
      assertThat(file.tryLockShared(0, 1)).isTrue();
      assertThat(file.tryLockExclusive(0, 1)).isFalse();
      loader.unload(A);
      assertThat(file.tryLockExclusive(0, 1)).isTrue();
      refused(() -> loader.load(A, SharingMode.SHARED), Errno.EBUSY, "locked exclusively");
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
        "segment A was unloaded, as it cannot be loaded EXCLUSIVE");
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
    refused(() -> loader.save(B), Errno.EINVAL, "segment B: not loaded");
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
}
