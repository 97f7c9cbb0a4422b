package dev.xip.bench;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.measure.ContiguousFile;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Census;
import dev.xip.vm.MapFlag;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * Maps and populates 1 TiB of a segment with leaves of 2 MiB or of 1 GiB. Each invocation has a new
 * address space, whose creation is not measured. At the end it prints the size of the tables; no
 * frame is taken for a page.
 */
@State(Scope.Thread)
public class HugeLeafBenchmark extends CommonOptions {
  private static final long BYTES = 1L << 40;

  private static final long PHYSICAL = 1L << 30;

  /** The offset of the address from a multiple of 1 GiB, which limits the size of leaves. */
  public enum Leaves {
    /** 2 MiB. */
    OF_2_MIB(2L << 20),
    /** None. */
    OF_1_GIB(0);

    private final long offset;

    Leaves(long offset) {
      this.offset = offset;
    }
  }

  /** The size of leaves. */
  @Param Leaves leaves;

  private PhysicalMemory memory;
  private MemoryManager manager;
  private AddressSpace space;

  /** Boots a machine with a window of more than 1 TiB, which is reserved and not committed. */
  @Setup
  public void boot() throws IOException {
    memory = PhysicalMemory.boot(BYTES + (4L << 30), 64L << 20);
    manager = new MemoryManager(memory, X8664Layout.INSTANCE);
  }

  /** Makes an address space. */
  @Setup(Level.Invocation)
  public void start() throws IOException {
    space = manager.newAddressSpace("benchmark");
  }

  /** Ends it. */
  @TearDown(Level.Invocation)
  public void end() {
    space.close();
  }

  /** Prints the size of the tables, and ends the machine. */
  @TearDown
  public void report() throws IOException {
    start();
    map();
    Census census = Census.of(space);
    System.out.printf(
        "%n%s: %d leaves, %d pages without a frame, tables of %d KiB, %d other frames%n",
        leaves,
        census.huge(),
        census.special(),
        census.tables() << Pages.SHIFT >> 10,
        space.fileFrames() + space.anonymousFrames());
    end();
    if (memory.allocator().inUse(FrameUse.TABLE) != 0) {
      throw new IllegalStateException("expected no table frames in use, found some");
    }
    memory.close();
  }

  /** Maps all of it. At an offset of 2 MiB no leaf of 1 GiB fits. */
  @Benchmark
  public AddrRange map() throws IOException {
    return space.map(
        MapRequest.shared(new ContiguousFile(PHYSICAL >>> Pages.SHIFT, BYTES), Access.READ)
            .at((1L << 41) + leaves.offset)
            .with(MapFlag.POPULATE));
  }
}
