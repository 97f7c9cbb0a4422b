package dev.xip.phys;

import dev.xip.base.AddrRange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A part of physical memory that may be stored into. The memory is of an arena of its region's own,
 * which is closed before anything else is mapped there: a store that comes late meets an exception,
 * never memory that is not writable.
 *
 * @param range the physical addresses
 * @param memory the bytes
 * @param arena what the memory belongs to, or null if it is there as long as the window
 */
record StorablePart(AddrRange range, MemorySegment memory, Arena arena) {
  /** Tells whether a range begins in this part. */
  boolean holds(long physical) {
    return physical >= range.start() && physical < range.end();
  }
}
