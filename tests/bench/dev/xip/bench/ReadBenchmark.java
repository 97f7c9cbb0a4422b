package dev.xip.bench;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Translation;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.AddressReader;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Reads of eight bytes at random addresses of a mapped file: raw memory is the limit, the address
 * reader and the plain walk are ours, FileChannel.read is the peer. With the gc profiler each of
 * ours shows 0 B/op.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 2,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-Xmx1g"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class ReadBenchmark {
  private static final int BATCH = 4096;

  /** The size of the file, all of which is read. */
  @Param({"131072", "16777216"})
  long bytes;

  private Path path;
  private FileChannel channel;
  private PhysicalMemory memory;
  private AddressSpace space;
  private AddressReader reader;
  private PageTable table;
  private final Walk walk = new Walk();
  private MemorySegment raw;
  private MemorySegment window;
  private long start;
  private final long[] offsets = new long[BATCH];
  private final byte[] page = new byte[4096];
  private final MemorySegment pageMemory = MemorySegment.ofArray(page);
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder());

  /** The whole file is one run of the region. */
  private record Contiguous(long firstPfn, long size) implements Mappable {
    @Override
    public String name() {
      return "benchmark";
    }

    @Override
    public Translation translate(long page) {
      return new Translation(firstPfn + page, (size >>> Pages.SHIFT) - page);
    }
  }

  /** Maps a file of random bytes and touches every page. */
  @Setup
  public void map() throws IOException {
    path = Files.createTempFile("xip-bench", ".data");
    byte[] content = new byte[(int) bytes];
    Random random = new Random(42);
    random.nextBytes(content);
    Files.write(path, content);
    channel = FileChannel.open(path, StandardOpenOption.READ);
    memory = PhysicalMemory.boot(8L << 30, 256L << 20);
    Region region = memory.claim("BENCH", AddrRange.ofLength(4L << 30, bytes), true);
    try (HostFile file = HostFile.openReadOnly(path)) {
      memory.mapFile(region, 0, file, 0, bytes, Access.READ, Sharing.SHARED);
    }
    window = memory.window();
    raw = window.asSlice(4L << 30, bytes);
    space = new MemoryManager(memory, X8664Layout.INSTANCE).newAddressSpace("benchmark");
    start =
        space
            .map(MapRequest.shared(new Contiguous((4L << 30) >>> Pages.SHIFT, bytes), Access.READ))
            .start();
    reader = new AddressReader(space);
    table = space.table();
    for (long offset = 0; offset < bytes; offset += Pages.SIZE) {
      reader.getByte(start + offset);
    }
    for (int i = 0; i < BATCH; i++) {
      offsets[i] = random.nextLong(bytes - 8);
    }
  }

  /** Ends the machine and removes the file. */
  @TearDown
  public void unmap() throws IOException {
    space.close();
    memory.close();
    channel.close();
    Files.delete(path);
  }

  /** The limit: the mapped file itself. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long raw() {
    long sum = 0;
    for (long offset : offsets) {
      sum += raw.get(ValueLayout.JAVA_LONG_UNALIGNED, offset);
    }
    return sum;
  }

  /** Through addresses, with the reader's cache of a run. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long addressReader() throws IOException {
    long sum = 0;
    for (long offset : offsets) {
      sum += reader.getLong(start + offset);
    }
    return sum;
  }

  /** Through addresses, with a walk from the root for every read. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long walk() {
    long sum = 0;
    for (long offset : offsets) {
      long va = start + (offset & -8);
      table.walk(va, walk);
      sum +=
          window.get(
              ValueLayout.JAVA_LONG_UNALIGNED,
              X8664Layout.INSTANCE.address(walk.pte()) + (va & Pages.OFFSET_MASK));
    }
    return sum;
  }

  /** Random 4 KiB copies through addresses. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void copyPages() throws IOException {
    for (long offset : offsets) {
      reader.copy(start + Pages.roundDown(offset), pageMemory, 0, Pages.SIZE);
    }
  }

  /** The limit of the copies. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public void rawCopyPages() {
    for (long offset : offsets) {
      MemorySegment.copy(raw, Pages.roundDown(offset), pageMemory, 0, Pages.SIZE);
    }
  }

  /** The peer: a system call for every read. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long fileChannel() throws IOException {
    long sum = 0;
    for (long offset : offsets) {
      channel.read(buffer.clear(), offset);
      sum += buffer.getLong(0);
    }
    return sum;
  }
}
