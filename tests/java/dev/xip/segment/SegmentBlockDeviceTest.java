package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.host.Errno;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Property 14: requests of blocks, private copies, saves that wait, and what is told of them. */
class SegmentBlockDeviceTest extends LoaderFixture {
  private static final int PAGE = 4096;
  private static final long PAGES = 0x100;

  private final Arena arena = Arena.ofConfined();
  private SegmentDevices devices;

  @BeforeEach
  void noDevices() {
    devices = new SegmentDevices(loader);
  }

  @AfterEach
  void removeAll() throws SegmentException {
    for (SegmentDevice each : devices.devices()) {
      devices.remove(each.name());
    }
    arena.close();
  }

  private SegmentDevice device(SegmentType type) throws SegmentException {
    define(A, type, PLACE, PAGES);
    return devices.add("A");
  }

  /** Two adjacent segments of one type. */
  private SegmentDevice deviceOfTwo(SegmentType low, SegmentType high) throws SegmentException {
    define(A, low, PLACE, PAGES);
    define(B, high, PLACE + PAGES, PAGES);
    return devices.add("A:B");
  }

  private MemorySegment piece(int pages, int value) {
    return arena.allocate((long) pages * PAGE, PAGE).fill((byte) value);
  }

  private static void write(SegmentDevice device, long page, int value) throws IOException {
    try (Arena scratch = Arena.ofConfined();
        OpenSegmentDevice use = device.open()) {
      use.write(8 * page, List.of(scratch.allocate(PAGE, PAGE).fill((byte) value)));
    }
  }

  private static byte read(SegmentDevice device, long page) throws IOException {
    try (Arena scratch = Arena.ofConfined();
        OpenSegmentDevice use = device.open()) {
      MemorySegment piece = scratch.allocate(PAGE, PAGE);
      use.read(8 * page, List.of(piece));
      return get(piece, PAGE - 1);
    }
  }

  @Test
  void aRequestGoesPieceByPieceAcrossSegments() throws IOException {
    SegmentDevice device = deviceOfTwo(SegmentType.SW, SegmentType.SW);
    try (OpenSegmentDevice use = device.open()) {
      use.write(8 * (PAGES - 2), List.of(piece(1, 1), piece(2, 2), piece(1, 3)));
      MemorySegment all = piece(6, 9);
      use.read(8 * (PAGES - 3), List.of(all));
      for (int i = 0; i < 6; i++) {
        assertThat(get(all, i * PAGE)).isEqualTo(new byte[] {0, 1, 2, 2, 3, 0}[i]);
      }
    }
    assertThat(Files.readAllBytes(store.query(B).dataFile())[PAGE]).isEqualTo((byte) 3);
  }

  @ParameterizedTest
  @CsvSource({"1", "7", "9", "-4"})
  void aRequestInsideAPageIsRefused(long sector) throws IOException {
    try (OpenSegmentDevice use = device(SegmentType.SW).open()) {
      refused(() -> use.write(sector, List.of(piece(1, 1))), Errno.EIO, "write at sector 0x");
    }
    assertThat(loader.loaded().getFirst().isWritable()).isTrue();
  }

  @Test
  void aRequestThatIsNoWholePagesMovesNothing() throws IOException {
    try (OpenSegmentDevice use = device(SegmentType.SW).open()) {
      MemorySegment target = piece(2, 7);
      refused(
          () -> use.read(0, List.of(target.asSlice(0, PAGE), target.asSlice(PAGE, 512))),
          Errno.EIO,
          "whole pages of 8 sectors, found 0x1200 bytes");
      assertThat(get(target, 0)).isEqualTo((byte) 7);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {0x7f8, 0x800, 0x808, -8, Long.MIN_VALUE, Long.MAX_VALUE - 7})
  void aRequestPastTheEndMovesNothing(long sector) throws IOException {
    try (OpenSegmentDevice use = device(SegmentType.SW).open()) {
      refused(
          () -> use.write(sector, List.of(piece(1, 1), piece(1, 2))),
          Errno.EIO,
          "a request inside 0x800 sectors");
      MemorySegment last = piece(1, 5);
      use.read(0x7f8, List.of(last));
      assertThat(get(last, 0)).isZero();
      use.read(0x800, List.of());
    }
  }

  @Test
  void piecesBeforeABadOneStayCopied() throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    try (OpenSegmentDevice use = device.open()) {
      MemorySegment odd = piece(2, 2).asSlice(512, PAGE);
      refused(
          () -> use.write(0, List.of(piece(1, 1), odd, piece(1, 3))),
          Errno.EIO,
          "piece 2 to be native, page aligned and whole pages");
      MemorySegment half = piece(1, 4).asSlice(0, 2048);
      refused(() -> use.write(32, List.of(piece(1, 5), half, half)), Errno.EIO, "0x800 bytes");
      refused(
          () -> use.read(0, List.of(MemorySegment.ofArray(new byte[PAGE]))),
          Errno.EIO,
          "piece 1 to be native");
    }
    assertThat(List.of(read(device, 0), read(device, 1), read(device, 2), read(device, 4)))
        .containsExactly((byte) 1, (byte) 0, (byte) 0, (byte) 5);
  }

  @Test
  void aDataFileCutUnderneathFailsTheRequestAndNothingElse() throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    try (RandomAccessFile cut = new RandomAccessFile(store.query(A).dataFile().toFile(), "rw")) {
      cut.setLength(2 * PAGE);
    }
    try (OpenSegmentDevice use = device.open()) {
      MemorySegment first = piece(1, 7);
      refused(
          () -> use.read(0, List.of(first, piece(4, 7))),
          Errno.EIO,
          "read at sector 0x0: data file shortened while it was loaded");
      assertThat(get(first, 0)).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = SegmentType.class,
      names = {"SR", "ER", "SC"})
  void storesToReadOnlySegmentsAreRefusedWhileShared(SegmentType type) throws IOException {
    SegmentDevice device = device(type);
    assertThat(device.isReadOnly()).isTrue();
    refused(() -> write(device, 0, 1), Errno.EIO, type + " loaded SHARED");
    assertThat(read(device, 0)).isZero();
  }

  @ParameterizedTest
  @EnumSource(
      value = SegmentType.class,
      names = {"SR", "ER"})
  void aPrivateCopyOfReadOnlySegmentsTakesStoresAndLosesThemWhenShared(SegmentType type)
      throws IOException {
    SegmentDevice device = device(type);
    device.writeShared("0\n");
    assertThat(device.sharing()).isEqualTo(SharingMode.EXCLUSIVE);
    assertThat(device.isReadOnly()).isFalse();
    write(device, 3, 1);
    assertThat(read(device, 3)).isEqualTo((byte) 1);
    assertThat(Files.readAllBytes(store.query(A).dataFile())[3 * PAGE]).isZero();
    device.writeShared("1");
    assertThat(device.isReadOnly()).isTrue();
    assertThat(read(device, 3)).isZero();
  }

  @Test
  void scCannotBePrivate() throws IOException {
    SegmentDevice device = device(SegmentType.SC);
    refused(() -> device.writeShared("0"), Errno.EINVAL, "found SC");
    device.writeShared("1");
    assertThat(device.sharing()).isEqualTo(SharingMode.SHARED);
    assertThat(devices.devices()).containsExactly(device);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2", "10", "0x", "1 ", " 1", "\n1", "true"})
  void anAttributeTakesNothingButZeroAndOne(String text) throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    refused(() -> device.writeShared(text), Errno.EINVAL, "attribute shared: expected 0 or 1");
    refused(() -> device.writeSave(text), Errno.EINVAL, "attribute save: expected 0 or 1");
  }

  @Test
  void aDeviceInUseKeepsItsMode() throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    try (OpenSegmentDevice _ = device.open()) {
      refused(() -> device.writeShared("0"), Errno.EBUSY, "it open 1 times");
    }
    device.writeShared("0");
    assertThat(device.sharing()).isEqualTo(SharingMode.EXCLUSIVE);
  }

  /** The driver reports success here, and from 2.6.34 on shows the mode that was not reached. */
  @Test
  void aSegmentThatOthersHaveIsToldAndNoneOfTheDeviceIsReloaded() throws IOException {
    SegmentDevice device = deviceOfTwo(SegmentType.SW, SegmentType.SW);
    List<SavedSegment> before = device.segments();
    loader.load(B, SharingMode.SHARED);
    refused(() -> device.writeShared("0"), Errno.EAGAIN, "segment B: expected 1 reference");
    assertThat(device.sharing()).isEqualTo(SharingMode.SHARED);
    assertThat(device.segments()).isEqualTo(before);
    assertThat(before).allMatch(each -> each.mode() == SharingMode.SHARED);
    assertThat(devices.devices()).containsExactly(device);
    loader.unload(B);
    device.writeShared("0");
    assertThat(device.segments()).allMatch(each -> each.mode() == SharingMode.EXCLUSIVE);
  }

  @Test
  void aSegmentThatCannotBeReloadedRemovesTheDeviceWithAllItsSegments() throws IOException {
    SegmentDevice device = deviceOfTwo(SegmentType.SW, SegmentType.SW);
    store.remove(B);
    refused(() -> device.writeShared("0"), Errno.ENOENT, "segment device A is removed");
    assertThat(devices.devices()).isEmpty();
    assertUntouched();
    refused(() -> device.writeShared("1"), Errno.ENODEV, "it removed");
    devices.add("A");
  }

  @Test
  void aSegmentDefinedAnewElsewhereRemovesTheDevice() throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    store.remove(A);
    define(A, SegmentType.SW, PLACE + PAGES, PAGES);
    refused(() -> device.writeShared("0"), Errno.EINVAL, "segment device A is removed");
    assertThat(devices.devices()).isEmpty();
    assertUntouched();
  }

  @Test
  void anIdleDeviceIsSavedAtOnceWithAllItsSegments() throws IOException {
    SegmentDevice device = deviceOfTwo(SegmentType.EW, SegmentType.EW);
    write(device, 1, 1);
    write(device, PAGES + 1, 2);
    SaveResult result = device.writeSave("1").orElseThrow();
    assertThat(result.saved()).extracting(StoredSegment::name).containsExactly(A, B);
    assertThat(result.saved()).allMatch(each -> each.version() == 2);
    assertThat(Files.readAllBytes(store.query(A).dataFile())[PAGE]).isEqualTo((byte) 1);
    assertThat(Files.readAllBytes(store.query(B).dataFile())[PAGE]).isEqualTo((byte) 2);
    assertThat(device.lastSave()).contains(result);
  }

  @Test
  void aSaveOfADeviceInUseWaitsForTheLastClose() throws IOException {
    SegmentDevice device = device(SegmentType.EW);
    OpenSegmentDevice first = device.open();
    OpenSegmentDevice second = device.open();
    assertThat(device.writeSave("1\n")).isEmpty();
    assertThat(device.isSavePending()).isTrue();
    first.close();
    first.close();
    assertThat(store.query(A).version()).isEqualTo(1);
    second.write(0, List.of(piece(1, 8)));
    second.close();
    assertThat(store.query(A).version()).isEqualTo(2);
    assertThat(Files.readAllBytes(store.query(A).dataFile())[0]).isEqualTo((byte) 8);
    assertThat(device.isSavePending()).isFalse();
    device.open().close();
    assertThat(store.query(A).version()).isEqualTo(2);
  }

  @Test
  void aZeroTakesBackASaveThatWaits() throws IOException {
    SegmentDevice device = device(SegmentType.EW);
    try (OpenSegmentDevice _ = device.open()) {
      device.writeSave("1");
      assertThat(device.writeSave("0")).isEmpty();
    }
    assertThat(store.query(A).version()).isEqualTo(1);
    assertThat(device.lastSave()).isEmpty();
    assertThat(device.cancelSave()).isFalse();
  }

  @Test
  void aSavePassesOverWhatKeepsNothingWithAWarning() throws IOException {
    SegmentDevice device = deviceOfTwo(SegmentType.EN, SegmentType.EW);
    SaveResult result = device.save().orElseThrow();
    assertThat(result.saved()).extracting(StoredSegment::name).containsExactly(B);
    assertThat(result.warnings())
        .containsExactly("segment A is not saved, as type EN keeps no contents");
    devices.remove(A);
    store.remove(A);
    define(A, SegmentType.SN, PLACE, PAGES);
    assertThat(devices.add("A").save().orElseThrow().warnings()).hasSize(1);
    assertThat(store.query(A).version()).isEqualTo(1);
  }

  @Test
  void aMixedSegmentIsSaved() throws IOException {
    store.define(
        new SegmentDefinition(
            A,
            List.of(
                new SegmentPart(SegmentType.EW, PLACE, PLACE),
                new SegmentPart(SegmentType.EN, PLACE + 1, PLACE + 1))),
        SegmentSource.zeros());
    SegmentDevice device = devices.add("A");
    write(device, 0, 1);
    write(device, 1, 2);
    SaveResult result = device.save().orElseThrow();
    assertThat(result.warnings()).isEmpty();
    byte[] saved = Files.readAllBytes(result.saved().getFirst().dataFile());
    assertThat(List.of(saved[0], saved[PAGE])).containsExactly((byte) 1, (byte) 0);
  }

  /** The driver writes a line to the log and reports the number of bytes that were written. */
  @Test
  void aSaveThatFailsIsToldAndTheOtherSegmentsAreSaved() throws IOException {
    SegmentDevice device = deviceOfTwo(SegmentType.EW, SegmentType.EW);
    breakDefinition(A);
    refused(device::save, Errno.EIO, "A.def: at byte 0x0");
    SaveResult result = device.lastSave().orElseThrow();
    assertThat(result.saved()).extracting(StoredSegment::name).containsExactly(B);
    assertThat(result.failures()).extracting(SegmentException::code).containsExactly(Errno.EIO);
  }

  @Test
  void aPendingSaveThatFailsIsToldToWhoeverClosesLast() throws IOException {
    SegmentDevice device = device(SegmentType.EW);
    OpenSegmentDevice use = device.open();
    device.save();
    breakDefinition(A);
    refused(use::close, Errno.EIO, "A.def: at byte 0x0");
    assertThat(device.uses()).isZero();
    assertThat(device.isSavePending()).isFalse();
    assertThat(device.lastSave().orElseThrow().failures()).hasSize(1);
    devices.remove(A);
  }

  private void breakDefinition(SegmentName name) throws IOException {
    Files.write(store.folder().resolve(name + DefinitionFile.SUFFIX), new byte[1]);
  }

  @Test
  void storesToASharedDeviceAreSeenByOtherMachines() throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    try (PhysicalMemory otherMemory = PhysicalMemory.boot(WINDOW, RAM)) {
      SegmentDevices others = new SegmentDevices(new SegmentLoader(store, otherMemory));
      SegmentDevice other = others.add("A");
      write(device, 9, 1);
      assertThat(read(other, 9)).isEqualTo((byte) 1);
      others.remove(A);
    }
  }

  @Test
  void aSegmentUnloadedBehindTheDevicesBackIsNotTouched() throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    OpenSegmentDevice use = device.open();
    loader.unload(A);
    refused(() -> use.write(0, List.of(piece(1, 1))), Errno.ENODEV, "one of them unloaded");
    use.close();
    refused(() -> devices.remove(A), Errno.EINVAL, "it not loaded");
    assertThat(devices.devices()).isEmpty();
  }

  @Test
  void usesOfManyThreadsAreCounted() throws Exception {
    store.define(definition(A, SegmentType.EW, PLACE, 1), SegmentSource.zeros());
    SegmentDevice device = devices.add("A");
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = java.util.Collections.synchronizedList(new ArrayList<>());
    try (OpenSegmentDevice _ = device.open()) {
      device.save();
      for (int i = 0; i < 4; i++) {
        threads.add(
            Thread.ofPlatform()
                .uncaughtExceptionHandler((thread, e) -> failures.add(e))
                .start(
                    () -> {
                      try {
                        for (int n = 0; n < 1000; n++) {
                          device.open().close();
                        }
                      } catch (SegmentException e) {
                        failures.add(e);
                      }
                    }));
      }
      for (Thread each : threads) {
        each.join();
      }
      assertThat(device.uses()).isEqualTo(1);
      assertThat(store.query(A).version()).isEqualTo(1);
    }
    assertThat(failures).isEmpty();
    assertThat(store.query(A).version()).isEqualTo(2);
  }
}
