package dev.xip.vm;

import dev.xip.pagetable.FlushDuty;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.util.Arrays;

/**
 * Frames taken out of an address space, held until every cached translation is stale: only then may
 * they be used again. For one thread. Linux counterpart: {@code struct mmu_gather}
 * (asm-generic/tlb.h).
 */
final class MmuGather implements AutoCloseable {
  private final Mm mm;
  private final FrameAllocator allocator;
  private final PageFrames pageFrames;
  private long[] frames = new long[16];
  private int count;
  private FlushDuty duty = FlushDuty.NONE;

  MmuGather(Mm mm) {
    this.mm = mm;
    this.allocator = mm.manager().memory().allocator();
    this.pageFrames = mm.manager().memory().frames();
  }

  /** Takes over what an entry counted for: a reference and, unless it led to a table, a mapping. */
  void add(long pfn) {
    if (count == frames.length) {
      frames = Arrays.copyOf(frames, count * 2);
    }
    frames[count++] = pfn;
    duty = FlushDuty.OWED;
  }

  /** Takes over what is owed for an entry. */
  void add(FlushDuty more) {
    duty = duty.and(more);
  }

  /**
   * Makes translations stale if anything has changed, then drops what was counted. The map count
   * too: once it says that a frame is mapped by one space alone, that space stores into it in
   * place, and nobody may then be reading it here through a translation of before.
   */
  @Override
  public void close() {
    mm.flush(duty);
    duty = FlushDuty.NONE;
    for (int i = 0; i < count; i++) {
      if (pageFrames.use(frames[i]) != FrameUse.TABLE) {
        pageFrames.removeMapping(frames[i]);
      }
      allocator.put(frames[i]);
    }
    count = 0;
  }
}
