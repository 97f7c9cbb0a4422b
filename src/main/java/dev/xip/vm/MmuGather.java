package dev.xip.vm;

import dev.xip.phys.FrameAllocator;
import java.util.Arrays;

/**
 * Frames taken out of an address space, held until every cached translation is stale: only then may
 * they be used again. Linux counterpart: {@code struct mmu_gather} (asm-generic/tlb.h).
 */
final class MmuGather {
  private final AddressSpace space;
  private final FrameAllocator allocator;
  private long[] frames = new long[16];
  private int count;

  MmuGather(AddressSpace space, FrameAllocator allocator) {
    this.space = space;
    this.allocator = allocator;
  }

  void add(long pfn) {
    if (count == frames.length) {
      frames = Arrays.copyOf(frames, count * 2);
    }
    frames[count++] = pfn;
  }

  /** Makes translations stale, then drops the references. */
  void finish() {
    space.flushTranslations();
    for (int i = 0; i < count; i++) {
      allocator.put(frames[i]);
    }
    count = 0;
  }
}
