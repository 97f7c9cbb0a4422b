package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.Errno;
import dev.xip.phys.PhysicalMemory;
import dev.xip.testing.Judge;
import dev.xip.testing.Processes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Stores that reach no file, as it was truncated or the disk is full, are reported by the next
 * call.
 */
class LostStoresTest extends LoaderFixture {
  private static void cut(Path file) throws IOException {
    try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
      cut.setLength(4096);
    }
  }

  @Test
  void aSaveAndTheUnloadTellOfAStoreThatWasLostToACut() throws IOException {
    StoredSegment stored = define(A, SegmentType.SW, PLACE, 4);
    MemorySegment bytes = bytes(memory, loader.load(A, SharingMode.SHARED));
    cut(stored.dataFile());
    bytes.set(ValueLayout.JAVA_BYTE, 8192, (byte) 1);
    assertThat(bytes.get(ValueLayout.JAVA_BYTE, 8192)).isEqualTo((byte) 1);
    refused(() -> loader.save(A), Errno.EIO, "data file shortened");
    refused(() -> loader.unload(A), Errno.EIO, "a data file shortened while it was loaded");
    assertUntouched();
  }

  @Test
  void aPrivateCopyLosesNothingThatIsMissed() throws IOException {
    StoredSegment stored = define(A, SegmentType.SW, PLACE, 4);
    MemorySegment bytes = bytes(memory, loader.load(A, SharingMode.EXCLUSIVE));
    cut(stored.dataFile());
    bytes.set(ValueLayout.JAVA_BYTE, 8192, (byte) 1);
    loader.unload(A);
  }

  @Test
  void aLostStoreToADeviceIsReportedAtOnce() throws IOException {
    StoredSegment stored = define(A, SegmentType.SW, PLACE, 4);
    SegmentDevices devices = new SegmentDevices(loader);
    try (Arena arena = Arena.ofConfined()) {
      List<MemorySegment> page = List.of(arena.allocate(4096, 4096));
      OpenSegmentDevice device = devices.use(List.of(A));
      cut(stored.dataFile());
      device.write(0, page);
      refused(() -> device.write(8, page), Errno.EIO, "a data file shortened");
      refused(() -> device.read(8, page), Errno.EIO, "a data file shortened");
      page.getFirst().fill((byte) 7);
      refused(() -> device.write(8, page), Errno.EIO, "a data file shortened");
      assertThat(device.device().memory().get(ValueLayout.JAVA_BYTE, 4096)).as("undone").isZero();
      device.read(0, page);
      refused(device::close, Errno.EIO, "a data file shortened");
    }
  }

  @Test
  void aStoreOnAFullDiskIsReported() throws IOException {
    Judge.root();
    Path disk = Files.createDirectory(temp.resolve("disk"));
    Processes.run("mount", "-t", "tmpfs", "-o", "size=1m", "none", disk.toString());
    try (PhysicalMemory other = PhysicalMemory.boot(WINDOW, RAM)) {
      SegmentLoader full = new SegmentLoader(SegmentStore.create(disk.resolve("store")), other);
      full.store().define(definition(A, SegmentType.SW, PLACE, 1024), SegmentSource.zeros());
      bytes(other, full.load(A, SharingMode.SHARED)).fill((byte) 1);
      refused(() -> full.unload(A), Errno.EIO, "or a full disk");
      assertThat(full.loaded()).isEmpty();
    } finally {
      Processes.run("umount", disk.toString());
    }
  }
}
