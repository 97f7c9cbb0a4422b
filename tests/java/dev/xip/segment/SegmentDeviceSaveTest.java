package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Property 14: saves of devices, those that wait for the last close, and their results. */
class SegmentDeviceSaveTest extends DeviceFixture {
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
  void aFailedSaveIsReportedAndTheOtherSegmentsAreSaved() throws IOException {
    SegmentDevice device = deviceOfTwo(SegmentType.EW, SegmentType.EW);
    breakDefinition(A);
    refused(device::save, Errno.EIO, "A.def: at byte 0x0");
    SaveResult result = device.lastSave().orElseThrow();
    assertThat(result.saved()).extracting(StoredSegment::name).containsExactly(B);
    assertThat(result.failures()).extracting(SegmentException::errno).containsExactly(Errno.EIO);
  }

  @Test
  void aPendingSaveThatFailsIsThrownByTheLastClose() throws IOException {
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
    Files.write(store.folder().resolve(name + StoreFile.DEFINITION_SUFFIX), new byte[1]);
  }

  @Test
  void usesOfManyThreadsAreCounted() throws Exception {
    store.define(definition(A, SegmentType.EW, PLACE, 1), SegmentSource.zeros());
    SegmentDevice device = devices.add("A");
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
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
