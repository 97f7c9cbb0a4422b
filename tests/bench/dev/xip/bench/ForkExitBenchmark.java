package dev.xip.bench;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.measure.NormalPageMachine;
import dev.xip.pagetable.X8664Layout;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.FaultResult;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapException;
import dev.xip.vm.MapRequest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.CompilerControl;
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
 * Fork and exit of a process with 100,000 pages of 512 segments, per page. The limit is to look at
 * so many longs and copy them; the peers are the strategies that have to ask about each entry. To
 * run it alone: {@code mvn -Pbench -Dbench=ForkExitBenchmark}.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
    value = 2,
    jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "-Xmx1g"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class ForkExitBenchmark {
  private static final int PAGES = 100_000;
  private static final int SEGMENTS = 512;
  private static final int TABLE = 512;

  /** What the tables of the process hold. */
  public enum Content {
    /** Special entries without a gap. */
    WHOLE,
    /** Special entries, and in each table one private copy. */
    ONE_COPY_IN_EACH_TABLE,
    /** A special entry for every other page. */
    EVERY_OTHER_PAGE
  }

  /** A machine that runs one process. */
  private static class Process {
    private final NormalPageMachine machine;
    private final AddressSpace space;

    Process(FrameStrategy strategy, Content content) throws IOException {
      machine = NormalPageMachine.boot(X8664Layout.INSTANCE, SEGMENTS);
      space = machine.manager(strategy).newAddressSpace("parent");
      Access access = content == Content.ONE_COPY_IN_EACH_TABLE ? Access.READ_WRITE : Access.READ;
      long start = space.map(MapRequest.privately(machine.spread(PAGES), access)).start();
      int step = content == Content.EVERY_OTHER_PAGE ? 2 : 1;
      for (int page = 0; page < PAGES; page += step) {
        long va = start + ((long) page << Pages.SHIFT);
        touch(va, Access.READ);
        if (content == Content.ONE_COPY_IN_EACH_TABLE && page % 512 == 7) {
          touch(va, Access.WRITE);
        }
      }
    }

    private void touch(long va, Access access) throws IOException {
      if (space.fault(va, access) instanceof FaultResult.Refused refused) {
        throw refused.cause();
      }
    }

    void forkAndExit() throws MapException {
      space.fork("child").close();
    }

    void close() {
      space.close();
      machine.close();
    }
  }

  /** A process whose machine knows by the special bit. */
  @State(Scope.Thread)
  public static class BySpecialBit {
    /** What its tables hold. */
    @Param Content content;

    private Process process;

    /** Boots the machine and touches the pages. */
    @Setup
    public void start() throws IOException {
      process = new Process(FrameStrategy.SPECIAL_BIT, content);
    }

    /** Ends the machine. */
    @TearDown
    public void end() {
      process.close();
    }
  }

  /** A process whose machine asks about each entry. */
  @State(Scope.Thread)
  public static class ByAsking {
    /** Whom it asks. */
    @Param({"FLAT", "SPARSE", "SORTED_ARRAY", "LIST_SPIN_LOCK", "REFCOUNT_CALLBACKS"})
    FrameStrategy strategy;

    private Process process;

    /** Boots the machine and touches the pages. */
    @Setup
    public void start() throws IOException {
      process = new Process(strategy, Content.WHOLE);
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
    private final MemorySegment entries = arena.allocate(8L * PAGES, Pages.SIZE);
    private final MemorySegment copies = arena.allocate(8L * PAGES, Pages.SIZE);

    /** Frees them. */
    @TearDown
    public void free() {
      arena.close();
    }
  }

  /** The limit: look at the longs and copy them under a mask, as many at a time as a table has. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public long raw(Longs in) {
    long and = -1;
    for (int first = 0; first < PAGES; first += TABLE) {
      long bytes = 8L * Math.min(TABLE, PAGES - first);
      MemorySegment entries = in.entries.asSlice(8L * first, bytes);
      and &= look(entries);
      mask(in.copies.asSlice(8L * first, bytes).copyFrom(entries));
    }
    return and;
  }

  /** Inlined into the loop above it would not become vectors. */
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

  /** The special bit. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public void forkAndExit(BySpecialBit in) throws MapException {
    in.process.forkAndExit();
  }

  /** The peers. */
  @Benchmark
  @OperationsPerInvocation(PAGES)
  public void forkAndExitAsking(ByAsking in) throws MapException {
    in.process.forkAndExit();
  }
}
