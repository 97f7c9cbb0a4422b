package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.base.Pfn;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PageFrames;
import java.util.Arrays;

/**
 * Gives out the page frames behind addresses, each with a reference that the caller gives back;
 * direct I/O, debuggers and exec use it. A page without a page frame cannot be given out: it is
 * EFAULT, the price of the special bit. For one thread. Linux counterpart: {@code __get_user_pages}
 * and {@code follow_page} (mm/gup.c), {@code gup_pte_range} (arch/x86/mm/gup.c), {@code follow_pfn}
 * (mm/memory.c).
 *
 * <p>No lock is held while a page is faulted in, so the mapping is looked up again for each try.
 *
 * <p>Lock held by the caller: none; it takes the map lock, shared, for each page.
 */
public final class GetUserPages {
  /** The answer of {@link #followPage} if a fault may help. */
  private static final long MUST_FAULT = -2;

  /**
   * How many faults on one page the loop of old releases makes before it is reported; the kernel
   * made them for ever.
   */
  private static final int MOST_FAULTS = 1000;

  /** The initial room for frames. */
  private static final int FIRST_ROOM = 256;

  private final Mm mm;
  private final FaultHandler faults;
  private final MemoryManager manager;
  private final PageTable table;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final FrameAllocator allocator;
  private final boolean refusesSpecial;
  private final boolean forceNeedsCow;
  private final boolean hasFastWay;

  /** The error for an entry without a page frame. */
  private final Errno noFrame;

  private final Walk walk = new Walk();

  GetUserPages(Mm mm, FaultHandler faults) {
    this.mm = mm;
    this.faults = faults;
    this.manager = mm.manager();
    this.table = mm.table();
    this.layout = table.layout();
    this.frames = manager.memory().frames();
    this.allocator = manager.memory().allocator();
    Rules rules = manager.rules();
    this.refusesSpecial = rules.has(Rule.GET_USER_PAGES_ENDS);
    this.forceNeedsCow = rules.has(Rule.FORCED_STORE_NEEDS_PRIVATE);
    this.hasFastWay = manager.usesSpecialBit() && rules.has(Rule.FAST_GET_USER_PAGES);
    this.noFrame = rules.has(Rule.GET_USER_PAGES_ANSWERS_EEXIST) ? Errno.EEXIST : Errno.EFAULT;
  }

  /**
   * Finds the frames behind addresses, faulting them in as need be. Linux counterpart: {@code
   * get_user_pages}.
   *
   * @param va an address in the first page
   * @param count how many pages, at least 0
   * @param write whether they will be stored into: private ones are copied first
   * @param force whether rights that the mapping could be given are enough, as for a debugger;
   *     storing then needs a private mapping
   * @param pfns receives the frames, as many as there are pages; each has a reference more, to be
   *     given back with {@link FrameAllocator#put}
   * @return how many frames there are: fewer than asked for if a later page has none
   * @throws MapException if the first page has none. EFAULT: no mapping, or one of I/O memory or
   *     page frame numbers, or rights that are missing, a fault that ends in a signal, an entry
   *     without a page frame (EEXIST by the rules of 5.18). ENOMEM: RAM is used up
   * @throws IllegalArgumentException if the count is negative or there is no room for the frames
   */
  public int getUserPages(long va, int count, boolean write, boolean force, long[] pfns)
      throws MapException {
    requireRoom(count, pfns);
    return getUserPages(va, 0, count, write, force, pfns);
  }

  /**
   * Finds the frames behind addresses, without any lock as far as they are mapped with the rights
   * needed. It sees entries only, never mappings, so it needs the special bit: with another
   * strategy, or by rules without it, every page takes the slow path. From the first page on that
   * is not mapped with the rights needed, the rest takes the slow path too. Linux counterpart:
   * {@code get_user_pages_fast}.
   *
   * @param va an address in the first page
   * @param count how many pages, at least 0
   * @param write whether they will be stored into
   * @param pfns receives the frames; each has a reference more
   * @return how many frames there are: fewer than asked for if a later page has none
   * @throws MapException as {@link #getUserPages} does, if the first page has none
   * @throws IllegalArgumentException if the count is negative or there is no room for the frames
   */
  public int getUserPagesFast(long va, int count, boolean write, long[] pfns) throws MapException {
    requireRoom(count, pfns);
    int done = 0;
    if (hasFastWay) {
      while (done < count && tryFast(pageAt(va, done), write, pfns, done)) {
        done++;
      }
    }
    return getUserPages(va, done, count, write, false, pfns);
  }

  /**
   * Pins the frames behind addresses until they are released.
   *
   * @param va an address in the first page
   * @param count how many pages, at least 0
   * @param write whether they will be stored into
   * @param force whether rights that the mapping could be given are enough
   * @return the frames: fewer than asked for if a later page has none
   * @throws MapException as {@link #getUserPages} does, if the first page has none
   * @throws IllegalArgumentException if the count is negative
   */
  public PinnedPages pin(long va, int count, boolean write, boolean force) throws MapException {
    if (count < 0) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message("%d pages: expected at least 0", count));
    }
    // The room grows with the frames found, as the count may be too large for an array.
    long[] pfns = new long[Math.min(count, FIRST_ROOM)];
    int got = getUserPages(va, 0, pfns.length, write, force, pfns);
    while (got == pfns.length && got < count) {
      pfns = Arrays.copyOf(pfns, (int) Math.min(count, 2L * got));
      got = getUserPages(va, got, pfns.length, write, force, pfns);
    }
    return new PinnedPages(manager, pfns, got, write);
  }

  /**
   * Finds the page frame number at an address of I/O memory, without a reference. A MIXEDMAP
   * mapping is refused. Linux counterpart: {@code follow_pfn} (mm/memory.c).
   *
   * @param va the address
   * @return the number
   * @throws MapException EINVAL if the mapping has neither IO nor PFNMAP, or nothing is mapped
   */
  public Pfn followPfn(long va) throws MapException {
    String call = "follow_pfn at 0x%x in %s".formatted(va, mm.name());
    long stamp = mm.lockShared();
    try {
      Vma vma = mm.find(va);
      if (vma == null || (vma.flags() & (VmaFlags.IO | VmaFlags.PFNMAP)) == 0) {
        throw new MapException(
            Errno.EINVAL,
            call,
            "a mapping with IO or PFNMAP",
            vma == null ? "no mapping" : vma.toString());
      }
      long pte = lockedEntry(va);
      if (!layout.isPresent(pte)) {
        throw new MapException(
            Errno.EINVAL, call, "a present entry", "entry 0x%x in %s".formatted(pte, vma));
      }
      return new Pfn(layout.pfn(pte));
    } finally {
      mm.unlockShared(stamp);
    }
  }

  private long lockedEntry(long va) {
    if (!table.walk(va, walk) || walk.level() != Level.PTE) {
      return layout.empty();
    }
    manager.lockEntry(walk.slot());
    try {
      return table.get(walk.slot());
    } finally {
      manager.unlockEntry(walk.slot());
    }
  }

  private static void requireRoom(int count, long[] pfns) {
    if (count < 0 || count > pfns.length) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "%d pages: expected 0..%d, the room for their frames", count, pfns.length));
    }
  }

  private static long pageAt(long va, int index) {
    return Pages.roundDown(va) + ((long) index << Pages.SHIFT);
  }

  private int getUserPages(long va, int first, int count, boolean write, boolean force, long[] pfns)
      throws MapException {
    for (int done = first; done < count; done++) {
      try {
        pfns[done] = getPage(pageAt(va, done), write, force);
      } catch (MapException e) {
        if (done > 0) {
          return done;
        }
        throw e;
      } catch (IllegalStateException bug) {
        for (int i = 0; i < done; i++) {
          allocator.put(pfns[i]);
        }
        throw bug;
      }
    }
    return count;
  }

  private long getPage(long va, boolean write, boolean force) throws MapException {
    boolean copied = false;
    for (int faulted = 0; ; faulted++) {
      long stamp = mm.lockShared();
      try {
        Vma vma = mm.find(va);
        if (vma != null) {
          requireGate(vma, va, write, force);
          long pfn = followPage(vma, va, write, copied);
          if (pfn != MUST_FAULT) {
            return pfn;
          }
        } else if (StackGrowth.stackAbove(mm.vmas(), va) == null) {
          throw refused(Errno.EFAULT, va, "a mapping", "none");
        }
      } finally {
        mm.unlockShared(stamp);
      }
      if (!refusesSpecial && faulted == MOST_FAULTS) {
        throw new IllegalStateException(
            "BUG: get_user_pages at 0x%x in %s: expected a page frame, found none after %d faults"
                .formatted(va, mm.name(), faulted));
      }
      copied = faultIn(va, write, force);
      manager.reached(Step.FAULTED_IN);
    }
  }

  /** Linux counterpart: {@code check_vma_flags}. Mixed mappings pass. */
  private void requireGate(Vma vma, long va, boolean write, boolean force) throws MapException {
    if ((vma.flags() & (VmaFlags.IO | VmaFlags.PFNMAP)) != 0) {
      throw refused(Errno.EFAULT, va, "a mapping without IO and PFNMAP", vma.toString());
    }
    boolean allowed =
        write
            ? vma.has(VmaFlags.WRITE) || (force && mayForce(vma))
            : vma.has(VmaFlags.READ) || (force && vma.has(VmaFlags.MAYREAD));
    if (!allowed) {
      throw refused(Errno.EFAULT, va, write ? "write access" : "read access", vma.toString());
    }
  }

  /** Whether a store may be forced. A shared mapping then gets a private copy. */
  private boolean mayForce(Vma vma) {
    return forceNeedsCow ? VmaFlags.isCow(vma.flags()) : vma.has(VmaFlags.MAYWRITE);
  }

  /** Whether the fault has made the page private to this space, whatever the entry allows. */
  private boolean faultIn(long va, boolean write, boolean force) throws MapException {
    FaultResult result = faults.fault(va, write ? Access.WRITE : Access.READ, force);
    if (result instanceof FaultResult.Refused refused) {
      MapException error =
          refused(
              refused.cause() instanceof MemoryFaultException.OutOfMemory
                  ? Errno.ENOMEM
                  : Errno.EFAULT,
              va,
              "a page that can be faulted in",
              refused.cause().getMessage());
      error.initCause(refused.cause());
      throw error;
    }
    return result == FaultResult.Handled.COPIED || result == FaultResult.Handled.REUSED;
  }

  /**
   * Looks at one entry and takes a reference to its frame, all under the entry lock. The order of
   * the checks matters for debuggers: that an entry is not writable is checked before that it has
   * no page frame, so a forced store into a private page of a file copies the page, and the next
   * look finds the copy. Linux counterpart: {@code follow_page_pte} (mm/gup.c).
   *
   * @param copied whether the last fault made the page private to this space
   */
  private long followPage(Vma vma, long va, boolean write, boolean copied) throws MapException {
    if (!table.walk(va, walk)) {
      return MUST_FAULT;
    }
    if (walk.level() != Level.PTE) {
      if (write || !refusesSpecial) {
        return MUST_FAULT;
      }
      throw refused(noFrame, va, "an entry with a page frame", "a huge leaf in " + vma);
    }
    long slot = walk.slot();
    manager.lockEntry(slot);
    try {
      long pte = table.get(slot);
      // s390x of 2008 has no bit against stores in an entry without any right.
      boolean writable = layout.isWritable(pte) && vma.has(VmaFlags.WRITE);
      if (!layout.isPresent(pte) || (write && !writable && !(copied && !vma.has(VmaFlags.WRITE)))) {
        return MUST_FAULT;
      }
      long pfn = manager.normalFrame(vma, va, pte);
      if (write && !writable && !isOwn(pfn)) {
        return MUST_FAULT;
      }
      if (pfn == MemoryManager.NO_FRAME) {
        if (layout.isDevmap(pte) && frames.tryGet(layout.pfn(pte))) {
          return layout.pfn(pte);
        }
        if (layout.pfn(pte) != manager.zeroPfn()) {
          if (!refusesSpecial) {
            return MUST_FAULT;
          }
          throw refused(
              noFrame,
              va,
              "an entry with a page frame",
              "entry 0x%x (%s) in %s".formatted(pte, layout.describe(pte), vma));
        }
        pfn = manager.zeroPfn();
      }
      frames.get(pfn);
      return pfn;
    } finally {
      manager.unlockEntry(slot);
    }
  }

  /**
   * Whether a store through an entry that does not allow it is seen by this space alone. A copy
   * made by the last fault does not suffice: another thread may have dropped it since, so that the
   * shared page is mapped again. Linux 3.19 trusted the fault's answer (CVE-2016-5195).
   */
  private boolean isOwn(long pfn) {
    return pfn != MemoryManager.NO_FRAME
        && frames.use(pfn) == FrameUse.ANONYMOUS
        && frames.mappings(pfn) == 1;
  }

  /**
   * Takes a reference to the frame of an entry without a lock. A frame that is being freed is not
   * taken, and one that was taken is given back if the entry has changed or its table may be gone.
   */
  private boolean tryFast(long va, boolean write, long[] pfns, int index) {
    long generation = mm.generation();
    // The generation of a space that has exited moves no more, though its tables are freed.
    if (mm.isClosed() || va < 0 || va >= layout.addressLimit() || !walkFast(va)) {
      return false;
    }
    long pte = walk.pte();
    long pfn = layout.pfn(pte);
    if (!layout.isValid(pte)
        || (write && !layout.isWritable(pte))
        || layout.isSpecial(pte) && !layout.isDevmap(pte)
        || !frames.tryGet(pfn)) {
      return false;
    }
    if (table.get(walk.slot()) != pte || mm.generation() != generation) {
      allocator.put(pfn);
      return false;
    }
    pfns[index] = pfn;
    return true;
  }

  private boolean walkFast(long va) {
    try {
      return table.walk(va, walk) && walk.level() == Level.PTE;
    } catch (IndexOutOfBoundsException e) {
      // A table that was freed during the walk may hold anything. The slow path finds out.
      return false;
    }
  }

  private MapException refused(Errno errno, long va, String expected, String found) {
    return new MapException(
        errno, "get_user_pages at 0x%x in %s".formatted(va, mm.name()), expected, found);
  }
}
