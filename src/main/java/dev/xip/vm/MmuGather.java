package dev.xip.vm;

import dev.xip.phys.FrameAllocator;
import java.util.Arrays;

/**
 * Frames taken out of an address space, held until every cached translation is stale: only then may
 * they be used again. For one thread. Linux counterpart: {@code struct mmu_gather}
 * (asm-generic/tlb.h).
 */
final class MmuGather {
  private final AddressSpace space;
  private final FrameAllocator allocator;
  private long[] frames = new long[16];
  private int count;
  private boolean flushNeeded;

  MmuGather(AddressSpace space) {
    this.space = space;
    this.allocator = space.manager().memory().allocator();
  }

  /** Takes over a reference, to be dropped after the flush. */
  void add(long pfn) {
    if (count == frames.length) {
      frames = Arrays.copyOf(frames, count * 2);
    }
    frames[count++] = pfn;
    flushNeeded = true;
  }

  /** Notes that an entry has changed for which nothing is dropped. */
  void noteFlush() {
    flushNeeded = true;
  }

  /** Makes translations stale if anything has changed, then drops the references. */
  void finish() {
    if (flushNeeded) {
      space.flushTranslations();
      flushNeeded = false;
    }
    for (int i = 0; i < count; i++) {
      allocator.put(frames[i]);
    }
    count = 0;
  }
}
