package dev.xip.vm;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;

/**
 * mremap: shrinks, grows and moves mappings; their entries move unchanged. Linux counterpart:
 * mm/mremap.c.
 *
 * <p>Lock held by the caller: none; it takes the map lock, exclusively.
 */
final class RemapCall {
  /** A move may split one mapping in three, and adds one. */
  private static final int MAPPINGS_TO_SPARE = 3;

  private final Mm mm;
  private final MappingCalls mappings;
  private final UnmapCall unmapCall;
  private final long limit;
  private final LeafMover mover;
  private final Populate populate;
  private final boolean checksFirst;
  private final boolean growthMerges;

  RemapCall(Mm mm, MappingCalls mappings, UnmapCall unmapCall, Populate populate) {
    this.mm = mm;
    this.mappings = mappings;
    this.unmapCall = unmapCall;
    this.limit = mm.table().layout().addressLimit();
    this.mover = new LeafMover(mm);
    this.populate = populate;
    this.checksFirst = mm.manager().rules().has(Rule.MREMAP_CHECKS_FIRST);
    this.growthMerges = mm.manager().rules().has(Rule.MREMAP_GROWTH_MERGES);
  }

  AddrRange remap(RemapRequest request) throws MapException {
    String call = request.toString();
    MappingCalls.requirePages(call, request.old());
    if (request.newLength() <= 0 || request.newLength() > Pages.roundDown(Long.MAX_VALUE)) {
      throw new MapException(
          Errno.EINVAL, call, "a new length of at least 1 byte", "none or too many");
    }
    AddrRange old = MappingCalls.wholePages(request.old());
    long newLength = Pages.roundUp(request.newLength());
    AddrRange now;
    boolean locked;
    long stamp = mm.lockToChange();
    try {
      now =
          request.target() != RemapRequest.ANYWHERE
              ? moveTo(call, old, newLength, request.target())
              : old.length() >= newLength
                  ? shrink(call, old, newLength)
                  : grow(call, old, newLength, request.mayMove());
      Vma vma = mm.vmas().find(now.start());
      locked = vma != null && vma.has(VmaFlags.LOCKED);
    } finally {
      mm.unlockExclusively(stamp);
    }
    if (locked && newLength > old.length()) {
      populate.populateBestEffort(new AddrRange(now.start() + old.length(), now.end()));
    }
    return now;
  }

  /** As in the kernel, the part that stays is not checked to be mapped. */
  private AddrRange shrink(String call, AddrRange old, long newLength) throws MapException {
    requireBelowLimit(call, old);
    AddrRange stays = AddrRange.ofLength(old.start(), newLength);
    if (stays.end() < old.end()) {
      unmapCall.unmap(new AddrRange(stays.end(), old.end()));
    }
    return stays;
  }

  private AddrRange grow(String call, AddrRange old, long newLength, boolean mayMove)
      throws MapException {
    Vma vma = resizable(call, old, newLength);
    if (old.end() == vma.range().end() && newLength <= limit - old.start()) {
      AddrRange more = new AddrRange(old.end(), old.start() + newLength);
      if (mm.vmas().isFree(more)) {
        Vma grown = new Vma(more, vma.flags(), vma.file(), vma.pageAt(old.end()), vma.anon());
        mm.install(mm.vmas().grown(vma, grown, growthMerges));
        return AddrRange.ofLength(old.start(), newLength);
      }
    }
    if (!mayMove) {
      throw new MapException(Errno.ENOMEM, call, "room behind the mapping, or MAYMOVE", "neither");
    }
    return move(call, vma, old, mappings.freePlace(call, newLength));
  }

  /**
   * Linux counterpart: {@code mremap_to}. The old range is checked before the target is cleared,
   * or, by the rules of older releases, when the target is empty.
   */
  private AddrRange moveTo(String call, AddrRange old, long newLength, long start)
      throws MapException {
    if (!Pages.isAligned(start) || newLength > limit || start < 0 || start > limit - newLength) {
      throw new MapException(
          Errno.EINVAL,
          call,
          "a page-aligned address and an end of at most 0x%x".formatted(limit),
          "0x%x".formatted(start));
    }
    AddrRange target = mappings.fixedPlace(call, start, newLength);
    if (target.overlaps(old) || target.contains(old.start())) {
      throw new MapException(Errno.EINVAL, call, "a place apart from the old one", "" + target);
    }
    AddrRange kept = AddrRange.ofLength(old.start(), Math.min(old.length(), newLength));
    if (checksFirst) {
      requireBelowLimit(call, old);
      resizable(call, kept, newLength);
    }
    mappings.requireRoom(call, MAPPINGS_TO_SPARE);
    unmapCall.unmap(target);
    if (!checksFirst) {
      requireBelowLimit(call, old);
    }
    if (kept.end() < old.end()) {
      unmapCall.unmap(new AddrRange(kept.end(), old.end()));
    }
    return move(call, resizable(call, kept, newLength), kept, target);
  }

  private void requireBelowLimit(String call, AddrRange old) throws MapException {
    if (old.end() > limit) {
      throw new MapException(Errno.EINVAL, call, "a range below 0x%x".formatted(limit), "" + old);
    }
  }

  /** The mapping that holds a range, if its length may change. Linux: {@code vma_to_resize}. */
  private Vma resizable(String call, AddrRange old, long newLength) throws MapException {
    Vma vma = mm.vmas().find(old.start());
    if (vma == null || old.end() > vma.range().end()) {
      throw new MapException(
          Errno.EFAULT, call, "one mapping", vma == null ? "none there" : "no more than " + vma);
    }
    if (newLength > old.length()) {
      if ((vma.flags() & (VmaFlags.DONTEXPAND | VmaFlags.PFNMAP)) != 0) {
        throw new MapException(
            Errno.EFAULT, call, "a mapping that may grow", VmaFlags.letters(vma.flags()));
      }
      if (vma.pageAt(old.start()) > (Long.MAX_VALUE - newLength) >>> Pages.SHIFT) {
        throw new MapException(
            Errno.EINVAL, call, "an offset that can be addressed", "" + vma.pageAt(old.start()));
      }
    }
    return vma;
  }

  /** Linux counterpart: {@code move_vma}. */
  private AddrRange move(String call, Vma vma, AddrRange from, AddrRange to) throws MapException {
    mappings.requireRoom(call, MAPPINGS_TO_SPARE);
    mm.install(mm.vmas().with(vma.movedTo(from.start(), to)));
    long done = mover.move(vma, from.start(), to.start(), from.length());
    if (done < from.length()) {
      // The tables of the old place still exist, so moving back cannot fail.
      mover.move(vma, to.start(), from.start(), done);
      unmapCall.unmap(to);
      throw new MapException(
          Errno.ENOMEM,
          call,
          "frames of RAM for page tables",
          "none after 0x%x bytes".formatted(done));
    }
    if (from.length() > 0) {
      unmapCall.unmap(from);
    }
    return to;
  }
}
