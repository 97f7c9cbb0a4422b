package dev.xip.bench;

import dev.xip.base.Pages;
import dev.xip.measure.MappedFile;
import dev.xip.measure.Reads;
import dev.xip.measure.Workload;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import dev.xip.pagetable.X8664Layout;
import java.io.IOException;
import java.nio.file.Path;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;

/**
 * Reads of eight bytes at random addresses of a mapped file: the limit is the memory itself, the
 * peer a system call. With two threads a read takes as long as with one unless they contend.
 */
public class ReadBenchmark extends CommonOptions {
  /** The file that is read. */
  public enum Mapped {
    /** Fits the first caches. */
    KIB_128(128 << 10, 32),
    /** Contiguous. */
    GIB_1(1 << 30, 1 << 18),
    /** In 1,024 extents. */
    GIB_1_IN_1024_FRAGMENTS(1 << 30, 256);

    private final long bytes;
    private final long extentPages;

    Mapped(long bytes, long extentPages) {
      this.bytes = bytes;
      this.extentPages = extentPages;
    }
  }

  /** A machine that has the file mapped, shared by all threads. */
  @State(Scope.Benchmark)
  public static class Machine {
    /** The file that is read. */
    @Param Mapped mapped;

    private MappedFile file;
    private MappedFile.View view;
    private int[] places;

    /** Makes the file and touches every page of it. */
    @Setup
    public void map() throws IOException {
      file = MappedFile.create(Path.of(System.getProperty("java.io.tmpdir")), mapped.bytes);
      view = file.map(file.scattered(mapped.extentPages));
      places = Reads.places(mapped.bytes);
    }

    /** Ends the machine and removes the file. */
    @TearDown
    public void unmap() {
      view.close();
      file.close();
    }
  }

  /** The readers of one thread. */
  @State(Scope.Thread)
  public static class Reader {
    private Workload raw;
    private Workload one;
    private Workload gathered;
    private Workload calls;
    private Workload dependentRaw;
    private Workload dependent;
    private final Walk walk = new Walk();

    /** Makes a reader of each kind. */
    @Setup
    public void open(Machine in) {
      MappedFile.View view = in.view;
      raw = Reads.raw(in.file.raw(), in.places);
      one = Reads.through(view.reader(), view.start(), in.places);
      gathered = Reads.gathered(view.reader(), view.start(), in.places);
      calls = Reads.calls(in.file.channel(), in.places);
      dependentRaw = Reads.dependentRaw(in.file.raw());
      dependent = Reads.dependent(view.reader(), view.start(), in.file.bytes());
    }
  }

  /** The limit. */
  @Benchmark
  @OperationsPerInvocation(Reads.READS)
  public long raw(Reader by) throws IOException {
    return by.raw.run();
  }

  /** Through addresses, one by one. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(Reads.READS)
  public long addresses(Reader by) throws IOException {
    return by.one.run();
  }

  /** The same with two threads; per read of each. */
  @Benchmark
  @DoesNotAllocate
  @Threads(2)
  @OperationsPerInvocation(Reads.READS)
  public long addressesOnTwoThreads(Reader by) throws IOException {
    return by.one.run();
  }

  /** Through addresses, 256 at a time. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(Reads.READS)
  public long gathered(Reader by) throws IOException {
    return by.gathered.run();
  }

  /** The peer: a system call for every read. */
  @Benchmark
  @OperationsPerInvocation(Reads.CALLS)
  public long fileChannel(Reader by) throws IOException {
    return by.calls.run();
  }

  /** The limit where each read depends on the one before. */
  @Benchmark
  @OperationsPerInvocation(Reads.DEPENDENT_READS)
  public long dependentRaw(Reader by) throws IOException {
    return by.dependentRaw.run();
  }

  /** The same through addresses. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(Reads.DEPENDENT_READS)
  public long dependentAddresses(Reader by) throws IOException {
    return by.dependent.run();
  }

  /** A walk from the root for each address, without the read. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(Reads.DEPENDENT_READS)
  public long walks(Machine in, Reader by) {
    PageTable table = in.view.space().table();
    long sum = 0;
    for (int i = 0; i < Reads.DEPENDENT_READS; i++) {
      long va = in.view.start() + ((long) in.places[i] << 3);
      table.walk(va, by.walk);
      sum += X8664Layout.INSTANCE.address(by.walk.pte()) + (va & Pages.OFFSET_MASK);
    }
    return sum;
  }
}
