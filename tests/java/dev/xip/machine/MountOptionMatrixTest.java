package dev.xip.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.file.InPlaceFile;
import dev.xip.image.FileType;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Images;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Property 15: the option {@code xip} of ext2, for {device with and without direct access} x {block
 * size} x {mount, remount, busy remount} x {the rules of 2.6.26 and of 2.6.29}: dropped with a
 * warning, failed with EINVAL, or kept as it was with a warning.
 */
class MountOptionMatrixTest {
  private static final ExtMountOptions PLAIN = new ExtMountOptions(false, List.of());
  private static final ExtMountOptions XIP = new ExtMountOptions(true, List.of());

  @TempDir Path folder;

  /** The outcome for the option. */
  private enum Outcome {
    SET,
    UNSET,
    DROPPED,
    EINVAL,
    SET_DESPITE_BUSY,
    UNSET_DESPITE_BUSY,
    KEPT_SET,
    KEPT_UNSET
  }

  private static ExtMountFacts facts(boolean directAccess, int blockSize) {
    return new ExtMountFacts("dcssblk0", directAccess, blockSize);
  }

  static Stream<Arguments> devicesAndBlockSizes() {
    return Stream.of(true, false)
        .flatMap(direct -> Stream.of(1024, 2048, 4096).map(size -> Arguments.of(direct, size)));
  }

  @ParameterizedTest
  @MethodSource("devicesAndBlockSizes")
  void aMountWithXip(boolean directAccess, int blockSize) throws IOException {
    Outcome expected =
        !directAccess ? Outcome.DROPPED : blockSize == 4096 ? Outcome.SET : Outcome.EINVAL;
    check(expected, () -> XIP.mount(facts(directAccess, blockSize)));
  }

  @ParameterizedTest
  @MethodSource("devicesAndBlockSizes")
  void aMountWithoutXipIsNeverRefused(boolean directAccess, int blockSize) throws IOException {
    check(Outcome.UNSET, () -> PLAIN.mount(facts(directAccess, blockSize)));
  }

  /** Every row is written out: the table is the claim. */
  static Stream<Arguments> remounts() {
    RemountRule old = RemountRule.CHANGED_WITH_A_WARNING;
    RemountRule later = RemountRule.REFUSED_WITH_A_WARNING;
    return Stream.of(
        // direct access, block size, before, wanted, busy, rule, outcome
        Arguments.of(true, 4096, PLAIN, XIP, false, old, Outcome.SET),
        Arguments.of(true, 4096, PLAIN, XIP, false, later, Outcome.SET),
        Arguments.of(true, 4096, PLAIN, XIP, true, old, Outcome.SET_DESPITE_BUSY),
        Arguments.of(true, 4096, PLAIN, XIP, true, later, Outcome.KEPT_UNSET),
        Arguments.of(true, 4096, XIP, PLAIN, false, old, Outcome.UNSET),
        Arguments.of(true, 4096, XIP, PLAIN, false, later, Outcome.UNSET),
        Arguments.of(true, 4096, XIP, PLAIN, true, old, Outcome.UNSET_DESPITE_BUSY),
        Arguments.of(true, 4096, XIP, PLAIN, true, later, Outcome.KEPT_SET),
        Arguments.of(true, 4096, XIP, XIP, true, old, Outcome.SET),
        Arguments.of(true, 4096, XIP, XIP, true, later, Outcome.SET),
        Arguments.of(true, 4096, PLAIN, PLAIN, true, later, Outcome.UNSET),
        Arguments.of(true, 1024, PLAIN, XIP, false, old, Outcome.EINVAL),
        Arguments.of(true, 1024, PLAIN, XIP, false, later, Outcome.EINVAL),
        Arguments.of(true, 1024, PLAIN, XIP, true, old, Outcome.EINVAL),
        Arguments.of(true, 1024, PLAIN, XIP, true, later, Outcome.EINVAL),
        Arguments.of(true, 2048, PLAIN, XIP, false, old, Outcome.EINVAL),
        Arguments.of(true, 2048, PLAIN, XIP, false, later, Outcome.EINVAL),
        Arguments.of(true, 2048, PLAIN, XIP, true, old, Outcome.EINVAL),
        Arguments.of(true, 2048, PLAIN, XIP, true, later, Outcome.EINVAL),
        Arguments.of(true, 1024, PLAIN, PLAIN, true, later, Outcome.UNSET),
        Arguments.of(true, 2048, PLAIN, PLAIN, false, old, Outcome.UNSET),
        Arguments.of(false, 1024, PLAIN, XIP, false, old, Outcome.DROPPED),
        Arguments.of(false, 1024, PLAIN, XIP, false, later, Outcome.DROPPED),
        Arguments.of(false, 1024, PLAIN, XIP, true, old, Outcome.DROPPED),
        Arguments.of(false, 1024, PLAIN, XIP, true, later, Outcome.DROPPED),
        Arguments.of(false, 2048, PLAIN, XIP, false, old, Outcome.DROPPED),
        Arguments.of(false, 2048, PLAIN, XIP, false, later, Outcome.DROPPED),
        Arguments.of(false, 2048, PLAIN, XIP, true, old, Outcome.DROPPED),
        Arguments.of(false, 2048, PLAIN, XIP, true, later, Outcome.DROPPED),
        Arguments.of(false, 4096, PLAIN, XIP, false, old, Outcome.DROPPED),
        Arguments.of(false, 4096, PLAIN, XIP, false, later, Outcome.DROPPED),
        Arguments.of(false, 4096, PLAIN, XIP, true, old, Outcome.DROPPED),
        Arguments.of(false, 4096, PLAIN, XIP, true, later, Outcome.DROPPED),
        Arguments.of(false, 4096, PLAIN, PLAIN, true, later, Outcome.UNSET));
  }

  @ParameterizedTest
  @MethodSource("remounts")
  void aRemount(
      boolean directAccess,
      int blockSize,
      ExtMountOptions before,
      ExtMountOptions wanted,
      boolean busy,
      RemountRule rule,
      Outcome outcome)
      throws IOException {
    check(outcome, () -> before.remount(wanted, facts(directAccess, blockSize), busy, rule));
  }

  @FunctionalInterface
  private interface Decision {
    ExtMountOptions take() throws FileSystemException;
  }

  private static void check(Outcome outcome, Decision decision) throws IOException {
    if (outcome == Outcome.EINVAL) {
      assertThatThrownBy(decision::take)
          .isInstanceOf(FileSystemException.class)
          .hasMessageContaining("dcssblk0: EINVAL: option xip: expected blocks of whole pages");
      return;
    }
    ExtMountOptions result = decision.take();
    String warning =
        switch (outcome) {
          case DROPPED -> "ignoring option xip";
          case SET_DESPITE_BUSY, UNSET_DESPITE_BUSY -> "inodes in use stay as they were read";
          case KEPT_SET, KEPT_UNSET -> "not changing option xip, as inodes are in use";
          default -> null;
        };
    boolean set =
        outcome == Outcome.SET
            || outcome == Outcome.SET_DESPITE_BUSY
            || outcome == Outcome.KEPT_SET;
    assertThat(result.xip()).isEqualTo(set);
    if (warning == null) {
      assertThat(result.warnings()).isEmpty();
    } else {
      assertThat(result.warnings()).singleElement().asString().contains("dcssblk0: ", warning);
    }
  }

  @Test
  void warningsOfEarlierDecisionsStay() throws IOException {
    ExtMountOptions mounted = XIP.mount(facts(false, 1024));
    ExtMountOptions again =
        mounted.remount(XIP, facts(false, 1024), false, RemountRule.REFUSED_WITH_A_WARNING);
    assertThat(again.warnings()).hasSize(2);
  }

  @ParameterizedTest
  @EnumSource(FileType.class)
  void onlyRegularFilesAreUsedInPlace(FileType type) {
    assertThat(XIP.inPlace(type)).isEqualTo(type == FileType.REGULAR);
    assertThat(PLAIN.inPlace(type)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"xip", "ro,xip", "xip,ro", "defaults,xip"})
  void xipIsFoundAmongOptions(String text) throws IOException {
    assertThat(ExtMountOptions.parse(text)).isEqualTo(XIP);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ro", "defaults", "ro,defaults"})
  void otherOptionsChangeNothing(String text) throws IOException {
    assertThat(ExtMountOptions.parse(text)).isEqualTo(PLAIN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"dax", "XIP", "xip,", ",", "xip=1", "xip ,ro"})
  void anUnknownOptionIsRefused(String text) {
    assertThatThrownBy(() -> ExtMountOptions.parse(text))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("EINVAL: mount options: expected xip, ro or defaults, found \"");
  }

  private SegmentStore storeWith(SegmentName name, String... mkfsOptions) throws IOException {
    Path tree = Files.createDirectories(folder.resolve("tree/dir")).getParent();
    Files.writeString(tree.resolve("file"), "x".repeat(5000));
    Path image = Images.ext2(tree, folder.resolve("image"), mkfsOptions);
    SegmentStore store = SegmentStore.create(folder.resolve("store"));
    store.define(store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image));
    return store;
  }

  @Test
  void aMappedFileMakesARealMountBusy() throws IOException {
    SegmentName name = SegmentName.of("TREE");
    SegmentStore store = storeWith(name, "-b", "4096");
    RemountRule later = RemountRule.REFUSED_WITH_A_WARNING;
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(16 << 20), store);
        Mount mount = machine.mount(name)) {
      Inode inode = PathResolver.resolve(mount.image(), "/file", true);
      InPlaceFile file = mount.open("/file", inode);
      try (AddressSpace space = machine.memoryManager().newAddressSpace("user")) {
        space.map(MapRequest.shared(file, Access.READ));
        machine.remount(mount, "ro", later);
        assertThat(mount.options().xip()).isTrue();
        assertThat(mount.options().warnings()).hasSize(1);
        machine.remount(mount, "ro", RemountRule.CHANGED_WITH_A_WARNING);
        assertThat(mount.options().xip()).isFalse();
        assertThat(file.translate(0).isHole()).isFalse();
      }
      machine.remount(mount, "xip", later);
      assertThat(mount.options().xip()).isTrue();
      machine.remount(mount, "", later);
      refusedInPlace(mount, "/file", "mounted without the option xip");
      assertThat(mount.options().warnings()).hasSize(2);
    }
  }

  @Test
  void onlyARegularFileIsOpenedInPlace() throws IOException {
    SegmentName name = SegmentName.of("TREE");
    SegmentStore store = storeWith(name, "-b", "4096");
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(16 << 20), store);
        Mount mount = machine.mount(name);
        Mount plain = machine.mount("ro", name)) {
      refusedInPlace(mount, "/dir", "not a regular file");
      refusedInPlace(plain, "/file", "mounted without the option xip");
      assertThat(plain.device()).isSameAs(mount.device());
    }
  }

  private static void refusedInPlace(Mount mount, String path, String why) throws IOException {
    Inode inode = PathResolver.resolve(mount.image(), path, true);
    assertThatThrownBy(() -> mount.open(path, inode))
        .isInstanceOf(FileSystemException.class)
        .hasMessage(path + ": cannot be used in place: " + why);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1024", "2048"})
  void aRealImageOfSmallBlocksIsNotMountedWithXipAndLeavesNothing(String blockSize)
      throws IOException {
    SegmentName name = SegmentName.of("SMALL");
    SegmentStore store = storeWith(name, "-b", blockSize);
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(16 << 20), store)) {
      assertThatThrownBy(() -> machine.mount("xip", name))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("found blocks of " + blockSize);
      assertThat(machine.segments().loaded()).isEmpty();
      assertThat(machine.devices().devices()).isEmpty();
    }
  }

  @Test
  void withoutOptionsAnImageOfSmallBlocksIsMountedForThePageCache() throws IOException {
    SegmentName name = SegmentName.of("SMALL");
    SegmentStore store = storeWith(name, "-b", "1024");
    try (Machine machine = Machine.boot(MachineConfig.DEFAULT.withRam(16 << 20), store);
        Mount mount = machine.mount(name)) {
      assertThat(mount.options().xip()).isFalse();
      assertThat(mount.options().warnings())
          .containsExactly("dcssblk0: not in place: blocks of 1024 bytes are smaller than a page");
      refusedInPlace(mount, "/file", "mounted without the option xip");
      Inode inode = PathResolver.resolve(mount.image(), "/file", true);
      assertThat(mount.openCached("/file", inode).size()).isEqualTo(inode.size());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8192, 65536})
  void blocksOfSeveralPagesAreInPlace(int blockSize) throws FileSystemException {
    assertThat(XIP.mount(facts(true, blockSize))).isEqualTo(XIP);
  }
}
