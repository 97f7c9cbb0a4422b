package dev.xip.segment;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A list of segment devices, and pages to read and write on them. */
abstract class DeviceFixture extends LoaderFixture {
  static final int PAGE = 4096;
  static final long PAGES = 0x100;

  final Arena arena = Arena.ofConfined();
  SegmentDevices devices;

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

  SegmentDevice device(SegmentType type) throws SegmentException {
    define(A, type, PLACE, PAGES);
    return devices.add("A");
  }

  /** Two adjacent segments of one type. */
  SegmentDevice deviceOfTwo(SegmentType low, SegmentType high) throws SegmentException {
    define(A, low, PLACE, PAGES);
    define(B, high, PLACE + PAGES, PAGES);
    return devices.add("A:B");
  }

  MemorySegment piece(int pages, int value) {
    return arena.allocate((long) pages * PAGE, PAGE).fill((byte) value);
  }

  static void write(SegmentDevice device, long page, int value) throws IOException {
    try (Arena scratch = Arena.ofConfined();
        OpenSegmentDevice use = device.open()) {
      use.write(8 * page, List.of(scratch.allocate(PAGE, PAGE).fill((byte) value)));
    }
  }

  static byte read(SegmentDevice device, long page) throws IOException {
    try (Arena scratch = Arena.ofConfined();
        OpenSegmentDevice use = device.open()) {
      MemorySegment piece = scratch.allocate(PAGE, PAGE);
      use.read(8 * page, List.of(piece));
      return get(piece, PAGE - 1);
    }
  }
}
