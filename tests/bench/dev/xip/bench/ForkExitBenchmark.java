package dev.xip.bench;

import dev.xip.base.Pages;
import dev.xip.measure.ForkedProcess;
import dev.xip.vm.FrameStrategy;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.CompilerControl;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Fork and exit of a process with 100,000 pages of 512 segments, per page. The limit is to read as
 * many longs and copy them; the peers are the strategies that must test each entry.
 */
public class ForkExitBenchmark extends CommonOptions {
  private static final int TABLE = 512;

  /** A process whose machine uses the special bit. */
  @State(Scope.Thread)
  public static class BySpecialBit {
    /** The entries of its tables. */
    @Param ForkedProcess.Content content;

    private ForkedProcess process;

    /** Boots the machine and touches the pages. */
    @Setup
    public void start() throws IOException {
      process = new ForkedProcess(FrameStrategy.SPECIAL_BIT, content);
    }

    /** Ends the machine. */
    @TearDown
    public void end() {
      process.close();
    }
  }

  /** A process whose machine tests each entry in another way. */
  @State(Scope.Thread)
  public static class ByAsking {
    /** The strategy of the normal-page test. */
    @Param({"FLAT", "SPARSE", "SORTED_ARRAY", "MEM_SEGS_SPIN_LOCK", "REFCOUNT_PTE_BIT"})
    FrameStrategy strategy;

    private ForkedProcess process;

    /** Boots the machine and touches the pages. */
    @Setup
    public void start() throws IOException {
      process = new ForkedProcess(strategy, ForkedProcess.Content.WHOLE);
    }

    /** Ends the machine. */
    @TearDown
    public void end() {
      process.close();
    }
  }

  /** As many longs as the process has entries. */
  @State(Scope.Thread)
  public static class Longs {
    private final Arena arena = Arena.ofShared();
    private final MemorySegment entries = arena.allocate(8L * ForkedProcess.PAGES, Pages.SIZE);
    private final MemorySegment copies = arena.allocate(8L * ForkedProcess.PAGES, Pages.SIZE);

    /** Frees them. */
    @TearDown
    public void free() {
      arena.close();
    }
  }

  /** The limit: read the longs and copy them under a mask, a table's number at a time. */
  @Benchmark
  @OperationsPerInvocation(ForkedProcess.PAGES)
  public long raw(Longs in) {
    long and = -1;
    for (int first = 0; first < ForkedProcess.PAGES; first += TABLE) {
      long bytes = 8L * Math.min(TABLE, ForkedProcess.PAGES - first);
      MemorySegment entries = in.entries.asSlice(8L * first, bytes);
      and &= look(entries);
      mask(in.copies.asSlice(8L * first, bytes).copyFrom(entries));
    }
    return and;
  }

  /** Not inlined: in the loop above it would not be vectorized. */
  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private static long look(MemorySegment entries) {
    long and = -1;
    int count = (int) (entries.byteSize() >>> 3);
    for (int i = 0; i < count; i++) {
      and &= entries.getAtIndex(ValueLayout.JAVA_LONG, i);
    }
    return and;
  }

  @CompilerControl(CompilerControl.Mode.DONT_INLINE)
  private static void mask(MemorySegment copies) {
    int count = (int) (copies.byteSize() >>> 3);
    for (int i = 0; i < count; i++) {
      copies.setAtIndex(
          ValueLayout.JAVA_LONG, i, copies.getAtIndex(ValueLayout.JAVA_LONG, i) & ~32);
    }
  }

  /** Fork and exit by the special bit. */
  @Benchmark
  @OperationsPerInvocation(ForkedProcess.PAGES)
  public long forkAndExit(BySpecialBit in) throws IOException {
    return in.process.forkAndExit();
  }

  /** The peers: fork and exit by other strategies. */
  @Benchmark
  @OperationsPerInvocation(ForkedProcess.PAGES)
  public long forkAndExitAsking(ByAsking in) throws IOException {
    return in.process.forkAndExit();
  }
}
