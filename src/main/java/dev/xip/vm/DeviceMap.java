package dev.xip.vm;

import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.DeviceMemory;
import dev.xip.mapping.PageRun;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import java.io.IOException;

/**
 * Maps the memory of devices by page frame number, as a driver's mmap does. A private mapping that
 * can be stored into has to be one run of frames: without the special bit, an entry in it is told
 * from a private copy by the linear rule alone, {@code pfn = vm_pgoff + page}. So the mapping's
 * page offset becomes the first frame number. Linux counterpart: {@code remap_pfn_range}
 * (mm/memory.c).
 *
 * <p>Lock held by the caller: the map lock, exclusively.
 */
final class DeviceMap {
  private final Mm mm;
  private final UnmapCall unmapCall;

  /** The flags of such a mapping. */
  private final long flags;

  DeviceMap(Mm mm, UnmapCall unmapCall) {
    this.mm = mm;
    this.unmapCall = unmapCall;
    this.flags =
        VmaFlags.IO
            | VmaFlags.PFNMAP
            | (mm.manager().rules().has(Rule.DEVICE_MAPS_NOT_DUMPED)
                ? VmaFlags.DONTEXPAND | VmaFlags.DONTDUMP
                : VmaFlags.RESERVED);
  }

  /**
   * Puts a mapping of device memory in force, with its entries if they are made at once.
   * Precondition: its place is free.
   *
   * @param call the call, for messages
   * @param wanted the mapping as for a file
   * @throws MapException EINVAL if the memory has not all these pages in the window, or the mapping
   *     is private, can be stored into, and is not one run or not entered at once; ENOMEM if RAM
   *     for tables runs out. Nothing is mapped then
   */
  void map(Object call, Vma wanted) throws MapException {
    Vma vma = wanted.withFlags(wanted.flags() & ~VmaFlags.MIXEDMAP | flags);
    boolean cow = VmaFlags.isCow(vma.flags());
    boolean atOnce = ((DeviceMemory) vma.file()).isEnteredAtOnce();
    if (cow && !atOnce) {
      throw new MapException(
          Errno.EINVAL, call, "a shared mapping: faults enter its pages", "a private one");
    }
    mm.install(mm.vmas().with(cow ? linear(call, vma) : vma));
    boolean whole = !atOnce;
    try {
      if (atOnce) {
        enter(call, vma);
        whole = true;
      }
    } finally {
      if (!whole) {
        unmapCall.unmap(vma.range());
      }
    }
  }

  /** The mapping with its first frame number as page offset; EINVAL if it is not one run. */
  private Vma linear(Object call, Vma vma) throws MapException {
    PageRun run = runAt(call, vma, vma.range().start());
    if (run.pages() < vma.range().length() >>> Pages.SHIFT) {
      throw new MapException(
          Errno.EINVAL,
          call,
          "one run of frames for a private mapping that can be stored into",
          "0x%x pages at pfn 0x%x and others elsewhere".formatted(run.pages(), run.pfn()));
    }
    return new Vma(vma.range(), vma.flags(), vma.file(), run.pfn());
  }

  private void enter(Object call, Vma vma) throws MapException {
    for (long va = vma.range().start(); va < vma.range().end(); ) {
      PageRun run = runAt(call, vma, va);
      long pages = Math.min(run.pages(), vma.range().end() - va >>> Pages.SHIFT);
      remapPfnRange(mm, call, vma, va, run.pfn(), pages);
      va += pages << Pages.SHIFT;
    }
  }

  private PageRun runAt(Object call, Vma vma, long va) throws MapException {
    long windowPages = mm.manager().memory().windowBytes() >>> Pages.SHIFT;
    long page = vma.pageAt(va);
    String expected =
        "page 0x%x of %s in the window of 0x%x pages"
            .formatted(page, vma.file().name(), windowPages);
    PageRun run;
    try {
      run = vma.file().translate(page);
    } catch (IOException e) {
      MapException error = new MapException(Errno.EINVAL, call, expected, e.getMessage());
      error.initCause(e);
      throw error;
    }
    if (run.isHole() || run.pfn() >= windowPages) {
      String found = run.isHole() ? "a hole" : "pfn 0x%x".formatted(run.pfn());
      throw new MapException(Errno.EINVAL, call, expected, found);
    }
    return new PageRun(run.pfn(), Math.min(run.pages(), windowPages - run.pfn()));
  }

  /** Makes the entries of a run; a slot that is taken is the kernel's BUG. */
  static void remapPfnRange(Mm mm, Object call, Vma vma, long start, long pfn, long pages)
      throws MapException {
    MemoryManager manager = mm.manager();
    EntryLayout layout = manager.layout();
    for (long i = 0; i < pages; i++) {
      long slot = mm.table().slotOrCreate(start + (i << Pages.SHIFT));
      if (slot == PageTable.NO_SLOT) {
        throw new MapException(Errno.ENOMEM, call, "frames of RAM for page tables", "none");
      }
      long entry = layout.leaf(pfn + i, vma.pageAccess());
      manager.lockEntry(slot);
      try {
        if (!layout.isEmpty(mm.table().get(slot))) {
          throw new IllegalStateException("BUG: %s: expected empty slots".formatted(vma));
        }
        mm.table().set(slot, manager.marksEntries(vma) ? layout.withSpecial(entry) : entry);
      } finally {
        manager.unlockEntry(slot);
      }
    }
  }
}
