package dev.xip.pagetable;

/**
 * The memory management unit of a processor that walks a {@link PageTable}: it caches translations,
 * and it sets the accessed and dirty bits of present entries at any moment. A hypervisor may keep
 * shadows of the tables for it and not see what is stored into them.
 *
 * <p>Lock held by the caller: that of the entries which it has changed, or none.
 */
public interface Mmu {
  /**
   * Notes that a table has lost a right, a frame or a table below it, or that a page has become a
   * table. Called after the store and before the {@link #flush} that makes the change take effect.
   *
   * @param pfn the frame of the table
   */
  void tableChanged(long pfn);

  /**
   * Flushes: when this returns, user mode uses no translation that was cached before. Waits for the
   * processor, without sleeping, if it runs on another thread. Linux counterpart: {@code
   * flush_tlb_others}.
   */
  void flush();
}
