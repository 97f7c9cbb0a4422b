package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.X8664Layout;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.RamBanks;
import java.io.IOException;
import java.util.function.Function;

/** A machine with one segment, mappings of every kind, and their entries. */
final class FrameFixture implements AutoCloseable {
  static final long MIB = 1L << 20;
  static final X8664Layout LAYOUT = X8664Layout.INSTANCE;
  static final AddrRange SEGMENT = new AddrRange(512 * MIB, 516 * MIB);
  static final long SEGMENT_PFN = SEGMENT.start() >>> Pages.SHIFT;
  static final long START = 0x10_0000;
  static final long COW = VmaFlags.READ | VmaFlags.MAYREAD | VmaFlags.MAYWRITE;
  static final long SHARED = COW | VmaFlags.SHARED | VmaFlags.MAYSHARE;

  final PhysicalMemory memory;
  final MemoryManager manager;

  /** A frame of RAM that is in use. */
  final long frame;

  /** The segment as a file. */
  final Mappable file = new SegmentFile();

  private static final class SegmentFile implements Mappable {
    @Override
    public String name() {
      return "segment-file";
    }

    @Override
    public long size() {
      return SEGMENT.length();
    }

    @Override
    public PageRun translate(long page) {
      return new PageRun(SEGMENT_PFN + page, 1);
    }
  }

  FrameFixture(FrameStrategy strategy) throws IOException {
    this(strategy, RamBanks.of(4 * MIB));
  }

  FrameFixture(FrameStrategy strategy, RamBanks banks) throws IOException {
    this(memory -> strategy.on(memory, LAYOUT), strategy.memMap(banks, LAYOUT), Rules.DEFAULT);
  }

  FrameFixture(Function<PhysicalMemory, NormalFrame> strategy) throws IOException {
    this(strategy, RamBanks.of(4 * MIB), Rules.DEFAULT);
  }

  FrameFixture(Function<PhysicalMemory, NormalFrame> strategy, Rules rules) throws IOException {
    this(strategy, RamBanks.of(4 * MIB), rules);
  }

  private FrameFixture(Function<PhysicalMemory, NormalFrame> strategy, RamBanks banks, Rules rules)
      throws IOException {
    memory = PhysicalMemory.boot(1024 * MIB, banks);
    memory.claim("SEGMENT", SEGMENT, true);
    manager = new MemoryManager(memory, LAYOUT, strategy.apply(memory), rules);
    frame = memory.allocator().allocate(FrameUse.ANONYMOUS);
  }

  Vma vma(long flags, long pageOffset) {
    return new Vma(AddrRange.ofLength(START, SEGMENT.length()), flags, file, pageOffset);
  }

  Vma mixed() {
    return vma(COW | VmaFlags.MIXEDMAP, 0);
  }

  Vma ordinary() {
    return vma(COW, 0);
  }

  /** An entry for a page that is not counted, as this machine makes it. */
  long raw(long pfn) {
    return manager.marksEntries(mixed()) ? LAYOUT.withSpecial(normal(pfn)) : normal(pfn);
  }

  static long normal(long pfn) {
    return LAYOUT.leaf(pfn, Access.READ);
  }

  /** A slot anywhere in RAM, so that its table page can be locked. */
  long slot() {
    return frame << Pages.SHIFT;
  }

  @Override
  public void close() {
    memory.close();
  }
}
