package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Mappings, faults and reads over a file whose pages lie scattered in a claimed region. */
class AddressSpaceTest {
  private static final long REGION = 16L << 20;
  private static final int PAGES = 64;

  @TempDir Path folder;
  private final byte[] content = new byte[(int) (PAGES * Pages.SIZE)];
  private PhysicalMemory memory;
  private MemoryManager manager;
  private AddressSpace space;
  private long framesAtBoot;

  /** Pages lie in reverse order from page 32 on; page 3 is a hole; the last page is cut short. */
  private final class TestFile implements Mappable {
    private long size = PAGES * Pages.SIZE - 100;

    @Override
    public String name() {
      return "test-file";
    }

    @Override
    public long size() {
      return size;
    }

    @Override
    public PageRun translate(long page) throws IOException {
      if (page == 3) {
        return PageRun.HOLE;
      }
      if (page == 5) {
        throw new IOException("block 5 is unreachable");
      }
      return new PageRun((REGION >>> Pages.SHIFT) + block(page), 1);
    }
  }

  private static long block(long page) {
    return page < 32 ? page : 95 - page;
  }

  private byte expected(long offset) {
    long page = offset >>> Pages.SHIFT;
    return page == 3 ? 0 : content[(int) ((block(page) << Pages.SHIFT) + (offset & 0xfff))];
  }

  private final TestFile file = new TestFile();

  @BeforeEach
  void boot() throws IOException {
    new Random(1).nextBytes(content);
    memory = PhysicalMemory.boot(64L << 20, 8L << 20);
    Region region = memory.claim("FILE", new AddrRange(REGION, REGION + content.length), true);
    try (HostFile host = HostFile.openReadOnly(Files.write(folder.resolve("data"), content))) {
      memory.mapFile(region, 0, host, 0, content.length, Access.READ, Sharing.SHARED);
    }
    manager = new MemoryManager(memory, X8664Layout.INSTANCE);
    framesAtBoot = memory.allocator().inUse();
    space = manager.newAddressSpace("test");
  }

  @AfterEach
  void everythingGoesBackToZero() {
    space.close();
    assertThat(memory.allocator().inUse()).isEqualTo(framesAtBoot);
    assertThat(memory.frames().references(manager.sparsePfn())).isEqualTo(1);
    assertThat(memory.frames().mappings(manager.sparsePfn())).isZero();
    assertThat(manager.spaces()).isEmpty();
    assertThat(manager.badEntries().count()).isZero();
    memory.close();
  }

  private AddrRange mapped() throws MapException {
    return space.map(MapRequest.shared(file, Access.READ));
  }

  @Test
  void theFirstTouchInsertsASpecialEntryAndTakesNoFrame() throws IOException {
    AddrRange range = mapped();
    AddressReader reader = new AddressReader(space);
    long tables = memory.allocator().inUse(FrameUse.TABLE);
    assertThat(reader.getByte(range.start())).isEqualTo(expected(0));
    assertThat(space.minorFaults()).isEqualTo(1);
    assertThat(Census.of(space)).extracting(Census::special).isEqualTo(1L);
    assertThat(memory.allocator().inUse() - framesAtBoot)
        .isEqualTo(memory.allocator().inUse(FrameUse.TABLE));
    assertThat(memory.allocator().inUse(FrameUse.TABLE)).isEqualTo(tables + 3);
  }

  @Test
  void aSecondTouchDoesNotFault() throws IOException {
    AddrRange range = mapped();
    AddressReader reader = new AddressReader(space);
    reader.getByte(range.start());
    new AddressReader(space).getLong(range.start() + 8);
    assertThat(space.minorFaults()).isEqualTo(1);
  }

  @Test
  void everyByteIsReadWhereItLies() throws IOException {
    AddrRange range = mapped();
    AddressReader reader = new AddressReader(space);
    for (long offset = 0; offset < 5 * Pages.SIZE; offset += 7) {
      assertThat(reader.getByte(range.start() + offset)).isEqualTo(expected(offset));
    }
  }

  @Test
  void aNumberMayCrossPagesThatLieApart() throws IOException {
    AddrRange range = mapped();
    AddressReader reader = new AddressReader(space);
    for (long page : new long[] {1, 33, 40}) {
      for (long offset = page * Pages.SIZE - 8; offset <= page * Pages.SIZE; offset++) {
        byte[] bytes = new byte[8];
        for (int i = 0; i < 8; i++) {
          bytes[i] = expected(offset + i);
        }
        assertThat(reader.getLong(range.start() + offset))
            .isEqualTo(MemorySegment.ofArray(bytes).get(ValueLayout.JAVA_LONG_UNALIGNED, 0));
      }
    }
  }

  @Test
  void aCopyGathersRunsInOrder() throws IOException {
    AddrRange range = mapped();
    byte[] copy = new byte[(int) (40 * Pages.SIZE)];
    long from = 20 * Pages.SIZE + 123;
    new AddressReader(space)
        .copy(range.start() + from, MemorySegment.ofArray(copy), 0, copy.length);
    for (int i = 0; i < copy.length; i++) {
      assertThat(copy[i]).isEqualTo(expected(from + i));
    }
  }

  @Test
  void aHoleShowsTheSparsePageAsACountedFrame() throws IOException {
    AddrRange range = mapped();
    assertThat(new AddressReader(space).getLong(range.start() + 3 * Pages.SIZE)).isZero();
    assertThat(space.fileFrames()).isEqualTo(1);
    assertThat(memory.frames().mappings(manager.sparsePfn())).isEqualTo(1);
    assertThat(memory.frames().references(manager.sparsePfn())).isEqualTo(2);
    assertThat(Census.of(space)).extracting(Census::normal).isEqualTo(1L);
  }

  @Test
  void aPagePastTheEndOfTheFileIsABusError() throws IOException {
    AddrRange range =
        space.map(MapRequest.shared(file, Access.READ).pages(0, (PAGES + 2) * Pages.SIZE));
    AddressReader reader = new AddressReader(space);
    assertThat(reader.getByte(range.start() + (PAGES - 1) * Pages.SIZE))
        .isEqualTo(expected((PAGES - 1) * Pages.SIZE));
    assertThatThrownBy(() -> reader.getByte(range.start() + PAGES * Pages.SIZE))
        .isInstanceOf(MemoryFaultException.BusError.class)
        .hasMessageContainingAll("SIGBUS", "test-file", "0x40");
  }

  @Test
  void aFileThatFailsToTranslateIsABusErrorWithItsReason() throws IOException {
    AddrRange range = mapped();
    assertThatThrownBy(() -> new AddressReader(space).getByte(range.start() + 5 * Pages.SIZE))
        .isInstanceOf(MemoryFaultException.BusError.class)
        .hasMessageContaining("block 5 is unreachable");
  }

  @Test
  void anAddressWithoutMappingIsASegmentationFault() {
    AddressReader reader = new AddressReader(space);
    for (long va : new long[] {0, 0x5000, 1L << 46, 1L << 47, -1, Long.MIN_VALUE}) {
      assertThatThrownBy(() -> reader.getByte(va))
          .isInstanceOf(MemoryFaultException.SegmentationFault.class)
          .hasMessageContaining("0x" + Long.toHexString(va));
    }
  }

  @Test
  void aMappingWithoutTheRightIsASegmentationFault() throws IOException {
    AddrRange range = mapped();
    assertThat(space.fault(range.start(), Access.WRITE)).isInstanceOf(FaultResult.Refused.class);
    assertThat(space.fault(range.start(), Access.EXECUTE)).isInstanceOf(FaultResult.Refused.class);
    assertThat(space.fault(range.start(), Access.READ)).isEqualTo(FaultResult.Handled.MAPPED);
    assertThat(space.fault(range.start(), Access.READ)).isEqualTo(FaultResult.Handled.PRESENT);
  }

  @Test
  void unmappingMakesACachedTranslationStale() throws IOException {
    AddrRange range = mapped();
    AddressReader reader = new AddressReader(space);
    reader.getByte(range.start());
    space.unmap(range);
    assertThatThrownBy(() -> reader.getByte(range.start()))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class);
    assertThat(space.vmas()).isEmpty();
    assertThat(space.table().countTables()).isEqualTo(1);
  }

  @Test
  void unmappingTheMiddleLeavesBothEndsAtTheirBytes() throws IOException {
    AddrRange range = mapped();
    AddressReader reader = new AddressReader(space);
    space.unmap(AddrRange.ofLength(range.start() + 10 * Pages.SIZE, 5 * Pages.SIZE));
    assertThat(space.vmas()).hasSize(2);
    assertThat(space.vmas().get(1).pageOffset()).isEqualTo(15);
    assertThat(reader.getByte(range.start() + 9 * Pages.SIZE)).isEqualTo(expected(9 * Pages.SIZE));
    assertThat(reader.getByte(range.start() + 15 * Pages.SIZE))
        .isEqualTo(expected(15 * Pages.SIZE));
    assertThatThrownBy(() -> reader.getByte(range.start() + 12 * Pages.SIZE))
        .isInstanceOf(MemoryFaultException.SegmentationFault.class);
  }

  @Test
  void mappingsDoNotOverlap() throws IOException {
    AddrRange first = mapped();
    AddrRange second = mapped();
    assertThat(first.overlaps(second)).isFalse();
    assertThatThrownBy(() -> space.map(MapRequest.shared(file, Access.READ).at(first.start())))
        .isInstanceOf(MapException.class)
        .hasMessageStartingWith("EEXIST");
    assertThat(space.vmas()).hasSize(2);
  }

  @Test
  void aPlaceAskedForIsTaken() throws IOException {
    assertThat(space.map(MapRequest.privately(file, Access.READ_EXECUTE).at(0x10_0000)).start())
        .isEqualTo(0x10_0000);
    assertThat(space.find(0x10_0000).toString())
        .startsWith("000000100000-000000140000 r-xp 00000000 test-file");
  }

  @Test
  void wrongRequestsAreRefusedByName() {
    MapRequest good = MapRequest.shared(file, Access.READ);
    assertRefused(Errno.EINVAL, () -> space.map(good.at(0x11234)));
    assertRefused(Errno.EPERM, () -> space.map(good.at(0x1000)));
    assertRefused(Errno.EINVAL, () -> space.map(good.pages(0, 0)));
    assertRefused(Errno.EOVERFLOW, () -> space.map(good.pages(-1, 1)));
    assertRefused(Errno.EOVERFLOW, () -> space.map(good.pages(1L << 51, 1)));
    assertRefused(Errno.ENOMEM, () -> space.map(good.pages(0, 1L << 62)));
    assertRefused(Errno.ENOMEM, () -> space.map(good.at((1L << 47) - Pages.SIZE)));
    assertRefused(Errno.EACCES, () -> space.map(MapRequest.shared(file, Access.READ_WRITE)));
    assertRefused(Errno.EINVAL, () -> space.map(good.with(MapFlag.GROWSDOWN)));
    assertRefused(Errno.EINVAL, () -> space.unmap(new AddrRange(0x10000, 0x10000)));
    assertRefused(Errno.EINVAL, () -> space.unmap(new AddrRange(0x10001, 0x11001)));
    assertRefused(Errno.EINVAL, () -> space.unmap(new AddrRange(0x10000, 1L << 48)));
    assertThat(space.vmas()).isEmpty();
  }

  private static void assertRefused(Errno errno, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(MapException.class, e -> assertThat(e.errno()).isEqualTo(errno))
        .hasMessageStartingWith(errno + ": ")
        .hasMessageContainingAll("expected", "found");
  }

  @Test
  void aSpecialEntryIsNeverCountedAndNeverAFrame() throws IOException {
    AddrRange range = mapped();
    Vma vma = space.find(range.start());
    long entry = X8664Layout.INSTANCE.withSpecial(X8664Layout.INSTANCE.leaf(2, Access.READ));
    assertThat(manager.normalFrame(vma, range.start(), entry)).isEqualTo(MemoryManager.NO_FRAME);
    assertThat(manager.normalFrame(vma, range.start(), X8664Layout.INSTANCE.leaf(2, Access.READ)))
        .isEqualTo(2);
  }

  @Test
  void aClosedSpaceRefusesNewMappings() throws IOException {
    space.close();
    assertThatThrownBy(this::mapped)
        .isInstanceOf(MapException.class)
        .hasMessageContaining("exited");
  }

  @Test
  void aFileCutUnderneathIsABusErrorAndNotACrash() throws IOException {
    AddrRange range = mapped();
    AddressReader reader = new AddressReader(space);
    reader.getByte(range.start());
    try (var channel =
        java.nio.channels.FileChannel.open(
            folder.resolve("data"), java.nio.file.StandardOpenOption.WRITE)) {
      channel.truncate(Pages.SIZE);
    }
    byte[] copy = new byte[(int) (2 * Pages.SIZE)];
    assertThatThrownBy(
            () ->
                reader.copy(
                    range.start() + 6 * Pages.SIZE, MemorySegment.ofArray(copy), 0, copy.length))
        .isInstanceOf(MemoryFaultException.BusError.class)
        .hasMessageContaining("test-file was cut");
    assertThat(reader.getByte(range.start())).isEqualTo(expected(0));
  }
}
