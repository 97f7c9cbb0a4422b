package dev.xip.phys;

import dev.xip.base.AddrRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A part of physical memory that may be stored into. Its memory belongs to its region's arena,
 * which is closed before anything else is mapped there: a later store throws and never reaches
 * memory that is not writable.
 *
 * @param range the physical addresses
 * @param memory the bytes
 * @param arena the region's arena; null for RAM, which lives as long as the window
 */
record StorablePart(AddrRange range, MemorySegment memory, Arena arena) {
  /** Tells whether a range begins in this part. */
  boolean holds(long physical) {
    return physical >= range.start() && physical < range.end();
  }
}
