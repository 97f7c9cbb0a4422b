package dev.xip.measure;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.EntryLayout;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RegionBusyException;
import dev.xip.vm.FrameStrategy;
import dev.xip.vm.MemoryManager;
import dev.xip.vm.NormalFrame;
import dev.xip.vm.Rules;
import dev.xip.vm.Vma;
import dev.xip.vm.VmaFlags;
import java.util.Random;
import java.util.stream.LongStream;

/**
 * Physical memory with many small segments, and the entries of a process that maps some of them and
 * memory of its own: the input on which strategies of the normal-page test are compared.
 */
public final class NormalPageMachine implements AutoCloseable {
  private static final long RAM_BYTES = 64L << 20;
  private static final long FIRST_SEGMENT = 1L << 30;

  /** Every second page is a segment, so that no two segments are adjacent. */
  private static final long STRIDE = 2 * Pages.SIZE;

  private final EntryLayout layout;
  private final PhysicalMemory memory;
  private final int segments;

  /** A file that repeats the segments. */
  private record SpreadFile(long pages, int segments) implements Mappable {
    @Override
    public String name() {
      return "segments";
    }

    @Override
    public long size() {
      return pages << Pages.SHIFT;
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun(FIRST_SEGMENT + page % segments * STRIDE >>> Pages.SHIFT, 1);
    }
  }

  private NormalPageMachine(EntryLayout layout, PhysicalMemory memory, int segments) {
    this.layout = layout;
    this.memory = memory;
    this.segments = segments;
  }

  /**
   * Boots with segments of one page each.
   *
   * @param layout the architecture's entries
   * @param segments the number of segments, at least 1
   * @return the machine
   * @throws HostException if the host does not give the address space
   */
  public static NormalPageMachine boot(EntryLayout layout, int segments) throws HostException {
    return boot(layout, segments, FIRST_SEGMENT + segments * STRIDE, RAM_BYTES);
  }

  /**
   * Boots with segments of one page each, and room for more.
   *
   * @param layout the architecture's entries
   * @param segments the number of segments, at least 1
   * @param windowBytes the physical memory, with room for the segments from 1 GiB on
   * @param ramBytes the RAM in it, less than 1 GiB
   * @return the machine
   * @throws HostException if the host does not give the address space
   */
  static NormalPageMachine boot(EntryLayout layout, int segments, long windowBytes, long ramBytes)
      throws HostException {
    PhysicalMemory memory = PhysicalMemory.boot(windowBytes, ramBytes);
    try {
      for (int i = 0; i < segments; i++) {
        memory.claim("SEG" + i, AddrRange.ofLength(FIRST_SEGMENT + i * STRIDE, Pages.SIZE), true);
      }
    } catch (RegionBusyException e) {
      memory.close();
      throw new IllegalStateException(e);
    }
    return new NormalPageMachine(layout, memory, segments);
  }

  /**
   * Makes a memory manager with one strategy. Several may share the machine.
   *
   * @param strategy the strategy of its normal-page test
   * @return the memory manager
   */
  public MemoryManager manager(FrameStrategy strategy) {
    return manager(strategy.on(memory, layout));
  }

  /**
   * Makes a memory manager with a strategy of the caller's own.
   *
   * @param strategy a strategy for the machine's memory
   * @return the memory manager
   */
  public MemoryManager manager(NormalFrame strategy) {
    return manager(strategy, Rules.DEFAULT);
  }

  /**
   * Makes a memory manager that keeps to the rules of some release.
   *
   * @param strategy a strategy for the machine's memory
   * @param rules where releases differ
   * @return the memory manager
   */
  MemoryManager manager(NormalFrame strategy, Rules rules) {
    return new MemoryManager(memory, layout, strategy, rules);
  }

  /** {@return the entries of its page tables} */
  public EntryLayout layout() {
    return layout;
  }

  /** {@return the machine's memory} */
  public PhysicalMemory memory() {
    return memory;
  }

  /**
   * Makes an entry without a page frame in the mapping of segments.
   *
   * @param manager a memory manager of this machine
   * @param physical the physical address that it maps
   * @return the entry, marked if the strategy marks entries
   */
  public long entry(MemoryManager manager, long physical) {
    long pte = layout.leaf(physical >>> Pages.SHIFT, Access.READ);
    return manager.marksEntries(mappings()[0]) ? layout.withSpecial(pte) : pte;
  }

  /**
   * {@return two mappings: one of the segments, with MIXEDMAP, and one of memory of the process}
   */
  public Vma[] mappings() {
    Mappable file = ContiguousFile.of(AddrRange.ofLength(FIRST_SEGMENT, segments * STRIDE));
    AddrRange range = AddrRange.ofLength(1L << 32, 1L << 30);
    long flags = VmaFlags.READ | VmaFlags.MAYREAD | VmaFlags.MAYWRITE;
    return new Vma[] {
      new Vma(range, flags | VmaFlags.MIXEDMAP, file, 0), new Vma(range, flags, file, 0)
    };
  }

  /**
   * Makes a file that repeats the segments: page {@code n} is segment {@code n} modulo their
   * number.
   *
   * @param pages the size of the file in pages
   * @return the file
   */
  public Mappable spread(long pages) {
    return new SpreadFile(pages, segments);
  }

  /**
   * Makes entries in runs that belong to the two mappings in turn.
   *
   * @param manager a memory manager of this machine
   * @param count the number of entries
   * @param run the length of a run
   * @return entries of random segments and of random frames
   */
  public long[] entries(MemoryManager manager, int count, int run) {
    Random random = new Random(42);
    long[] entries = new long[count];
    for (int i = 0; i < count; i++) {
      if ((i / run & 1) == 0) {
        entries[i] = entry(manager, FIRST_SEGMENT + random.nextInt(segments) * STRIDE);
      } else {
        entries[i] = ordinaryEntry(random);
      }
    }
    return entries;
  }

  private long ordinaryEntry(Random random) {
    return layout.leaf(1024 + random.nextInt(1024), Access.READ);
  }

  /** Makes entries of random frames, as ordinary memory has them. */
  long[] ordinaryEntries(int count) {
    Random random = new Random(42);
    return LongStream.generate(() -> ordinaryEntry(random)).limit(count).toArray();
  }

  @Override
  public void close() {
    memory.close();
  }
}
