package dev.xip.bench;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Reservation;
import dev.xip.host.Sharing;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.Translation;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Advice;
import dev.xip.vm.FaultResult;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Faults on present pages of a file of 256 MiB in memory, and its entries filled in bulk, per page.
 * The limit is one store for each entry; the peer is the kernel on the same file: its minor faults,
 * and its populate. Before each pass the entries are taken out again, which is not measured. To run
 * it alone: {@code mvn -Pbench -Dbench=FaultBenchmark}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 2,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-Xmx1g"})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class FaultBenchmark {
  private static final long BYTES = 256L << 20;
  private static final int PAGES = (int) (BYTES >>> Pages.SHIFT);
  private static final int GROUP = 16;
  private static final long REGION = 1L << 30;

  /** The whole file is one run. */
  private record OneRun(long firstPfn) implements Mappable {
    @Override
    public String name() {
      return "benchmark";
    }

    @Override
    public long size() {
      return BYTES;
    }

    @Override
    public Translation translate(long page) {
      return new Translation(firstPfn + page, PAGES - page);
    }
  }

  /** A machine that has the file mapped. */
  @State(Scope.Thread)
  public static class Mapped {
    private HostFile file;
    private PhysicalMemory memory;
    private AddressSpace space;
    private AddrRange range;

    Rules rules() {
      return Rules.DEFAULT;
    }

    /** Boots the machine and maps the file. */
    @Setup
    public void map() throws IOException {
      file = HostFile.memfd("benchmark");
      file.truncate(BYTES);
      memory = PhysicalMemory.boot(REGION + BYTES, 64L << 20);
      Region region = memory.claim("BENCH", AddrRange.ofLength(REGION, BYTES), true);
      memory.mapFile(region, 0, file, 0, BYTES, Access.READ, Sharing.SHARED);
      MemoryManager manager =
          new MemoryManager(
              memory, X8664Layout.INSTANCE, FrameStrategy.SPECIAL_BIT.on(memory), rules());
      space = manager.newAddressSpace("benchmark");
      // One page off, so that no huge leaf can stand for the pages.
      range =
          space.map(
              MapRequest.shared(new OneRun(REGION >>> Pages.SHIFT), Access.READ)
                  .at((4L << 30) + Pages.SIZE));
    }

    /** Takes the entries out. */
    @Setup(Level.Invocation)
    public void discard() throws IOException {
      space.advise(range, Advice.DONTNEED);
    }

    /** Ends the machine. */
    @TearDown
    public void unmap() throws IOException {
      space.close();
      memory.close();
      file.close();
    }
  }

  /** The same where a fault maps its page alone. */
  public static class MappedPageByPage extends Mapped {
    @Override
    Rules rules() {
      return Rules.DEFAULT.withFaultAround(1);
    }
  }

  /** The same file, mapped by the kernel. */
  @State(Scope.Thread)
  public static class ByTheKernel {
    private HostFile file;
    private Reservation reservation;

    /** Maps the file and has its pages made. */
    @Setup
    public void map() throws IOException {
      file = HostFile.memfd("benchmark");
      file.truncate(BYTES);
      reservation = Reservation.inaccessible(BYTES);
      reservation.mapFile(0, BYTES, file, 0, Access.READ_WRITE, Sharing.SHARED);
      reservation.advise(0, BYTES, dev.xip.host.Advice.POPULATE_WRITE);
    }

    /** Takes the entries out; the pages stay in the page cache. */
    @Setup(Level.Invocation)
    public void discard() throws IOException {
      reservation.advise(0, BYTES, dev.xip.host.Advice.DONTNEED);
    }

    /** Unmaps the file. */
    @TearDown
    public void unmap() throws IOException {
      reservation.close();
      file.close();
    }
  }

  /** Room for so many entries. */
  @State(Scope.Thread)
  public static class Entries {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment entries = arena.allocate(8L * PAGES, Pages.SIZE);

    /** Frees it. */
    @TearDown
    public void free() {
      arena.close();
    }
  }

  private static void touchEvery(Mapped in, int pages) throws IOException {
    for (long va = in.range.start(); va < in.range.end(); va += pages * Pages.SIZE) {
      if (in.space.fault(va, Access.READ) instanceof FaultResult.Refused refused) {
        throw refused.cause();
      }
    }
  }

  private static long touchEvery(ByTheKernel in, int pages) {
    MemorySegment memory = in.reservation.memory();
    long sum = 0;
    for (long at = 0; at < BYTES; at += pages * Pages.SIZE) {
      sum += memory.get(ValueLayout.JAVA_BYTE, at);
    }
    return sum;
  }

  /** The limit: one store for each entry. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public void raw(Entries in) {
    MemorySegment entries = in.entries;
    for (int i = 0; i < PAGES; i++) {
      entries.setAtIndex(ValueLayout.JAVA_LONG, i, (long) i << Pages.SHIFT | 0x225);
    }
  }

  /** A whole fault, with its locks and its accounting, that maps one page. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public void faultOnOnePage(MappedPageByPage in) throws IOException {
    touchEvery(in, 1);
  }

  /** A whole fault that maps 16 pages; per fault. */
  @Benchmark
  @OperationsPerInvocation(PAGES / GROUP)
  public void faultOnAGroup(Mapped in) throws IOException {
    touchEvery(in, GROUP);
  }

  /** Entries filled before anybody touches the pages. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public void populate(Mapped in) throws IOException {
    in.space.advise(in.range, Advice.WILLNEED);
  }

  /** The kernel's minor fault, which maps 16 pages; per fault. */
  @Benchmark
  @OperationsPerInvocation(PAGES / GROUP)
  public long kernelFault(ByTheKernel in) {
    return touchEvery(in, GROUP);
  }

  /** The kernel's populate: what MAP_POPULATE does. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public void kernelPopulate(ByTheKernel in) throws IOException {
    in.reservation.advise(0, BYTES, dev.xip.host.Advice.POPULATE_READ);
  }
}
