package dev.xip.bench;

import dev.xip.base.Pages;
import dev.xip.measure.FaultedFile;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Faults on present pages of a file of 256 MiB in memory, and populate, per page. The limit is one
 * store for each entry; the peer is the kernel on the same file, with its minor faults and its
 * populate. Before each invocation the entries are cleared, which is not measured.
 */
public class FaultBenchmark extends CommonOptions {
  private static final long BYTES = 256 << 20;
  private static final int PAGES = (int) (BYTES >>> Pages.SHIFT);
  private static final int FAULTS = PAGES / FaultedFile.GROUP;

  /** A machine that has the file mapped. */
  @State(Scope.Thread)
  public static class Mapped {
    private FaultedFile file;
    FaultedFile.Mapped space;

    Rules rules() {
      return Rules.DEFAULT;
    }

    /** Boots the machine and maps the file. */
    @Setup
    public void map() throws IOException {
      file = FaultedFile.create(BYTES);
      space = file.map(rules());
    }

    /** Clears the entries. */
    @Setup(Level.Invocation)
    public void discard() throws IOException {
      space.discard();
    }

    /** Ends the machine. */
    @TearDown
    public void unmap() {
      space.close();
      file.close();
    }
  }

  /** The same with faults that map only their own page. */
  public static class MappedPageByPage extends Mapped {
    @Override
    Rules rules() {
      return Rules.DEFAULT.withFaultAround(1);
    }
  }

  /** The same file, mapped by the kernel. */
  @State(Scope.Thread)
  public static class ByTheKernel {
    private FaultedFile file;

    /** Maps the file and allocates its pages. */
    @Setup
    public void map() throws IOException {
      file = FaultedFile.create(BYTES);
    }

    /** Clears the entries; the pages stay in the page cache. */
    @Setup(Level.Invocation)
    public void discard() throws IOException {
      file.kernelDiscard();
    }

    /** Unmaps the file. */
    @TearDown
    public void unmap() {
      file.close();
    }
  }

  /** Memory for all entries. */
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
  @DoesNotAllocate
  @OperationsPerInvocation(PAGES)
  public long faultOnOnePage(MappedPageByPage in) throws IOException {
    return in.space.touchEvery(1);
  }

  /** A whole fault that maps 16 pages; per fault. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(FAULTS)
  public long faultOnAGroup(Mapped in) throws IOException {
    return in.space.touchEvery(FaultedFile.GROUP);
  }

  /** Populate: entries inserted without faults. */
  @Benchmark
  @DoesNotAllocate
  @OperationsPerInvocation(PAGES)
  public long populate(Mapped in) throws IOException {
    return in.space.populate();
  }

  /** The kernel's minor fault, which maps 16 pages; per fault. */
  @Benchmark
  @OperationsPerInvocation(FAULTS)
  public long kernelFault(ByTheKernel in) {
    return in.file.kernelTouch();
  }

  /** The kernel's populate, as by MAP_POPULATE. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long kernelPopulate(ByTheKernel in) throws IOException {
    return in.file.kernelPopulate();
  }
}
