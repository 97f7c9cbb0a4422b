package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Property 14: block requests, private copies, and the errors when there can be none. */
class SegmentBlockDeviceTest extends DeviceFixture {
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
          "read at sector 0x0: expected all its bytes, found a data file shortened while it was");
      assertThat(get(first, 0)).isZero();
    }
    refused(() -> devices.remove(device.name()), Errno.EIO, "unloading segment A");
    assertThat(devices.devices()).isEmpty();
    assertThat(loader.loaded()).isEmpty();
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
      refused(() -> device.writeShared("0"), Errno.EBUSY, "open 1 times");
    }
    device.writeShared("0");
    assertThat(device.sharing()).isEqualTo(SharingMode.EXCLUSIVE);
  }

  /** The driver reports success here, and from 2.6.34 on shows the mode that was not reached. */
  @Test
  void noSegmentOfADeviceIsReloadedIfOneHasOtherReferences() throws IOException {
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
    refused(() -> device.writeShared("1"), Errno.ENODEV, "removed");
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
  void aSegmentDefinedAnewWithAnotherTypeAllowsWhatThatTypeAllows() throws IOException {
    SegmentDevice device = device(SegmentType.SW);
    store.remove(A);
    define(A, SegmentType.SC, PLACE, PAGES);
    device.writeShared("0");
    assertThat(device.type()).isEqualTo(SegmentType.SC);
    assertThat(device.isReadOnly()).isTrue();
    refused(() -> write(device, 0, 1), Errno.EIO, "found SC loaded EXCLUSIVE");
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
    refused(() -> use.write(0, List.of(piece(1, 1))), Errno.ENODEV, "a segment of it is unloaded");
    use.close();
    refused(() -> devices.remove(A), Errno.EINVAL, "not loaded");
    assertThat(devices.devices()).isEmpty();
  }
}
