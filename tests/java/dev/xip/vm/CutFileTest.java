package dev.xip.vm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A file is cut while compiled code reads and copies it through a mapping; the JVM reports the loss
 * late, but each access throws our exception.
 */
class CutFileTest {
  private static final long START = 16L << 20;
  private static final int ROUNDS = 20_000;

  @TempDir Path folder;

  private record OnePage() implements Mappable {
    @Override
    public String name() {
      return "cut-file";
    }

    @Override
    public long size() {
      return 2 * Pages.SIZE;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun((START >>> Pages.SHIFT) + page, 1);
    }
  }

  @Test
  void compiledCopiesThrowOurExceptionEveryTime() throws IOException {
    Path path = Files.write(folder.resolve("data"), new byte[(int) (2 * Pages.SIZE)]);
    try (PhysicalMemory memory = PhysicalMemory.boot(32L << 20, 1L << 20);
        HostFile file = HostFile.openReadWrite(path);
        AddressSpace space =
            new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("reader")) {
      Region region = memory.claim("CUT", AddrRange.ofLength(START, 2 * Pages.SIZE), true);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ, Sharing.SHARED);
      long va = space.map(MapRequest.shared(new OnePage(), Access.READ)).start();
      AddressReader reader = new AddressReader(space);
      MemorySegment copy = MemorySegment.ofArray(new byte[512]);
      for (int i = 0; i < ROUNDS; i++) {
        reader.copy(va + Pages.SIZE, copy, 0, 512);
      }
      file.truncate(Pages.SIZE);
      int met = 0;
      for (int i = 0; i < 1000; i++) {
        met += meets(reader, va + Pages.SIZE, copy) ? 1 : 0;
      }
      assertThat(met).isEqualTo(1000);
      for (int i = 0; i < 1000; i++) {
        assertThatThrownBy(() -> copyBoth(reader, va))
            .isInstanceOf(MemoryFaultException.BusError.class)
            .hasMessageContaining("cut-file was cut while mapped, in or after page 0x1");
      }
      assertThat(meets(reader, va, copy)).as("the remaining page").isFalse();
    }
  }

  private interface Read {
    void at(AddressReader reader, long va) throws MemoryFaultException;
  }

  private static Read gathered(long distance) {
    long[] addresses = new long[2];
    long[] values = new long[2];
    return (reader, va) -> {
      addresses[0] = va - distance;
      addresses[1] = va;
      reader.getLongs(addresses, values, 2);
    };
  }

  static Stream<Arguments> readsOfLostBytes() {
    return Stream.of(
        Arguments.of("a byte", Pages.SIZE, (Read) AddressReader::getByte),
        Arguments.of("a long", Pages.SIZE + 8, (Read) AddressReader::getLong),
        Arguments.of(
            "a long of which half is there", Pages.SIZE - 4, (Read) AddressReader::getLong),
        Arguments.of("the last byte of a long", Pages.SIZE - 7, (Read) AddressReader::getLong),
        Arguments.of("a gathered long", Pages.SIZE, gathered(Pages.SIZE)),
        Arguments.of("a gathered half", Pages.SIZE - 4, gathered(64)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("readsOfLostBytes")
  void aReadOfLostBytesThrowsAndOneOfTheirNeighboursDoesNot(String what, long offset, Read read)
      throws IOException {
    byte[] ones = new byte[(int) (2 * Pages.SIZE)];
    Arrays.fill(ones, (byte) 1);
    Path path = Files.write(folder.resolve("data"), ones);
    try (PhysicalMemory memory = PhysicalMemory.boot(32L << 20, 1L << 20);
        HostFile file = HostFile.openReadWrite(path);
        AddressSpace space =
            new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("reader")) {
      Region region = memory.claim("CUT", AddrRange.ofLength(START, 2 * Pages.SIZE), true);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ, Sharing.SHARED);
      long va = space.map(MapRequest.shared(new OnePage(), Access.READ)).start();
      AddressReader reader = new AddressReader(space);
      for (int i = 0; i < ROUNDS; i++) {
        read.at(reader, va + offset);
      }
      file.truncate(Pages.SIZE);
      for (int i = 0; i < 50; i++) {
        assertThatThrownBy(() -> read.at(reader, va + offset))
            .isInstanceOf(MemoryFaultException.BusError.class)
            .hasMessageContaining("cut-file was cut while mapped, in or after page 0x1");
      }
      assertThat(reader.getByte(va + Pages.SIZE - 1)).isEqualTo((byte) 1);
      assertThat(reader.getLong(va + Pages.SIZE - 8)).isEqualTo(0x0101010101010101L);
    }
  }

  /** A writable file with pages at any frames. */
  private record Writable(long pfn) implements Mappable {
    @Override
    public String name() {
      return "writable-file";
    }

    @Override
    public long size() {
      return 2 * Pages.SIZE;
    }

    @Override
    public boolean isWritable() {
      return true;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun(pfn + page, 1);
    }

    @Override
    public PageRun allocate(long page) {
      return translate(page);
    }
  }

  @Test
  void aStoreThatReachesNoFileIsASignal() throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(32L << 20, 1L << 20);
        HostFile file = HostFile.memfd("cut");
        AddressSpace space =
            new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("writer")) {
      file.truncate(2 * Pages.SIZE);
      Region region = memory.claim("CUT", AddrRange.ofLength(START, 2 * Pages.SIZE), false);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ_WRITE, Sharing.SHARED);
      Writable mapped = new Writable(START >>> Pages.SHIFT);
      long va = space.map(MapRequest.shared(mapped, Access.READ_WRITE)).start();
      AddressWriter writer = new AddressWriter(space);
      writer.putLong(va + Pages.SIZE, 1);
      file.truncate(Pages.SIZE);
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> writer.putLong(va + Pages.SIZE, 2))
            .isInstanceOf(MemoryFaultException.BusError.class)
            .hasMessageContaining("writable-file was cut while mapped, in or after page 0x1");
      }
      writer.putLong(va, 3);
      AddressReader reader = new AddressReader(space);
      assertThat(reader.getLong(va)).isEqualTo(3);
      assertThatThrownBy(() -> reader.getLong(va + Pages.SIZE))
          .as("what was stored in vain")
          .isInstanceOf(MemoryFaultException.BusError.class);
    }
  }

  @Test
  void bytesThatWereStoredIntoALostPageAreNotRead() throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(32L << 20, 1L << 20);
        HostFile file = HostFile.memfd("cut");
        AddressSpace space =
            new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("reader")) {
      file.truncate(2 * Pages.SIZE);
      Region region = memory.claim("CUT", AddrRange.ofLength(START, 2 * Pages.SIZE), false);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ_WRITE, Sharing.SHARED);
      long va =
          space.map(MapRequest.shared(new Writable(START >>> Pages.SHIFT), Access.READ)).start();
      MemorySegment stored =
          PhysicalMemory.storable(memory.window().asSlice(START, 2 * Pages.SIZE));
      stored.set(ValueLayout.JAVA_LONG, 0, 5);
      stored.set(ValueLayout.JAVA_LONG, Pages.SIZE, 5);
      AddressReader reader = new AddressReader(space);
      for (int i = 0; i < ROUNDS; i++) {
        assertThat(reader.getLong(va) + reader.getLong(va + Pages.SIZE)).isEqualTo(10);
      }
      file.truncate(Pages.SIZE);
      stored.set(ValueLayout.JAVA_LONG, Pages.SIZE, 77);
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(() -> reader.getLong(va + Pages.SIZE))
            .isInstanceOf(MemoryFaultException.BusError.class);
        assertThatThrownBy(() -> reader.getByte(va + Pages.SIZE))
            .isInstanceOf(MemoryFaultException.BusError.class);
        assertThat(reader.getLong(va)).isEqualTo(5);
      }
    }
  }

  @Test
  void aStoreThroughAFileThatNamesMemoryThatIsNotWritableIsASignal() throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(32L << 20, 1L << 20);
        HostFile file = HostFile.memfd("read-only");
        AddressSpace space =
            new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("writer")) {
      file.truncate(2 * Pages.SIZE);
      Region region = memory.claim("READ", AddrRange.ofLength(START, 2 * Pages.SIZE), true);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ, Sharing.SHARED);
      for (long place : new long[] {START, 2 * START - 2 * Pages.SIZE}) {
        Writable mapped = new Writable(place >>> Pages.SHIFT);
        long va = space.map(MapRequest.shared(mapped, Access.READ_WRITE)).start();
        assertThatThrownBy(() -> new AddressWriter(space).putLong(va, 1))
            .isInstanceOf(MemoryFaultException.BusError.class)
            .hasMessageContaining("expected memory that can be written");
        assertThat(new AddressReader(space).getLong(va)).isZero();
      }
    }
  }

  @Test
  void aStoreThroughAnEntryThatOutlivedItsRegionIsASignal() throws IOException {
    try (PhysicalMemory memory = PhysicalMemory.boot(32L << 20, 1L << 20);
        HostFile file = HostFile.memfd("gone");
        AddressSpace space =
            new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("writer")) {
      file.truncate(2 * Pages.SIZE);
      AddrRange range = AddrRange.ofLength(START, 2 * Pages.SIZE);
      Region region = memory.claim("A", range, false);
      memory.mapFile(region, 0, file, 0, 2 * Pages.SIZE, Access.READ_WRITE, Sharing.SHARED);
      Writable mapped = new Writable(START >>> Pages.SHIFT);
      long va = space.map(MapRequest.shared(mapped, Access.READ_WRITE)).start();
      AddressWriter writer = new AddressWriter(space);
      writer.putLong(va, 1);
      memory.release(region);
      Region next = memory.claim("B", range, true);
      memory.mapFile(next, 0, file, 0, 2 * Pages.SIZE, Access.READ, Sharing.SHARED);
      assertThatThrownBy(() -> writer.putLong(va, 2))
          .isInstanceOf(MemoryFaultException.BusError.class)
          .hasMessageContaining("expected memory that can be written");
    }
  }

  /** Copies from the remaining page and from the lost one. */
  private static void copyBoth(AddressReader reader, long va) throws MemoryFaultException {
    MemorySegment copies = MemorySegment.ofArray(new byte[1024]);
    reader.copyEach(new long[] {va, va + Pages.SIZE}, 2, 512, copies, 0);
  }

  private static boolean meets(AddressReader reader, long va, MemorySegment copy) {
    try {
      reader.copy(va, copy, 0, 512);
      return false;
    } catch (MemoryFaultException e) {
      return e.getMessage().contains("cut-file was cut");
    }
  }
}
