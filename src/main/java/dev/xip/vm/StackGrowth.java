package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.base.Pages;

/**
 * Grows a stack at a fault below it. One page between a stack and the mapping below it stays free.
 * Linux counterpart: {@code expand_downwards} (mm/mmap.c).
 *
 * <p>Lock held by the caller: the map lock; exclusively to install the list that {@link #grown}
 * returns.
 */
final class StackGrowth {
  /**
   * The longest stack in bytes unless it is limited otherwise. Linux counterpart: the default of
   * RLIMIT_STACK.
   */
  static final long LIMIT = 8L << 20;

  private StackGrowth() {}

  /** The stack that would hold the address if it grew, or null. */
  static Vma stackAbove(VmaList vmas, long va) {
    Vma next = vmas.findNext(va);
    return next != null && va < next.range().start() && next.has(VmaFlags.GROWSDOWN) ? next : null;
  }

  /** The mappings with the stack grown down to an address, or null if it may not grow that far. */
  static VmaList grown(VmaList vmas, Vma stack, long va, long limit) {
    long start = Pages.roundDown(va);
    if (stack.range().end() - start > limit
        || start < Mm.LOWEST_ADDRESS
        || vmas.endBefore(start, 0) > start - Pages.SIZE) {
      return null;
    }
    Vma longer =
        new Vma(
            new AddrRange(start, stack.range().end()),
            stack.flags(),
            stack.file(),
            stack.pageOffset() - (stack.range().start() - start >>> Pages.SHIFT),
            stack.anon());
    return vmas.without(stack.range()).with(longer);
  }
}
