package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.mapping.CachedPages;
import dev.xip.mapping.Mappable;

/**
 * One mapping of an address space. Immutable but for its {@link AnonMemory}. Linux counterpart:
 * {@code struct vm_area_struct}.
 *
 * <p>Lock held by the caller: none needed.
 *
 * @param range the addresses, page aligned, not empty
 * @param flags {@link VmaFlags}
 * @param file the file, or null for anonymous memory
 * @param pageOffset the page of the file that lies at the range's start; for anonymous memory the
 *     page number of the address that it was first mapped at
 * @param anon the private pages in it
 * @param cache the page cache that the file goes through; null for a file used in place and for
 *     anonymous memory
 */
public record Vma(
    AddrRange range,
    long flags,
    Mappable file,
    long pageOffset,
    AnonMemory anon,
    CachedPages cache) {
  /**
   * Makes a mapping that holds no private page yet.
   *
   * @param range the addresses, page aligned, not empty
   * @param flags {@link VmaFlags}
   * @param file what is mapped, or null for anonymous memory
   * @param pageOffset the page of the file that lies at the range's start
   */
  public Vma(AddrRange range, long flags, Mappable file, long pageOffset) {
    this(range, flags, file, pageOffset, new AnonMemory());
  }

  /**
   * Makes a mapping that has private pages in common with others.
   *
   * @param range the addresses, page aligned, not empty
   * @param flags {@link VmaFlags}
   * @param file what is mapped, or null for anonymous memory
   * @param pageOffset the page of the file that lies at the range's start
   * @param anon the private pages
   */
  Vma(AddrRange range, long flags, Mappable file, long pageOffset, AnonMemory anon) {
    this(range, flags, file, pageOffset, anon, file == null ? null : file.cachedPages());
  }

  /**
   * Makes a mapping of anonymous memory. Pages that stay together keep their offset, so that parts
   * can merge again.
   *
   * @param range the addresses, page aligned, not empty
   * @param flags {@link VmaFlags}
   * @return the mapping
   */
  public static Vma anonymous(AddrRange range, long flags) {
    return new Vma(range, flags, null, range.start() >>> Pages.SHIFT);
  }

  /** {@return the access rights of the mapping} */
  public Access access() {
    return VmaFlags.access(flags);
  }

  /**
   * Returns what a new entry allows. A store into a private page has to fault to be copied, and the
   * first store into a shared page of a file in place to be noticed. So entries are writable from
   * the start only in shared mappings with PFNMAP, or of files in RAM, whose dirty pages are not
   * accounted for. Linux counterpart: {@code vm_page_prot}, {@code vma_wants_writenotify}
   * (mm/mmap.c).
   *
   * @return the access rights of {@code vm_page_prot}
   */
  public Access pageAccess() {
    boolean writable =
        (flags & VmaFlags.WRITE) != 0
            && (flags & VmaFlags.SHARED) != 0
            && ((flags & VmaFlags.PFNMAP) != 0 || cache != null);
    // No hardware has pages that may be written but not read.
    boolean readable = (flags & (VmaFlags.READ | VmaFlags.WRITE)) != 0;
    return new Access(readable, writable, (flags & VmaFlags.EXEC) != 0);
  }

  /** {@return whether the mapping is anonymous memory, without a file} */
  public boolean isAnonymous() {
    return file == null;
  }

  /** {@return whether the mapping shows a file whose pages are used in place} */
  public boolean isInPlace() {
    return file != null && cache == null;
  }

  /**
   * Tells whether flags are set.
   *
   * @param wanted {@link VmaFlags}
   * @return true if all of them are
   */
  public boolean has(long wanted) {
    return (flags & wanted) == wanted;
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
    return new Vma(new AddrRange(start, end), flags, file, pageAt(start), anon);
  }

  /**
   * Changes the flags.
   *
   * @param changed all flags of the result
   * @return the mapping with them
   */
  Vma withFlags(long changed) {
    return new Vma(range, changed, file, pageOffset, anon);
  }

  /**
   * The mapping at another place, from one of its addresses on. Anonymous memory without private
   * pages has no history and takes its offset from the new place. Linux counterpart: {@code
   * copy_vma} (mm/mmap.c).
   */
  Vma movedTo(long from, AddrRange to) {
    if (anon.isUsed()) {
      return new Vma(to, flags, file, pageAt(from), anon);
    }
    return isAnonymous() ? anonymous(to, flags) : new Vma(to, flags, file, pageAt(from));
  }

  /**
   * Tells whether another mapping goes on where this one ends, so that both may become one. Linux
   * counterpart: {@code can_vma_merge_after} (mm/mmap.c).
   *
   * @param special the flags of mappings that never merge
   */
  boolean isContinuedBy(Vma next, long special) {
    return range.end() == next.range.start()
        && ((flags ^ next.flags) & ~VmaFlags.STICKY) == 0
        && (flags & special) == 0
        && file == next.file
        && pageAt(range.end()) == next.pageOffset
        && AnonMemory.mayMerge(anon, next.anon);
  }

  /** This mapping and the one that continues it, as one. */
  Vma joined(Vma next) {
    return new Vma(
        new AddrRange(range.start(), next.range.end()),
        flags | next.flags & VmaFlags.STICKY,
        file,
        pageOffset,
        AnonMemory.merged(anon, next.anon));
  }

  /** Prints the mapping as a line of /proc/PID/maps. */
  @Override
  public String toString() {
    String line =
        "%012x-%012x %s %08x"
            .formatted(
                range.start(),
                range.end(),
                VmaFlags.describe(flags),
                file == null ? 0 : pageOffset << Pages.SHIFT);
    return file != null
        ? line + " " + file.name().replace("\n", "\\012")
        : (flags & VmaFlags.GROWSDOWN) != 0 ? line + " [stack]" : line;
  }
}
