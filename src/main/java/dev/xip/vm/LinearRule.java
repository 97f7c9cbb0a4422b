package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.PhysicalRange;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;

/**
 * Breaks the linear rule of PFNMAP on purpose, to show why MIXEDMAP and the special bit exist.
 * Without the bit, a private PFNMAP mapping tells a raw entry from a private copy by {@code pfn =
 * vm_pgoff + page} alone. Pages of a file in place lie scattered, so most of them do not obey it.
 *
 * <p>Lock held by the caller: none.
 */
public final class LinearRule {
  private static final long PRIVATE =
      VmaFlags.READ | VmaFlags.WRITE | VmaFlags.MAYREAD | VmaFlags.MAYWRITE | VmaFlags.MAYEXEC;

  private LinearRule() {}

  /**
   * What became of a mapping.
   *
   * @param raw pages that were taken for pages without a page frame
   * @param counted pages that were taken for private copies: exit uncounts them, though nothing
   *     counted them
   * @param reports bad entries reported until the mapping was gone
   */
  public record Outcome(int raw, int counted, long reports) {}

  /**
   * Maps pages privately as if {@code remap_pfn_range} and {@code vm_insert_pfn} made no checks,
   * asks about each entry, and unmaps. The first page obeys the linear rule.
   *
   * @param manager a machine's memory manager
   * @param pfns the frame number of each page
   * @param flag {@link VmaFlags#PFNMAP}, or {@link VmaFlags#MIXEDMAP} for the cure
   * @return what became of it
   * @throws MapException ENOMEM if RAM is used up
   */
  public static Outcome mapScattered(MemoryManager manager, long[] pfns, long flag)
      throws MapException {
    long reports = manager.badEntries().count();
    int counted = 0;
    try (AddressSpace space = manager.newAddressSpace("scattered")) {
      AddrRange range = AddrRange.ofLength(Mm.LOWEST_ADDRESS, pfns.length * Pages.SIZE);
      Vma vma =
          new Vma(
              range, PRIVATE | flag, new PhysicalRange("scattered", range, false, true), pfns[0]);
      Mm mm = space.mm();
      long stamp = mm.lockToChange();
      try {
        mm.install(mm.vmas().with(vma));
        for (int i = 0; i < pfns.length; i++) {
          counted += enter(mm, vma, range.start() + i * Pages.SIZE, pfns[i]) ? 1 : 0;
        }
      } finally {
        mm.unlockExclusively(stamp);
      }
    }
    return new Outcome(pfns.length - counted, counted, manager.badEntries().count() - reports);
  }

  /** Enters one page; whether it is taken for one with a page frame. */
  private static boolean enter(Mm mm, Vma vma, long va, long pfn) throws MapException {
    MemoryManager manager = mm.manager();
    if (vma.has(VmaFlags.MIXEDMAP)) {
      if (new Insertion(mm).insertMixed(vma, va, Insertion.UNKNOWN, pfn) != Errno.OK) {
        throw new MapException(Errno.ENOMEM, "vm_insert_mixed", "a free frame of RAM", "none");
      }
    } else {
      DeviceMap.remapPfnRange(mm, "remap_pfn_range", vma, va, pfn, 1);
    }
    long pte = mm.table().get(mm.table().slotOrCreate(va));
    return manager.normalFrame(vma, va, pte) != MemoryManager.NO_FRAME;
  }

  /**
   * Stores into a private PFNMAP page, of which the copy lands on the very frame that the linear
   * rule expects there. Derived from the rule: no machine was seen to do it. The frame is free and
   * the one that is handed out next.
   *
   * @param manager the memory manager of a machine to be thrown away: without the special bit it
   *     loses the frame
   * @return whether the copy was taken for raw, so that exit did not free it
   * @throws MapException ENOMEM if RAM is used up
   */
  public static boolean copyIsTakenForRaw(MemoryManager manager) throws MapException {
    FrameAllocator allocator = manager.memory().allocator();
    long used = allocator.inUse(FrameUse.ANONYMOUS);
    long pfn = allocator.allocate(FrameUse.ANONYMOUS);
    try (AddressSpace space = manager.newAddressSpace("linear copy")) {
      AddrRange frame = AddrRange.ofLength(pfn << Pages.SHIFT, Pages.SIZE);
      AddrRange range =
          space.map(
              MapRequest.privately(
                  new PhysicalRange("RAM", frame, false, true), Access.READ_WRITE));
      allocator.put(pfn);
      new AddressWriter(space).putByte(range.start(), (byte) 1);
    } catch (MemoryFaultException e) {
      throw new IllegalStateException("BUG: a store into a private page was refused", e);
    }
    return allocator.inUse(FrameUse.ANONYMOUS) > used;
  }
}
