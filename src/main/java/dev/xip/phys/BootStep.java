package dev.xip.phys;

/**
 * How far the boot of {@link PhysicalMemory} has come. The kernel asks pfn_valid from the second
 * step on, which is objection d of January 2008: a list that a later step fills is asked while it
 * is empty.
 */
public enum BootStep {
  /** Static data is zero and nothing is known. */
  START,
  /** The mem_map, the sections and the kernel's own mapping exist ({@code paging_init}). */
  STATIC_TABLES,
  /** The banks of RAM are on {@code mem_segs}, by a core_initcall. */
  MEMORY_CHUNKS,
  /** Segments may be loaded. Each is then on {@code mem_segs} too, and in the kernel's mapping. */
  SEGMENTS
}
