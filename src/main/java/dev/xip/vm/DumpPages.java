package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.Level;
import dev.xip.pagetable.PageTable;
import dev.xip.pagetable.Walk;
import java.util.EnumSet;
import java.util.Set;

/**
 * Decides what a core dump of an address space contains. Each page is asked of get_user_pages, so a
 * page without a page frame is a hole in the dump, and so are the zero page and anonymous memory
 * that was never touched. For one thread. Linux counterpart: {@code vma_dump_size}
 * (fs/binfmt_elf.c) and {@code get_dump_page} (mm/gup.c).
 *
 * <p>Lock held by the caller: none; it takes the map lock, shared, for each page.
 */
public final class DumpPages {
  /** A kind of memory that a dump can contain: a bit of /proc/PID/coredump_filter. */
  public enum Kind {
    /** Private memory that was stored into. */
    ANON_PRIVATE,
    /** Shared memory without a file that has a name. */
    ANON_SHARED,
    /** Private mappings of files. */
    MAPPED_PRIVATE,
    /** Shared mappings of files. */
    MAPPED_SHARED,
    /** The first page of each private mapping that starts with an ELF header. */
    ELF_HEADERS
  }

  /** What the kernel dumps if nothing else is asked for: filter 0x13. */
  public static final Set<Kind> DEFAULT =
      Set.copyOf(EnumSet.of(Kind.ANON_PRIVATE, Kind.ANON_SHARED, Kind.ELF_HEADERS));

  private static final long LEFT_OUT = VmaFlags.IO | VmaFlags.RESERVED | VmaFlags.DONTDUMP;

  /** 0x7f 'E' 'L' 'F' in order of bytes. */
  private static final int ELF_MAGIC = 0x464c_457f;

  /** The answer of {@link #follow} if a fault may help. */
  private static final long MUST_FAULT = -2;

  private final AddressSpace space;
  private final Mm mm;
  private final MemoryManager manager;
  private final EntryLayout layout;
  private final Walk walk = new Walk();

  /**
   * Prepares a dump.
   *
   * @param space the address space; its mappings should not change during the dump
   */
  public DumpPages(AddressSpace space) {
    this.space = space;
    this.mm = space.mm();
    this.manager = mm.manager();
    this.layout = manager.layout();
  }

  /**
   * Tells how much of a mapping is dumped. Linux counterpart: {@code vma_dump_size}.
   *
   * @param vma one of the space's mappings
   * @param kinds what the dump is to contain
   * @return the number of bytes from its start on: all, a page or 0
   */
  public long bytesOf(Vma vma, Set<Kind> kinds) {
    if ((vma.flags() & LEFT_OUT) != 0) {
      return 0;
    }
    long whole = vma.range().length();
    if (vma.has(VmaFlags.SHARED)) {
      Kind kind = vma.file() instanceof SharedMemory ? Kind.ANON_SHARED : Kind.MAPPED_SHARED;
      return kinds.contains(kind) ? whole : 0;
    }
    if (vma.anon().isUsed() && kinds.contains(Kind.ANON_PRIVATE)) {
      return whole;
    }
    if (vma.isAnonymous()) {
      return 0;
    }
    return kinds.contains(Kind.MAPPED_PRIVATE)
        ? whole
        : kinds.contains(Kind.ELF_HEADERS) && startsWithElfHeader(vma) ? Pages.SIZE : 0;
  }

  private boolean startsWithElfHeader(Vma vma) {
    if (vma.pageOffset() != 0 || !vma.has(VmaFlags.READ)) {
      return false;
    }
    try {
      return (int) new AddressReader(space).getLong(vma.range().start()) == ELF_MAGIC;
    } catch (MemoryFaultException e) {
      return false;
    }
  }

  /**
   * Pins the page frame that is written for a page. Linux counterpart: {@code get_dump_page}.
   *
   * @param va an address in the page
   * @return one page, or none for a hole
   */
  public PinnedPages page(long va) {
    long page = Pages.roundDown(va);
    long pfn = find(page);
    while (pfn == MUST_FAULT) {
      pfn =
          space.faults().fault(page, Access.READ, true) instanceof FaultResult.Refused
              ? MemoryManager.NO_FRAME
              : find(page);
    }
    return new PinnedPages(manager, new long[] {pfn}, pfn == MemoryManager.NO_FRAME ? 0 : 1, false);
  }

  /** The frame with a reference, {@link MemoryManager#NO_FRAME} or {@link #MUST_FAULT}. */
  private long find(long va) {
    long stamp = mm.lockShared();
    try {
      Vma vma = mm.find(va);
      if (vma == null
          || (vma.flags() & (VmaFlags.IO | VmaFlags.PFNMAP)) != 0
          || (vma.flags() & (VmaFlags.READ | VmaFlags.MAYREAD)) == 0) {
        return MemoryManager.NO_FRAME;
      }
      long pfn = follow(vma, va);
      return pfn == MUST_FAULT && vma.isAnonymous() ? MemoryManager.NO_FRAME : pfn;
    } finally {
      mm.unlockShared(stamp);
    }
  }

  private long follow(Vma vma, long va) {
    PageTable table = mm.table();
    if (!table.walk(va, walk)) {
      return MUST_FAULT;
    }
    if (walk.level() != Level.PTE) {
      return MemoryManager.NO_FRAME;
    }
    manager.lockEntry(walk.slot());
    try {
      long pte = table.get(walk.slot());
      if (!layout.isPresent(pte)) {
        return MUST_FAULT;
      }
      long pfn = manager.normalFrame(vma, va, pte);
      if (pfn != MemoryManager.NO_FRAME) {
        manager.memory().frames().get(pfn);
      } else if (layout.isDevmap(pte) && manager.memory().frames().tryGet(layout.pfn(pte))) {
        return layout.pfn(pte);
      }
      return pfn;
    } finally {
      manager.unlockEntry(walk.slot());
    }
  }
}
