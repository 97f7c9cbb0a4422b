package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.DeviceMemory;
import dev.xip.mapping.Mappable;
import dev.xip.mapping.PageRun;
import java.io.IOException;
import java.util.List;

/**
 * mmap and munmap, and the rules of placement that other calls share. Linux: mm/mmap.c.
 *
 * <p>Lock held by the caller: none; the calls take the map lock, exclusively.
 */
final class MappingCalls {
  /** How many mappings a space may have. Linux counterpart: {@code sysctl_max_map_count}. */
  static final int MOST_MAPPINGS = 65530;

  /** Room for a stack above the highest mapping. */
  private static final long STACK_GAP = 128L << 20;

  /** How many runs of a file are examined to find one long enough for huge leaves. */
  private static final int MOST_RUNS_LOOKED_AT = 16;

  /** The offset in bytes must fit into a positive long. */
  private static final long MOST_FILE_PAGES = Long.MAX_VALUE >>> Pages.SHIFT;

  private final Mm mm;
  private final UnmapCall unmapCall;
  private final long limit;
  private final Populate populate;
  private final DeviceMap deviceMap;
  private final long special;
  private final boolean hasFixedNoReplace;

  MappingCalls(Mm mm, UnmapCall unmapCall, Populate populate) {
    this.mm = mm;
    this.unmapCall = unmapCall;
    this.limit = mm.table().layout().addressLimit();
    this.populate = populate;
    this.deviceMap = new DeviceMap(mm, unmapCall);
    Rules rules = mm.manager().rules();
    this.special = VmaFlags.special(rules);
    this.hasFixedNoReplace = rules.has(Rule.FIXED_NOREPLACE);
  }

  /** Linux counterpart: {@code do_mmap_pgoff}. */
  AddrRange map(MapRequest request) throws MapException {
    long length = lengthOf(request);
    AddrRange range;
    long stamp = mm.lockToChange();
    try {
      requireRoom(request, 0);
      range = placeOf(request, length);
      long flags = flagsOf(request);
      Vma added = newMapping(request, range, flags);
      if (!mm.vmas().isFree(range)) {
        unmapCall.unmap(range);
      }
      if (request.file() instanceof DeviceMemory) {
        deviceMap.map(request, added);
      } else {
        mm.install(mm.vmas().with(added));
      }
    } finally {
      mm.unlockExclusively(stamp);
    }
    if (request.has(MapFlag.POPULATE) || request.has(MapFlag.LOCKED)) {
      populate.populateBestEffort(range);
    }
    return range;
  }

  private long lengthOf(MapRequest request) throws MapException {
    if (request.length() <= 0) {
      throw new MapException(Errno.EINVAL, request, "a length of at least 1 byte", "none");
    }
    if (request.length() > limit) {
      throw new MapException(
          Errno.ENOMEM, request, "at most 0x%x bytes".formatted(limit), "more than that");
    }
    long length = Pages.roundUp(request.length());
    long pages = length >>> Pages.SHIFT;
    if (request.file() != null
        && (request.pageOffset() < 0 || request.pageOffset() > MOST_FILE_PAGES - pages)) {
      throw new MapException(
          Errno.EOVERFLOW,
          request,
          "pages of the file in [0, 0x%x)".formatted(MOST_FILE_PAGES),
          "0x%x and 0x%x more".formatted(request.pageOffset(), pages));
    }
    return length;
  }

  private static boolean isInPlace(Mappable file) {
    return file != null && file.cachedPages() == null;
  }

  /** Linux counterpart: {@code get_unmapped_area}. */
  private AddrRange placeOf(MapRequest request, long length) throws MapException {
    long start = request.address();
    boolean mustBeFree = hasFixedNoReplace && request.has(MapFlag.FIXED_NOREPLACE);
    if (request.has(MapFlag.FIXED) || mustBeFree) {
      AddrRange place = fixedPlace(request, start, length);
      if (mustBeFree && !mm.vmas().isFree(place)) {
        throw new MapException(Errno.EEXIST, request, place + " to be free", occupantsOf(place));
      }
      return place;
    }
    if (start != MapRequest.ANYWHERE) {
      long hint = Math.max(Pages.roundDown(start), Mm.LOWEST_ADDRESS);
      if (hint <= limit - length && mm.vmas().isFree(AddrRange.ofLength(hint, length))) {
        return AddrRange.ofLength(hint, length);
      }
    }
    return isInPlace(request.file()) ? freePlaceFor(request, length) : freePlace(request, length);
  }

  /**
   * The highest free place at which the file's first long run can have huge leaves: virtual and
   * physical addresses are congruent there. Linux counterpart: {@code thp_get_unmapped_area}
   * (mm/huge_memory.c), which goes by offsets in the file.
   */
  private AddrRange freePlaceFor(MapRequest request, long length) throws MapException {
    try {
      long page = request.pageOffset();
      long pages = Math.min(length >>> Pages.SHIFT, Pages.covering(request.file().size()) - page);
      long done = 0;
      for (int run = 0; run < MOST_RUNS_LOOKED_AT && done < pages; run++) {
        PageRun place = request.file().translate(page + done);
        long bytes = Math.min(place.pages(), pages - done) << Pages.SHIFT;
        long alignment = HugeLeaves.alignmentFor(mm.manager(), bytes);
        if (!place.isHole() && alignment > Pages.SIZE) {
          long start =
              mm.vmas().highestGap(length + alignment, Mm.LOWEST_ADDRESS, limit - STACK_GAP);
          long wanted = place.pfn() - done << Pages.SHIFT;
          return start < 0
              ? freePlace(request, length)
              : AddrRange.ofLength(
                  start + alignment - (start + alignment - wanted & alignment - 1), length);
        }
        done += place.pages();
      }
    } catch (IOException e) {
      // A file that cannot be read has no preferred place.
      return freePlace(request, length);
    }
    return freePlace(request, length);
  }

  /** Checks a mandatory place; existing mappings there do not matter. */
  AddrRange fixedPlace(Object call, long start, long length) throws MapException {
    if (start < 0 || start > limit - length) {
      throw new MapException(
          Errno.ENOMEM, call, "a place below 0x%x".formatted(limit), "0x%x".formatted(start));
    }
    if (!Pages.isAligned(start)) {
      throw new MapException(Errno.EINVAL, call, "a page's address", "0x%x".formatted(start));
    }
    if (start < Mm.LOWEST_ADDRESS) {
      throw new MapException(
          Errno.EPERM,
          call,
          "an address from 0x%x on".formatted(Mm.LOWEST_ADDRESS),
          "0x%x".formatted(start));
    }
    return AddrRange.ofLength(start, length);
  }

  /** The highest free place. Linux counterpart: {@code unmapped_area_topdown}. */
  AddrRange freePlace(Object call, long length) throws MapException {
    long start = mm.vmas().highestGap(length, Mm.LOWEST_ADDRESS, limit - STACK_GAP);
    if (start < 0) {
      throw new MapException(
          Errno.ENOMEM, call, "a gap of 0x%x bytes in the address space".formatted(length), "none");
    }
    return AddrRange.ofLength(start, length);
  }

  /**
   * The flags of a new mapping. A file opened for reading loses SHARED and MAYWRITE but keeps
   * MAYSHARE.
   */
  private long flagsOf(MapRequest request) throws MapException {
    Access access = request.access();
    Mappable file = request.file();
    boolean shared = request.has(MapFlag.SHARED);
    boolean storable = file == null || (file.isWritable() && !request.has(MapFlag.READ_ONLY_FILE));
    if (shared && access.write() && !storable) {
      throw new MapException(
          Errno.EACCES, request, "read or execute access: the file is read-only", "" + access);
    }
    if (request.has(MapFlag.GROWSDOWN) && (file != null || shared)) {
      throw new MapException(
          Errno.EINVAL, request, "private anonymous memory for a stack", "other");
    }
    long flags =
        VmaFlags.of(access)
            | VmaFlags.MAYREAD
            | VmaFlags.MAYWRITE
            | VmaFlags.MAYEXEC
            | (request.has(MapFlag.GROWSDOWN) ? VmaFlags.GROWSDOWN : 0)
            | (request.has(MapFlag.NORESERVE) ? VmaFlags.NORESERVE : 0);
    if (shared) {
      flags |= VmaFlags.SHARED | VmaFlags.MAYSHARE;
      if (!storable) {
        flags &= ~(VmaFlags.SHARED | VmaFlags.MAYWRITE);
      }
    }
    if (isAccountable(flags)) {
      flags |= VmaFlags.ACCOUNT;
    }
    if (isInPlace(file)) {
      flags |= VmaFlags.MIXEDMAP;
    }
    return request.has(MapFlag.LOCKED) && (flags & special) == 0 ? flags | VmaFlags.LOCKED : flags;
  }

  /** Linux counterpart: {@code accountable_mapping}. */
  static boolean isAccountable(long flags) {
    return (flags & (VmaFlags.NORESERVE | VmaFlags.SHARED | VmaFlags.WRITE)) == VmaFlags.WRITE;
  }

  private Vma newMapping(MapRequest request, AddrRange range, long flags) {
    if (request.file() != null) {
      return new Vma(range, flags, request.file(), request.pageOffset());
    }
    return request.has(MapFlag.SHARED)
        ? new Vma(range, flags, new SharedMemory(mm.manager(), range.length()), 0)
        : Vma.anonymous(range, flags);
  }

  private String occupantsOf(AddrRange range) {
    List<Vma> there = mm.vmas().overlapping(range);
    return there.size() == 1
        ? "%s there".formatted(there.getFirst())
        : "%d mappings there, the first is %s".formatted(there.size(), there.getFirst());
  }

  /** Fails if {@code more} mappings would exceed the limit. */
  void requireRoom(Object call, int more) throws MapException {
    if (mm.vmas().size() + more > MOST_MAPPINGS) {
      throw new MapException(
          Errno.ENOMEM,
          call,
          "at most %d mappings".formatted(MOST_MAPPINGS),
          "%d and %d more".formatted(mm.vmas().size(), more));
    }
  }

  /** Linux counterpart: {@code do_munmap}. */
  void unmap(AddrRange range) throws MapException {
    String call = "munmap " + range;
    requirePages(call, range);
    AddrRange pages = wholePages(range);
    if (pages.length() == 0 || pages.end() > limit) {
      throw new MapException(
          Errno.EINVAL,
          call,
          "at least a page, below 0x%x".formatted(limit),
          "0x%x bytes".formatted(range.length()));
    }
    long stamp = mm.lockToChange();
    try {
      Vma last = mm.vmas().find(pages.end() - 1);
      boolean splits =
          last != null && last.range().start() < pages.start() && pages.end() < last.range().end();
      requireRoom(call, splits ? 1 : 0);
      unmapCall.unmap(pages);
    } finally {
      mm.unlockExclusively(stamp);
    }
  }

  /** Fails unless a range starts at a page boundary. */
  static void requirePages(String call, AddrRange range) throws MapException {
    if (!Pages.isAligned(range.start())) {
      throw new MapException(
          Errno.EINVAL, call, "a page's address", "0x%x".formatted(range.start()));
    }
  }

  /**
   * All pages that a range touches; a range that ends past all addresses is cut at the last page.
   */
  static AddrRange wholePages(AddrRange range) {
    long end = Math.min(range.end(), Pages.roundDown(Long.MAX_VALUE));
    return new AddrRange(Pages.roundDown(Math.min(range.start(), end)), Pages.roundUp(end));
  }
}
