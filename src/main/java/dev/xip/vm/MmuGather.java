package dev.xip.vm;

import dev.xip.pagetable.FlushDuty;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.util.Arrays;

/**
 * Collects the frames whose entries were emptied and the flush that is owed for them; closing it
 * flushes first and frees the frames then. For one thread. Linux counterpart: {@code struct
 * mmu_gather} (asm-generic/tlb.h).
 *
 * <p>Lock held by the caller: the map lock, or the lock of the file's mappings; no entry lock when
 * it is closed.
 */
final class MmuGather implements AutoCloseable {
  private final Mm mm;
  private final FrameAllocator allocator;
  private final PageFrames pageFrames;
  private final boolean dropsAfterFlush;
  private long[] frames = new long[16];
  private int count;
  private FlushDuty duty = FlushDuty.NONE;

  MmuGather(Mm mm) {
    this.mm = mm;
    this.allocator = mm.manager().memory().allocator();
    this.pageFrames = mm.manager().memory().frames();
    this.dropsAfterFlush = mm.manager().rules().has(Rule.MAP_COUNT_DROPS_AFTER_FLUSH);
  }

  /**
   * Takes over the reference of an entry to a frame and, unless the frame is a table, its map
   * count.
   */
  void add(long pfn) {
    duty = FlushDuty.OWED;
    if (!dropsAfterFlush && pageFrames.use(pfn) != FrameUse.TABLE && !wasCounted(pfn)) {
      return;
    }
    if (count == frames.length) {
      frames = Arrays.copyOf(frames, count * 2);
    }
    frames[count++] = pfn;
  }

  /** Takes over a flush duty. */
  void add(FlushDuty more) {
    duty = duty.and(more);
  }

  /**
   * Flushes if that is owed, then drops references and, unless the rules drop them at once, map
   * counts. They too should drop only after the flush: a space that finds itself the only one to
   * map a frame stores into it in place, and no reader of this space may still use an old
   * translation to it.
   */
  @Override
  public void close() {
    mm.flush(duty);
    duty = FlushDuty.NONE;
    for (int i = 0; i < count; i++) {
      if (!dropsAfterFlush
          || pageFrames.use(frames[i]) == FrameUse.TABLE
          || wasCounted(frames[i])) {
        allocator.put(frames[i]);
      }
    }
    count = 0;
  }

  /**
   * Drops the map count of a frame. An entry that was never counted is reported, and its frame
   * keeps its reference: it is not the entry's. Linux counterpart: the check of {@code
   * page_mapcount} in {@code zap_pte_range} (mm/memory.c), after which the kernel drops the
   * reference all the same.
   */
  private boolean wasCounted(long pfn) {
    if (pageFrames.removeMapping(pfn)) {
      return true;
    }
    mm.counters().mapped(pageFrames.use(pfn) == FrameUse.ANONYMOUS);
    mm.manager().badEntries().reportFrame(mm, pfn, pageFrames.use(pfn));
    return false;
  }
}
