package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static dev.xip.segment.SegmentStoreTest.definition;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.mapping.PageRun;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
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
import org.junit.jupiter.params.provider.CsvSource;

class SegmentDeviceTest {
  private static final long PLACE = 0x100000;
  private static final long MEGABYTE_PAGES = 0x100;

  private static final SegmentName A = new SegmentName("A");
  private static final SegmentName B = new SegmentName("B");
  private static final SegmentName C = new SegmentName("C");

  @TempDir Path temp;
  private SegmentStore store;
  private PhysicalMemory memory;
  private SegmentLoader loader;
  private SegmentDevices devices;

  @BeforeEach
  void boot() throws IOException {
    store = SegmentStore.create(temp.resolve("store"));
    memory = PhysicalMemory.boot(8L << 30, 1 << 20);
    loader = new SegmentLoader(store, memory);
    devices = new SegmentDevices(loader);
  }

  @AfterEach
  void nothingStaysLoaded() throws SegmentException {
    for (SegmentDevice each : devices.devices()) {
      devices.remove(each.name());
    }
    assertThat(loader.loaded()).isEmpty();
    memory.close();
  }

  private void define(SegmentName name, SegmentType type, long page, long pages)
      throws SegmentException {
    store.define(definition(name, type, page, pages), SegmentSource.zeros());
  }

  @Test
  void aDeviceIsOneRunOverAdjacentSegmentsInAnyOrder() throws IOException {
    define(A, SegmentType.SR, PLACE, MEGABYTE_PAGES);
    define(B, SegmentType.SR, PLACE + MEGABYTE_PAGES, MEGABYTE_PAGES);
    define(C, SegmentType.SR, PLACE + 2 * MEGABYTE_PAGES, 7);
    try (OpenSegmentDevice device = devices.use(List.of(B, C, A))) {
      assertThat(device.device().name()).isEqualTo(B);
      assertThat(device.device().segments())
          .extracting(SavedSegment::name)
          .containsExactly(A, B, C);
      assertThat(device.device().range()).isEqualTo(new AddrRange(4L << 30, (4L << 30) + 0x207000));
      assertThat(device.byteSize()).isEqualTo(0x207000);
      assertThat(device.directAccess(0x1000, 0x206000)).isEqualTo(new PageRun(0x100001, 0x206));
      assertThat(device.directAccess(0x206000, 1)).isEqualTo(new PageRun(0x100206, 1));
    }
  }

  @Test
  void itsBytesAreTheSegmentsBytesAndReadOnly() throws IOException {
    byte[] bytes = new byte[1 << 20];
    Arrays.fill(bytes, (byte) 1);
    Path low = Files.write(temp.resolve("low"), bytes);
    Arrays.fill(bytes, (byte) 2);
    Path high = Files.write(temp.resolve("high"), bytes);
    store.define(definition(A, SegmentType.SW, PLACE, MEGABYTE_PAGES), SegmentSource.moving(low));
    store.define(
        definition(B, SegmentType.SW, PLACE + MEGABYTE_PAGES, MEGABYTE_PAGES),
        SegmentSource.moving(high));
    try (OpenSegmentDevice device = devices.use(List.of(A, B))) {
      MemorySegment mem = device.device().memory();
      assertThat(mem.byteSize()).isEqualTo(2 << 20);
      assertThat(mem.get(ValueLayout.JAVA_SHORT_UNALIGNED, (1 << 20) - 1))
          .isEqualTo((short) 0x0201);
      assertThat(mem.isReadOnly()).isTrue();
    }
  }

  @Test
  void anOffsetInsideAPageIsRefused() throws IOException {
    define(A, SegmentType.SR, PLACE, 2);
    try (OpenSegmentDevice device = devices.use(List.of(A))) {
      refused(
          () -> device.directAccess(512, 1),
          Errno.EINVAL,
          "segment device A: expected a page-aligned offset, found offset 0x200, length 0x1");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "8192,1",
    "4096,4097",
    "0,8193",
    "-4096,4096",
    "0,0",
    "0,-1",
    "4096,9223372036854775807"
  })
  void aRangeNotWhollyOnTheDeviceIsRefused(long offset, long length) throws IOException {
    define(A, SegmentType.SR, PLACE, 2);
    try (OpenSegmentDevice device = devices.use(List.of(A))) {
      refused(
          () -> device.directAccess(offset, length),
          Errno.ERANGE,
          "expected a range inside 0x2000 bytes");
    }
  }

  @Test
  void anEndedUseAndARemovedDeviceRefuseCalls() throws IOException {
    define(A, SegmentType.SR, PLACE, 2);
    SegmentDevice device = devices.add(List.of(A));
    OpenSegmentDevice use = device.open();
    use.close();
    use.close();
    refused(() -> use.directAccess(0, 1), Errno.ENODEV, "segment device A");
    assertThat(device.directAccess(0, 1).pfn()).isEqualTo(PLACE);
    devices.remove(A);
    refused(() -> device.directAccess(0, 1), Errno.ENODEV, "segment device A");
    refused(device::memory, Errno.ENODEV, "segment device A");
    refused(device::open, Errno.ENODEV, "segment device A");
  }

  @Test
  void aGapBetweenSegmentsIsRefusedAndNothingStaysLoaded() throws IOException {
    define(A, SegmentType.SR, PLACE, MEGABYTE_PAGES - 1);
    define(B, SegmentType.SR, PLACE + MEGABYTE_PAGES, 1);
    refused(
        () -> devices.add(List.of(A, B)),
        Errno.EINVAL,
        "expected it to start at 0x1000ff000, where A ends, found 0x100100000");
    refused(() -> devices.add(List.of(A, A)), Errno.EINVAL, "where A ends");
    refused(() -> devices.add(List.of(A, C)), Errno.ENOENT, "segment C");
  }

  @ParameterizedTest
  @CsvSource({"SR,SR,true", "SW,SW,true", "EW,EN,true", "ER,ER,true", "ER,EW,false", "SR,SW,false"})
  void neighboursHaveOneTypeOrAreEwAndEn(SegmentType low, SegmentType high, boolean fit)
      throws IOException {
    define(A, low, PLACE, MEGABYTE_PAGES);
    define(B, high, PLACE + MEGABYTE_PAGES, MEGABYTE_PAGES);
    if (fit) {
      devices.use(List.of(A, B)).close();
    } else {
      refused(() -> devices.add(List.of(A, B)), Errno.EINVAL, "a type that goes");
    }
  }

  @ParameterizedTest
  @CsvSource({"SW,false", "EW,false", "SR,true", "ER,true", "SN,false", "EN,false", "SC,true"})
  void theFirstSegmentsTypeSaysWhetherADeviceIsReadOnly(SegmentType type, boolean readOnly)
      throws IOException {
    define(A, type, PLACE, 1);
    try (OpenSegmentDevice device = devices.use(List.of(A))) {
      assertThat(device.device().isReadOnly()).isEqualTo(readOnly);
    }
  }

  @Test
  void aDeviceHoldsAReferenceOfItsOwn() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    SavedSegment mine = loader.load(A, SharingMode.SHARED);
    try (OpenSegmentDevice device = devices.use(List.of(A))) {
      assertThat(device.device().segments()).containsExactly(mine);
      assertThat(mine.references()).isEqualTo(2);
      loader.unload(A);
      assertThat(device.directAccess(0, 1).pfn()).isEqualTo(PLACE);
    }
    assertThatThrownBy(() -> loader.unload(A)).isInstanceOf(SegmentException.class);
  }

  @Test
  void anExclusivelyLoadedSegmentMakesNoDevice() throws IOException {
    define(A, SegmentType.SR, PLACE, 1);
    loader.load(A, SharingMode.EXCLUSIVE);
    refused(() -> devices.add(List.of(A)), Errno.EPERM, "already loaded EXCLUSIVE");
    loader.unload(A);
  }
}
