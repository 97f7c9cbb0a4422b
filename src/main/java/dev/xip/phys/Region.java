package dev.xip.phys;

import dev.xip.base.AddrRange;

/**
 * A claimed range of physical memory. Linux counterpart: {@code struct resource}
 * (kernel/resource.c).
 *
 * @param name the claimant, for {@code EBUSY} messages and maps
 * @param range the physical addresses, page aligned
 * @param readOnly whether it may never be written
 */
public record Region(String name, AddrRange range, boolean readOnly) {
  @Override
  public String toString() {
    return "%s %s%s".formatted(range, name, readOnly ? " (read-only)" : "");
  }
}
