package dev.xip.bench;

import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Vma;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;

/**
 * The normal-page test of one entry, by strategy and number of loaded segments, with one thread and
 * with two. The loop alone is the limit.
 */
public class NormalFrameBenchmark extends CommonOptions {
  private static final int BATCH = 4096;
  private static final int RUN = 64;

  /** Entries in runs of one kind, and their mappings. */
  @State(Scope.Benchmark)
  public static class Entries {
    private NormalPageMachine machine;
    private MemoryManager manager;
    private Vma[] mappings;
    private long[] entries;

    void boot(FrameStrategy strategy, int segments) throws HostException {
      machine = NormalPageMachine.boot(X8664Layout.INSTANCE, segments);
      manager = machine.manager(strategy);
      mappings = machine.mappings();
      entries = machine.entries(manager, BATCH, RUN);
    }

    /** For the loop alone, for which any machine will do. */
    @Setup
    public void boot() throws HostException {
      boot(FrameStrategy.SPECIAL_BIT, 1);
    }

    /** Frees the memory. */
    @TearDown
    public void close() {
      machine.close();
    }
  }

  /** Entries of a machine with a given strategy. */
  public static class Decided extends Entries {
    /** The strategy. */
    @Param({
      "REFCOUNT_PFN",
      "REFCOUNT_PTE_BIT",
      "REFCOUNT_PTE_PFN_VALID",
      "MEM_SEGS_MUTEX",
      "MEM_SEGS_SPIN_LOCK",
      "FLAT",
      "SPARSE",
      "SORTED_ARRAY",
      "FLAT_IF_MIXED",
      "SPECIAL_BIT"
    })
    public FrameStrategy strategy;

    /** The number of loaded segments. */
    @Param({"1", "64", "4096"})
    public int segments;

    @Override
    @Setup
    public void boot() throws HostException {
      boot(strategy, segments);
    }
  }

  /** The limit: the loop without the test. */
  @Benchmark
  @OperationsPerInvocation(BATCH)
  public long emptyLoop(Entries in) {
    long sum = 0;
    for (int i = 0; i < BATCH; i++) {
      Vma vma = in.mappings[i / RUN & 1];
      sum += vma.range().start() + ((long) i << Pages.SHIFT) + in.entries[i];
    }
    return sum;
  }

  private static long decideAll(Entries in) {
    long sum = 0;
    for (int i = 0; i < BATCH; i++) {
      Vma vma = in.mappings[i / RUN & 1];
      long va = vma.range().start() + ((long) i << Pages.SHIFT);
      sum += in.manager.normalFrame(vma, va, in.entries[i]);
    }
    return sum;
  }

  /** The test on one thread. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(BATCH)
  public long decide(Decided in) {
    return decideAll(in);
  }

  /** The test on two threads. A thread that waits for a lock of the strategy allocates. */
  @Benchmark
  @Threads(2)
  @OperationsPerInvocation(BATCH)
  public long decideOnTwoThreads(Decided in) {
    return decideAll(in);
  }
}
