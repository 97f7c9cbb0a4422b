package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Walk;
import java.io.IOException;

/**
 * Faults pages in before they are accessed. A private writable page is copied at once, as by a
 * store, and so loses its sharing. Linux counterpart: {@code __mm_populate} and {@code
 * __mlock_vma_pages_range} (mm/mlock.c).
 *
 * <p>Lock held by the caller: none; it takes the map lock, shared, for each page.
 */
final class Populate {
  private final Mm mm;
  private final FaultHandler faults;
  private final EntryLayout layout;
  private final boolean passesSpecial;
  private final boolean locksSpecial;
  private final boolean sparesShared;

  /** What mlock answers for a page that cannot be faulted in. */
  private final Errno noPage;

  Populate(Mm mm, FaultHandler faults) {
    this.mm = mm;
    this.faults = faults;
    this.layout = mm.table().layout();
    Rules rules = mm.manager().rules();
    this.passesSpecial = rules.has(Rule.POPULATE_PASSES_SPECIAL);
    this.locksSpecial = rules.has(Rule.MLOCK_PASSES_SPECIAL);
    this.sparesShared = rules.has(Rule.POPULATE_SPARES_SHARED);
    this.noPage = rules.has(Rule.MLOCK_ANSWERS_ENOMEM) ? Errno.ENOMEM : Errno.EFAULT;
  }

  /** Faults pages in; each mapping up to the first page that cannot be faulted in. */
  void populateBestEffort(AddrRange range) {
    for (Vma vma : mm.vmas().overlapping(range)) {
      if (!vma.isInPlace() || wantedOf(vma).write() || isDevice(vma) || !passesSpecial) {
        populate(vma, range, passesSpecial);
      } else {
        fill(vma, range);
      }
    }
  }

  /**
   * Fills the entries of a file in bulk, and faults holes in. Special entries do not stop it, as
   * the caller asks for no page frames. Linux counterpart: {@code populate_vma_page_range}
   * (mm/gup.c) since 4.0.
   */
  private void fill(Vma vma, AddrRange range) {
    Access wanted = wantedOf(vma);
    long end = Math.min(range.end(), vma.range().end());
    long va = Math.max(range.start(), vma.range().start());
    try {
      while (va < end && !wanted.equals(Access.NONE)) {
        va = fillOnce(va, end);
        if (va < end) {
          if (faults.fault(va, wanted, false) instanceof FaultResult.Refused) {
            return;
          }
          va += Pages.SIZE;
        }
      }
    } catch (IOException e) {
      // A later fault on the page will report it; this call reports nothing.
      return;
    }
  }

  private long fillOnce(long va, long end) throws IOException {
    long stamp = mm.lockShared();
    try {
      Vma vma = mm.find(va);
      return vma == null || !vma.isInPlace()
          ? va
          : faults.fileFault().fill(vma, va, Math.min(end, vma.range().end()), false);
    } finally {
      mm.unlockShared(stamp);
    }
  }

  /**
   * Fills the entries of pages in place that lie in memory, and skips the others; reads pages that
   * go through a page cache in, without entries. The map lock is held shared. Linux counterpart:
   * {@code madvise_willneed} (mm/madvise.c), which has no entries to fill but reads ahead.
   */
  void populateResident(Vma vma, AddrRange part) {
    if (vma.cache() != null) {
      vma.cache().readAhead(vma.pageAt(part.start()), part.length() >>> Pages.SHIFT);
      return;
    }
    if (vma.isAnonymous() || !vma.has(VmaFlags.MIXEDMAP) || vma.access().equals(Access.NONE)) {
      return;
    }
    try {
      faults.fileFault().fill(vma, part.start(), part.end(), true);
    } catch (IOException e) {
      // Advice reports nothing; a later fault on the page will.
      return;
    }
  }

  /**
   * Faults all pages in, or throws at the first that cannot be faulted in, or, by the rules of
   * older releases, that has no page frame.
   */
  void populateOrThrow(String call, AddrRange range) throws MapException {
    for (Vma vma : mm.vmas().overlapping(range)) {
      Errno errno = populate(vma, range, locksSpecial);
      if (errno != Errno.OK) {
        throw new MapException(
            errno, call, "a page frame for every page", "a page without one in " + vma);
      }
    }
  }

  /**
   * OK if all pages are there now, else the error of mlock.
   *
   * @param passes whether a page without a frame will do
   */
  private Errno populate(Vma vma, AddrRange range, boolean passes) {
    if (isDevice(vma)) {
      return Errno.OK;
    }
    Access wanted = wantedOf(vma);
    if (wanted.equals(Access.NONE)) {
      return noPage;
    }
    long end = Math.min(range.end(), vma.range().end());
    Walk walk = new Walk();
    for (long va = Math.max(range.start(), vma.range().start()); va < end; va += Pages.SIZE) {
      while (!isMapped(va, wanted, walk)) {
        if (faults.fault(va, wanted, false) instanceof FaultResult.Refused refused) {
          return refused.cause() instanceof MemoryFaultException.OutOfMemory
              ? Errno.EAGAIN
              : noPage;
        }
      }
      if (!passes && isWithoutFrame(vma, va, walk.pte())) {
        return noPage;
      }
    }
    return Errno.OK;
  }

  /** Whether the mapping is passed over. Linux counterpart: {@code __mm_populate} (mm/mlock.c). */
  private static boolean isDevice(Vma vma) {
    return (vma.flags() & (VmaFlags.IO | VmaFlags.PFNMAP)) != 0;
  }

  /** WRITE where a store makes a private copy; elsewhere any right of the mapping. */
  private Access wantedOf(Vma vma) {
    Access access = vma.access();
    if (access.write() && !(sparesShared && vma.has(VmaFlags.SHARED))) {
      return Access.WRITE;
    }
    return access.read()
        ? Access.READ
        : access.execute() ? Access.EXECUTE : access.write() ? Access.WRITE : Access.NONE;
  }

  /** The space may have been closed since its mappings were looked at; its tables are gone then. */
  private boolean isMapped(long va, Access wanted, Walk walk) {
    long stamp = mm.lockShared();
    try {
      return !mm.isClosed()
          && mm.table().walk(va, walk)
          && layout.isValid(walk.pte(), walk.level())
          && (!wanted.write() || layout.isWritable(walk.pte()));
    } finally {
      mm.unlockShared(stamp);
    }
  }

  /**
   * Whether get_user_pages would refuse the entry (EFAULT): a special one other than the zero
   * page's.
   */
  private boolean isWithoutFrame(Vma vma, long va, long pte) {
    return (vma.flags() & VmaFlags.MIXEDMAP) != 0
        && !layout.isDevmap(pte)
        && mm.manager().normalFrame(vma, va, pte) == MemoryManager.NO_FRAME;
  }
}
