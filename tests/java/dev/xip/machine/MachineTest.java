package dev.xip.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.file.CachedFile;
import dev.xip.file.InPlaceFile;
import dev.xip.host.HostException;
import dev.xip.image.Inode;
import dev.xip.image.PathResolver;
import dev.xip.pagetable.Walk;
import dev.xip.phys.FrameUse;
import dev.xip.phys.RegionFrames;
import dev.xip.segment.SegmentException;
import dev.xip.segment.SegmentName;
import dev.xip.segment.SegmentSource;
import dev.xip.segment.SegmentStore;
import dev.xip.segment.SegmentType;
import dev.xip.testing.Images;
import dev.xip.testing.Processes;
import dev.xip.testing.Trees;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.PinnedPages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A machine from boot to close: mount, verify, and nothing left behind. */
class MachineTest {
  @TempDir Path folder;
  private SegmentStore store;
  private SegmentName name;
  private Path dataFile;

  @BeforeEach
  void defineSegment() throws IOException {
    Path image = Images.ext2(Trees.small(folder.resolve("tree")));
    store = SegmentStore.create(folder.resolve("store"));
    name = SegmentName.of("TREE");
    dataFile =
        store
            .define(
                store.place(name, SegmentType.SR, Files.size(image)), SegmentSource.moving(image))
            .dataFile();
  }

  private Machine boot() throws IOException {
    return Machine.boot(MachineConfig.DEFAULT.withRam(16 << 20), store);
  }

  @Test
  void aSecondCloseIsQuiet() throws IOException {
    Machine machine = boot();
    machine.close();
    machine.close();
  }

  @Test
  void sizesThatNoMachineCanHaveAreRefused() {
    assertThatThrownBy(() -> MachineConfig.DEFAULT.withWindow(Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected at most");
    assertThatThrownBy(() -> MachineConfig.DEFAULT.withRam(Long.MAX_VALUE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () -> Machine.boot(MachineConfig.DEFAULT.withWindow(1L << 62).withRam(1L << 62), store))
        .isInstanceOf(HostException.class);
  }

  @Test
  void closingLeavesNoMappingOfTheHost() throws IOException {
    try (Machine machine = boot();
        Mount mount = machine.mount(name)) {
      assertThat(mount.image().root().links()).isPositive();
      assertThat(Files.readString(Path.of("/proc/self/maps"))).contains(dataFile.toString());
    }
    assertThat(Files.readString(Path.of("/proc/self/maps"))).doesNotContain(dataFile.toString());
  }

  @Test
  void closingEndsSpacesAndUnloadsSegmentsThatWereLeft() throws IOException {
    Machine machine = boot();
    machine.mount(name);
    machine.memoryManager().newAddressSpace("left");
    machine.close();
    assertThat(Files.readString(Path.of("/proc/self/maps"))).doesNotContain(dataFile.toString());
  }

  @Test
  void verifyFindsAForgedEntry() throws IOException {
    try (Machine machine = boot();
        Mount mount = machine.mount(name);
        AddressSpace space = machine.memoryManager().newAddressSpace("victim")) {
      AddrRange range = mapFirstFile(mount, space);
      new AddressReader(space).getByte(range.start());
      assertThat(machine.verify()).isEmpty();
      Walk walk = new Walk();
      space.table().walk(range.start(), walk);
      long special = walk.pte();
      space.table().set(walk.slot(), space.table().layout().leaf(3, Access.READ));
      assertThat(machine.verify()).isNotEmpty();
      space.table().set(walk.slot(), special);
      assertThat(machine.verify()).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("dev.xip.vm.FrameStrategy#working")
  void aMachineRunsWithTheStrategyThatIsNamed(FrameStrategy strategy) throws IOException {
    MachineConfig config =
        MachineConfig.DEFAULT
            .withRam(16 << 20)
            .withStrategy(FrameStrategy.named(strategy.toString()));
    try (Machine machine = Machine.boot(config, store);
        Mount mount = machine.mount(name);
        AddressSpace space = machine.memoryManager().newAddressSpace("parent")) {
      new AddressReader(space).getByte(mapFirstFile(mount, space).start());
      try (AddressSpace child = space.fork("child")) {
        assertThat(child.vmas()).hasSameSizeAs(space.vmas());
      }
      assertThat(machine.verify()).isEmpty();
    }
  }

  @Test
  void aFileThroughThePageCacheHasTheBytesOfTheOneInPlaceAndLeavesWithTheMount()
      throws IOException {
    try (Machine machine = boot()) {
      try (Mount mount = machine.mount(name);
          AddressSpace space = machine.memoryManager().newAddressSpace("both")) {
        AddrRange inPlace = mapFirstFile(mount, space);
        InPlaceFile file = (InPlaceFile) space.find(inPlace.start()).file();
        Inode inode = PathResolver.resolve(mount.image(), file.name(), true);
        CachedFile cached = mount.openCached(file.name(), inode);
        assertThat(mount.openCached(file.name(), inode)).isSameAs(cached);
        AddrRange range = space.map(MapRequest.privately(cached, Access.READ));
        AddressReader reader = new AddressReader(space);
        for (long at = 0; at < file.size(); at += 7) {
          assertThat(reader.getByte(range.start() + at))
              .isEqualTo(reader.getByte(inPlace.start() + at));
        }
        assertThat(space.fileFrames()).isEqualTo(Pages.covering(file.size()));
        assertThat(machine.pageCache().pages()).isEqualTo(Pages.covering(file.size()));
        assertThat(machine.verify()).isEmpty();
      }
      assertThat(machine.pageCache().pages()).isZero();
      assertThat(machine.verify()).isEmpty();
    }
  }

  private static AddrRange mapFirstFile(Mount mount, AddressSpace space) throws IOException {
    AddrRange[] mapped = new AddrRange[1];
    dev.xip.image.TreeWalk.walk(
        mount.image(),
        mount.image().root(),
        (walk, inode) -> {
          if (mapped[0] == null
              && inode.type() == dev.xip.image.FileType.REGULAR
              && inode.size() > 0) {
            mapped[0] =
                space.map(
                    MapRequest.shared(mount.open(walk.path().toString(), inode), Access.READ));
          }
        });
    return mapped[0];
  }

  @ParameterizedTest
  @EnumSource(names = {"DEVMAP", "COUNTED"})
  void aSegmentThatBringsPageFramesTakesThemAwayAgain(RegionFrames kind) throws IOException {
    MachineConfig config = MachineConfig.DEFAULT.withRam(16 << 20).withRegionFrames(kind);
    try (Machine machine = Machine.boot(config, store)) {
      long memMap = machine.memory().frames().bytes();
      try (Mount mount = machine.mount(name);
          AddressSpace space = machine.memoryManager().newAddressSpace("frames")) {
        long pages = mount.device().byteSize() >>> Pages.SHIFT;
        assertThat(machine.memory().frames().bytes() - memMap).isEqualTo(pages * 64);
        long va = mapFirstFile(mount, space).start();
        byte[] pinned = new byte[8];
        try (PinnedPages page = space.getUserPages().pin(va, 1, false, false)) {
          page.read(0, 0, MemorySegment.ofArray(pinned));
        }
        assertThat(ByteBuffer.wrap(pinned).order(ByteOrder.nativeOrder()).getLong())
            .isEqualTo(new AddressReader(space).getLong(va));
        assertThat(machine.verify()).isEmpty();
      }
      assertThat(machine.memory().frames().bytes()).isEqualTo(memMap);
      assertThat(machine.verify()).isEmpty();
    }
  }

  @Test
  void aSegmentWithAPinnedPageIsBusyUntilItIsReleased() throws IOException {
    MachineConfig config =
        MachineConfig.DEFAULT.withRam(16 << 20).withRegionFrames(RegionFrames.COUNTED);
    try (Machine machine = Machine.boot(config, store)) {
      Mount mount = machine.mount(name);
      AddressSpace space = machine.memoryManager().newAddressSpace("pins");
      long va = mapFirstFile(mount, space).start();
      PinnedPages page = space.getUserPages().pin(va, 1, false, false);
      space.close();
      assertThatThrownBy(() -> machine.segments().unload(name))
          .isInstanceOf(SegmentException.class)
          .hasMessageStartingWith("EBUSY: unloading segment " + name);
      byte[] word = new byte[8];
      page.read(0, 0, MemorySegment.ofArray(word));
      assertThat(word).isNotEqualTo(new byte[8]);
      page.close();
      mount.close();
      assertThat(machine.segments().loaded()).isEmpty();
    }
  }

  @Test
  void aMachineThatCannotBootLeavesNoWindowReserved() throws IOException {
    MachineConfig large = MachineConfig.DEFAULT.withWindow(16L << 40);
    for (int i = 0; i < 10; i++) {
      assertThatThrownBy(() -> Machine.boot(large.withRam(Pages.SIZE), store))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected two free frames");
    }
    Machine.boot(large, store).close();
  }

  @Test
  void aSegmentWithoutAnImageIsNotLeftLoaded() throws IOException {
    SegmentName empty = SegmentName.of("EMPTY");
    store.define(store.place(empty, SegmentType.SR, 1 << 20), SegmentSource.zeros());
    try (Machine machine = boot()) {
      assertThatThrownBy(() -> machine.mount(empty))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("0x438");
      assertThat(machine.segments().loaded()).isEmpty();
      assertThat(machine.memory().regions()).hasSize(1);
    }
  }

  @Test
  void aSegmentOfEightGibibytesIsReadAtItsFarEndWithoutAFrame() throws IOException {
    SegmentName large = SegmentName.of("LARGE");
    long end = 8L << 30;
    Path image = imageWithAFileAtTheFarEnd(end);
    store.define(store.place(large, SegmentType.SR, end), SegmentSource.moving(image));
    try (Machine machine = boot();
        Mount mount = machine.mount(large);
        AddressSpace space = machine.memoryManager().newAddressSpace("far")) {
      long frames = machine.framesInUse();
      long memMap = machine.memory().frames().bytes();
      Inode inode = PathResolver.resolve(mount.image(), "/far", true);
      long place = mount.image().blockMap(inode).imageOffset(0);
      assertThat(place).as("where the file lies in the image").isGreaterThan(end - (256L << 20));
      long before = Smaps.sum(store.query(large).dataFile(), "Rss");
      AddrRange range = space.map(MapRequest.shared(mount.open("/far", inode), Access.READ));
      AddressReader reader = new AddressReader(space);
      for (int i = 0; i < 4; i++) {
        assertThat(reader.getByte(range.start() + i * 4096L)).isEqualTo((byte) ('a' + i));
      }
      assertThat(machine.framesInUse()).isEqualTo(frames);
      assertThat(machine.memory().frames().bytes()).isEqualTo(memMap);
      assertThat(machine.memory().allocator().inUse(FrameUse.TABLE)).isEqualTo(4);
      // With the touched page the kernel maps its neighbours in the page cache (64 KiB).
      assertThat(Smaps.sum(store.query(large).dataFile(), "Rss") - before)
          .isLessThanOrEqualTo(4 * 65536L);
      assertThat(machine.verify()).isEmpty();
    }
  }

  /** Marks nearly all blocks as used, so that debugfs puts the file after them. */
  private Path imageWithAFileAtTheFarEnd(long bytes) throws IOException {
    Path image = folder.resolve("large.img");
    Path content = folder.resolve("far");
    StringBuilder pages = new StringBuilder();
    for (char c = 'a'; c < 'e'; c++) {
      pages.append(String.valueOf(c).repeat(4096));
    }
    Files.writeString(content, pages);
    String blocks = Long.toString(bytes / 4096);
    Processes.run(
        "mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-N", "64", image.toString(), blocks);
    // It warns of every block that was marked before, so its output is ignored.
    Processes.run("debugfs", "-w", "-R", "setb 1 2065000", image.toString());
    Images.debugfsWrite(image, "write \"%s\" far".formatted(content));
    return image;
  }
}
