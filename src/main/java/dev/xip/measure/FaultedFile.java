package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostFile;
import dev.xip.host.Reservation;
import dev.xip.host.Sharing;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Advice;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.Rules;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A memfd with all pages present, mapped by address spaces and by the kernel, which take the same
 * faults on it. For one thread.
 */
public final class FaultedFile implements AutoCloseable {
  /** The pages that one fault maps by default, here and in the kernel. */
  public static final int GROUP = 16;

  private static final long REGION = 4L << 30;

  private final long bytes;
  private final HostFile file;
  private final PhysicalMemory memory;
  private final Reservation kernel;

  private FaultedFile(long bytes, HostFile file, PhysicalMemory memory, Reservation kernel) {
    this.bytes = bytes;
    this.file = file;
    this.memory = memory;
    this.kernel = kernel;
  }

  /**
   * Makes the file.
   *
   * @param bytes its size, whole pages
   * @return the file, to be closed
   * @throws IOException if there is no room for it
   */
  public static FaultedFile create(long bytes) throws IOException {
    HostFile file = HostFile.memfd("benchmark");
    PhysicalMemory memory = null;
    try {
      file.truncate(bytes);
      memory = PhysicalMemory.boot(REGION + bytes, 64L << 20);
      Region region = memory.claim("BENCH", AddrRange.ofLength(REGION, bytes), true);
      memory.mapFile(region, 0, file, 0, bytes, Access.READ, Sharing.SHARED);
      Reservation kernel = Reservation.inaccessible(bytes);
      FaultedFile faulted = new FaultedFile(bytes, file, memory, kernel);
      kernel.mapFile(0, bytes, file, 0, Access.READ_WRITE, Sharing.SHARED);
      kernel.advise(0, bytes, dev.xip.host.Advice.POPULATE_WRITE);
      return faulted;
    } catch (IOException | RuntimeException e) {
      if (memory != null) {
        memory.close();
      }
      file.close();
      throw e;
    }
  }

  /**
   * Maps it in a new address space.
   *
   * @param rules with the number of pages that a fault maps
   * @return the mapping, without entries, to be closed before this
   * @throws IOException if it cannot be mapped
   */
  public Mapped map(Rules rules) throws IOException {
    MemoryManager manager =
        new MemoryManager(
            memory,
            X8664Layout.INSTANCE,
            FrameStrategy.SPECIAL_BIT.on(memory, X8664Layout.INSTANCE),
            rules);
    AddressSpace space = manager.newAddressSpace("benchmark");
    // One page past a multiple of 2 MiB, so that no huge leaf fits.
    MapRequest request =
        MapRequest.shared(new ContiguousFile(REGION >>> Pages.SHIFT, bytes), Access.READ)
            .at((8L << 30) + Pages.SIZE);
    return new Mapped(space, space.map(request));
  }

  /** An address space that maps the file with entries for single pages. */
  public static final class Mapped implements AutoCloseable {
    private final AddressSpace space;
    private final AddrRange range;

    private Mapped(AddressSpace space, AddrRange range) {
      this.space = space;
      this.range = range;
    }

    /**
     * Clears all entries.
     *
     * @throws IOException if madvise fails
     */
    public void discard() throws IOException {
      space.advise(range, Advice.DONTNEED);
    }

    /**
     * Takes a fault on one page of each group.
     *
     * @param pages the pages of a group, 1 for a fault on every page
     * @return the end of the mapping
     * @throws IOException if a fault is refused
     */
    public long touchEvery(int pages) throws IOException {
      for (long va = range.start(); va < range.end(); va += pages * Pages.SIZE) {
        space.fault(va, Access.READ).orThrow();
      }
      return range.end();
    }

    /**
     * Inserts all entries without a fault.
     *
     * @return the end of the mapping
     * @throws IOException if madvise fails
     */
    public long populate() throws IOException {
      space.advise(range, Advice.WILLNEED);
      return range.end();
    }

    @Override
    public void close() {
      space.close();
    }
  }

  /**
   * Clears all entries of the kernel's mapping; the pages stay in the page cache.
   *
   * @throws IOException if madvise fails
   */
  public void kernelDiscard() throws IOException {
    kernel.advise(0, bytes, dev.xip.host.Advice.DONTNEED);
  }

  /**
   * Has the kernel take a fault on each group of pages.
   *
   * @return the sum of the bytes read
   */
  public long kernelTouch() {
    MemorySegment mapped = kernel.memory();
    long sum = 0;
    for (long at = 0; at < bytes; at += GROUP * Pages.SIZE) {
      sum += mapped.get(ValueLayout.JAVA_BYTE, at);
    }
    return sum;
  }

  /**
   * Has the kernel insert all entries, as MAP_POPULATE does.
   *
   * @return the size of the file
   * @throws IOException if madvise fails
   */
  public long kernelPopulate() throws IOException {
    kernel.advise(0, bytes, dev.xip.host.Advice.POPULATE_READ);
    return bytes;
  }

  /** Unmaps the file and frees its memory. */
  @Override
  public void close() {
    kernel.close();
    memory.close();
    file.close();
  }
}
