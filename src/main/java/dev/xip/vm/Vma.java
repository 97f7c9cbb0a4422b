package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.Mappable;

/**
 * One mapping of an address space. Linux counterpart: {@code struct vm_area_struct}.
 *
 * @param range the addresses, page aligned, not empty
 * @param flags {@link VmaFlags}
 * @param file what is mapped
 * @param pageOffset the page of the file that lies at the range's start
 */
public record Vma(AddrRange range, long flags, Mappable file, long pageOffset) {
  /**
   * Returns what the mapping allows now.
   *
   * @return the access rights
   */
  public Access access() {
    return VmaFlags.access(flags);
  }

  /**
   * Returns the page of the file that lies at an address.
   *
   * @param va an address inside the range
   * @return the page's number in the file
   */
  public long pageAt(long va) {
    return pageOffset + (va - range.start() >>> Pages.SHIFT);
  }

  /**
   * Cuts the mapping to a part of itself.
   *
   * @param start the first address that stays
   * @param end the address after the last
   * @return the part, at the same bytes of the file
   */
  Vma cut(long start, long end) {
    return new Vma(new AddrRange(start, end), flags, file, pageAt(start));
  }

  /** Prints the mapping as a line of /proc/PID/maps. */
  @Override
  public String toString() {
    return "%012x-%012x %s %08x %s"
        .formatted(
            range.start(),
            range.end(),
            VmaFlags.describe(flags),
            pageOffset << Pages.SHIFT,
            file.name());
  }
}
