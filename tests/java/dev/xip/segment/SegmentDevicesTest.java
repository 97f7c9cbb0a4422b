package dev.xip.segment;

import static dev.xip.segment.SegmentNameTest.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.SleepingInAtomicException;
import dev.xip.base.SpinLock;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Property 14: which lists of segments become devices, under which name and number. */
class SegmentDevicesTest extends DeviceFixture {
  private static final long MEGABYTE_PAGES = 0x100;
  private static final SegmentName C = new SegmentName("C");

  /** Three adjacent segments of a megabyte each. */
  private void defineThree(SegmentType type) throws SegmentException {
    define(A, type, PLACE, MEGABYTE_PAGES);
    define(B, type, PLACE + MEGABYTE_PAGES, MEGABYTE_PAGES);
    define(C, type, PLACE + 2 * MEGABYTE_PAGES, MEGABYTE_PAGES);
  }

  @ParameterizedTest
  @ValueSource(strings = {"c:a:b", "C:A:B\n", "c:A:b\0", "C:a:B\nTOOLONGNAME:", "c:a:b\0:"})
  void aColonJoinsNamesOfEitherCaseUpToANewlineOrNul(String text) throws SegmentException {
    defineThree(SegmentType.SR);
    SegmentDevice device = devices.add(text);
    assertThat(device.name()).isEqualTo(C);
    assertThat(device.names()).containsExactly(C, A, B);
    assertThat(device.segments()).extracting(SavedSegment::name).containsExactly(A, B, C);
    assertThat(device.range()).isEqualTo(new AddrRange(4L << 30, (4L << 30) + (3 << 20)));
    assertThat(device.sharing()).isEqualTo(SharingMode.SHARED);
    assertThat(devices.find(C)).containsSame(device);
    assertThat(devices.find(A)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "\n", ":", "A:", ":A", "A::B", "A:B:\n", "A:TOOLONGNAME", "ABCDEFGHI", "\0A"})
  void anEmptyOrTooLongNameInAListIsRefused(String text) throws SegmentException {
    defineThree(SegmentType.SR);
    refused(() -> devices.add(text), Errno.ENAMETOOLONG, "1 to 8 characters");
    assertThat(devices.devices()).isEmpty();
    assertThat(loader.loaded()).isEmpty();
  }

  @Test
  void aListWithoutNamesIsRefused() {
    refused(() -> devices.add(List.of()), Errno.ENAMETOOLONG, "a segment name");
  }

  @Test
  void aSegmentOfAnyDeviceIsNotAddedAgain() throws SegmentException {
    defineThree(SegmentType.SR);
    devices.add("A:B");
    refused(() -> devices.add("A"), Errno.EEXIST, "it in dcssblk0");
    refused(() -> devices.add("C:B"), Errno.EEXIST, "segment B");
    assertThat(loader.loaded()).extracting(SavedSegment::name).containsExactly(A, B);
    assertThat(loader.loaded()).allMatch(each -> each.references() == 1);
  }

  @Test
  void aListThatCannotBeLoadedToTheEndLeavesNothingLoaded() throws SegmentException {
    define(A, SegmentType.SR, PLACE, MEGABYTE_PAGES);
    define(C, SegmentType.SR, PLACE + 2 * MEGABYTE_PAGES, MEGABYTE_PAGES);
    refused(() -> devices.add("A:B"), Errno.ENOENT, "segment B");
    refused(() -> devices.add("A:C"), Errno.EINVAL, "where A ends");
    refused(() -> devices.add("A:A"), Errno.EINVAL, "where A ends");
    assertThat(loader.loaded()).isEmpty();
    loader.load(C, SharingMode.EXCLUSIVE);
    refused(() -> devices.add("A:C"), Errno.EPERM, "already loaded EXCLUSIVE");
    assertThat(loader.loaded()).extracting(SavedSegment::name).containsExactly(C);
    loader.unload(C);
  }

  @Test
  void aDeviceGetsTheLowestFreeNumber() throws SegmentException {
    define(A, SegmentType.SR, PLACE, 1);
    define(B, SegmentType.SR, PLACE + 2 * MEGABYTE_PAGES, 1);
    define(C, SegmentType.SR, PLACE + 4 * MEGABYTE_PAGES, 1);
    assertThat(devices.add("A").diskName()).isEqualTo("dcssblk0");
    assertThat(devices.add("B").diskName()).isEqualTo("dcssblk1");
    devices.remove("a\n");
    assertThat(devices.add("C").diskName()).isEqualTo("dcssblk0");
    assertThat(devices.devices()).extracting(SegmentDevice::name).containsExactly(C, B);
  }

  @Test
  void devicesAreRefusedWhenAllNumbersAreTaken() throws SegmentException {
    devices = new SegmentDevices(loader, 1);
    define(A, SegmentType.SR, PLACE, 1);
    define(B, SegmentType.SR, PLACE + MEGABYTE_PAGES, 1);
    devices.add("A");
    refused(() -> devices.add("B"), Errno.EBUSY, "fewer than 1 devices");
    assertThat(loader.loaded()).extracting(SavedSegment::name).containsExactly(A);
  }

  @Test
  void onlyAnUnusedDeviceIsRemovedAndOnlyByItsOwnName() throws SegmentException {
    defineThree(SegmentType.SR);
    SegmentDevice device = devices.add("B:A");
    refused(() -> devices.remove("A"), Errno.ENODEV, "segment device A");
    refused(() -> devices.remove(""), Errno.ENAMETOOLONG, "found none");
    refused(() -> devices.remove("TOOLONGNAME"), Errno.ENAMETOOLONG, "found 11 characters");
    OpenSegmentDevice use = device.open();
    device.open().close();
    refused(() -> devices.remove("B"), Errno.EBUSY, "open 1 times");
    use.close();
    devices.remove("B");
    refused(() -> devices.remove("B"), Errno.ENODEV, "segment device B");
    assertThat(loader.loaded()).isEmpty();
  }

  @Test
  void aDeviceAddedByUseIsRemovedWithItsLastUse() throws SegmentException {
    defineThree(SegmentType.SR);
    OpenSegmentDevice first = devices.use(List.of(A, B));
    OpenSegmentDevice second = devices.use(List.of(A, B));
    assertThat(second.device()).isSameAs(first.device());
    refused(() -> devices.use(List.of(B, A)), Errno.EEXIST, "segment B");
    first.close();
    assertThat(devices.devices()).hasSize(1);
    second.close();
    assertThat(devices.devices()).isEmpty();
  }

  @Test
  void aDeviceAddedBeforeOutlivesItsUses() throws SegmentException {
    defineThree(SegmentType.SR);
    SegmentDevice device = devices.add("A:B");
    devices.use(List.of(A, B)).close();
    assertThat(devices.devices()).containsExactly(device);
  }

  static Stream<Arguments> pairsOfTypes() {
    return Stream.of(SegmentType.values())
        .flatMap(low -> Stream.of(SegmentType.values()).map(high -> Arguments.of(low, high)));
  }

  /** The table of the driver: equal types, or both of EW, EN and EWEN. ER is not one of those. */
  @ParameterizedTest
  @MethodSource("pairsOfTypes")
  void neighboursHaveOneTypeOrAreOfEwEnAndMixed(SegmentType low, SegmentType high)
      throws SegmentException {
    Set<SegmentType> combinable = EnumSet.of(SegmentType.EW, SegmentType.EN, SegmentType.EWEN);
    store.define(ofType(A, low, PLACE), SegmentSource.zeros());
    store.define(ofType(B, high, PLACE + MEGABYTE_PAGES), SegmentSource.zeros());
    if (low == high || combinable.containsAll(Set.of(low, high))) {
      assertThat(devices.add("B:A").type()).isEqualTo(high);
    } else {
      refused(() -> devices.add("B:A"), Errno.EINVAL, "a type that goes with " + low);
    }
  }

  private static SegmentDefinition ofType(SegmentName name, SegmentType type, long page) {
    long last = page + MEGABYTE_PAGES - 1;
    return type == SegmentType.EWEN
        ? new SegmentDefinition(
            name,
            List.of(
                new SegmentPart(SegmentType.EW, page, page),
                new SegmentPart(SegmentType.EN, page + 1, last)))
        : new SegmentDefinition(name, List.of(new SegmentPart(type, page, last)));
  }

  @Test
  void theParameterNamesDevicesJoinsSegmentsAndMakesThemPrivate() throws SegmentException {
    defineThree(SegmentType.SW);
    SegmentDevices.Added result = devices.addAll("c,b:a(local),");
    assertThat(result.failures()).isEmpty();
    assertThat(result.added())
        .extracting(SegmentDevice::names)
        .containsExactly(List.of(C), List.of(B, A));
    assertThat(result.added())
        .extracting(SegmentDevice::sharing)
        .containsExactly(SharingMode.SHARED, SharingMode.EXCLUSIVE);
    assertThat(devices.addAll("").added()).isEmpty();
  }

  @Test
  void failuresOfTheParameterAreReportedAndTheRestIsAdded() throws SegmentException {
    define(A, SegmentType.SC, PLACE, 1);
    define(B, SegmentType.SR, PLACE + MEGABYTE_PAGES, 1);
    define(C, SegmentType.SR, PLACE + 2 * MEGABYTE_PAGES, 1);
    SegmentDevices.Added result = devices.addAll("none,a(local),,c(lokal),b");
    assertThat(result.added()).extracting(SegmentDevice::name).containsExactly(A, B);
    assertThat(result.added()).allMatch(each -> each.sharing() == SharingMode.SHARED);
    assertThat(result.failures())
        .extracting(SegmentException::errno)
        .containsExactly(Errno.ENOENT, Errno.EINVAL, Errno.ENAMETOOLONG, Errno.EINVAL);
    assertThat(result.failures().get(1)).hasMessageContaining("can be loaded EXCLUSIVE, found SC");
    assertThat(result.failures().get(3)).hasMessageContaining("found \"(lokal)\"");
  }

  @Test
  void theLockOfTheDevicesSleeps() {
    SpinLock lock = new SpinLock("a page table lock");
    lock.lock();
    try {
      Assertions.assertThatThrownBy(() -> devices.devices())
          .isInstanceOf(SleepingInAtomicException.class)
          .hasMessageContaining("dcssblk_devices_sem");
    } finally {
      lock.unlock();
    }
  }
}
