package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.AtomicContext;
import dev.xip.base.Pages;
import dev.xip.mapping.Translation;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.EntryVisitor;
import dev.xip.pagetable.PageTable;
import dev.xip.phys.PageFrames;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.StampedLock;

/**
 * An address space: mappings and the page table that faults fill. Linux counterpart: {@code struct
 * mm_struct}.
 *
 * <p>The map lock is held shared by faults and exclusively by map, unmap and close. Entries change
 * under the lock of their table page. The generation moves whenever a translation that somebody may
 * have cached stops being true, before any frame is used again.
 */
public final class AddressSpace implements AutoCloseable {
  /** The lowest address that is given out; below it a null pointer must fault. */
  public static final long LOWEST_ADDRESS = 0x1_0000;

  /** The room left for a stack above the highest mapping. */
  private static final long STACK_GAP = 128L << 20;

  private static final VarHandle GENERATION;

  static {
    try {
      GENERATION =
          MethodHandles.lookup().findVarHandle(AddressSpace.class, "generation", long.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final MemoryManager manager;
  private final String name;
  private final EntryLayout layout;
  private final PageFrames frames;
  private final PageTable table;
  private final long ceiling;
  private final StampedLock mapLock = new StampedLock();
  private final AtomicLong fileFrames = new AtomicLong();
  private final AtomicLong minorFaults = new AtomicLong();

  /** Replaced under the map lock held exclusively. */
  private volatile VmaList vmas = VmaList.EMPTY;

  /** Counts flushes; see {@link #generation()}. */
  @SuppressWarnings("unused")
  private long generation;

  private boolean closed;

  AddressSpace(MemoryManager manager, String name) throws MapException {
    this.manager = manager;
    this.name = name;
    this.layout = manager.layout();
    this.frames = manager.memory().frames();
    this.ceiling = layout.addressLimit() - STACK_GAP;
    this.table = PageTable.create(manager.memory().window(), layout, manager);
    if (table == null) {
      throw new MapException("ENOMEM", "new address space", "a free frame of RAM", "none");
    }
  }

  /**
   * Returns the name.
   *
   * @return the name given at creation
   */
  public String name() {
    return name;
  }

  /**
   * Returns the page table.
   *
   * @return the table that faults fill
   */
  public PageTable table() {
    return table;
  }

  /**
   * Returns the machine's memory manager.
   *
   * @return what all spaces share
   */
  public MemoryManager manager() {
    return manager;
  }

  /**
   * Lists the mappings.
   *
   * @return the mappings by address
   */
  public List<Vma> vmas() {
    return vmas.toList();
  }

  /**
   * Finds the mapping that holds an address. Linux counterpart: {@code find_vma}.
   *
   * @param va a virtual address
   * @return the mapping, or null
   */
  public Vma find(long va) {
    return vmas.find(va);
  }

  /**
   * Returns the translation generation. Who caches a translation notes it before the walk, uses the
   * translation, and then asks again: if it moved, what was read is discarded.
   *
   * @return a number that only grows
   */
  public long generation() {
    return (long) GENERATION.getAcquire(this);
  }

  void flushTranslations() {
    GENERATION.getAndAdd(this, 1L);
  }

  /**
   * Counts page frames of files that this space maps: normal entries only.
   *
   * @return file_rss in pages
   */
  public long fileFrames() {
    return fileFrames.get();
  }

  /**
   * Counts faults that were answered.
   *
   * @return min_flt
   */
  public long minorFaults() {
    return minorFaults.get();
  }

  /**
   * Maps a file. Linux counterpart: {@code do_mmap_pgoff} (mm/mmap.c) with {@code xip_file_mmap}.
   *
   * @param request what to map and where
   * @return the addresses that it lies at
   * @throws MapException EINVAL for an empty or unaligned request, EACCES for write access (files
   *     of images are read-only), EEXIST if the place asked for is taken, ENOMEM if there is no
   *     place
   */
  public AddrRange map(MapRequest request) throws MapException {
    String call =
        "mmap %s, 0x%x bytes from page 0x%x"
            .formatted(request.file().name(), request.length(), request.pageOffset());
    if (request.length() <= 0 || request.pageOffset() < 0 || request.length() > ceiling) {
      throw new MapException(
          "EINVAL", call, "a length of 1..0x%x bytes and an offset".formatted(ceiling), "neither");
    }
    if (request.access().write()) {
      throw new MapException(
          "EACCES", call, "read or execute access: the file is read-only", "" + request.access());
    }
    long length = request.roundedLength();
    long stamp = lockExclusively();
    try {
      long start = request.address();
      if (start == MapRequest.ANYWHERE) {
        start = vmas.highestGap(length, LOWEST_ADDRESS, ceiling);
        if (start < 0) {
          throw new MapException("ENOMEM", call, "a gap in the address space", "none that long");
        }
      }
      AddrRange range = checkPlace(call, start, length);
      if (!vmas.isFree(range)) {
        throw new MapException("EEXIST", call, range + " to be free", "a mapping there");
      }
      vmas = vmas.with(new Vma(range, flagsFor(request), request.file(), request.pageOffset()));
      return range;
    } finally {
      mapLock.unlockWrite(stamp);
    }
  }

  private AddrRange checkPlace(String call, long start, long length) throws MapException {
    if (!Pages.isAligned(start)
        || start < LOWEST_ADDRESS
        || start > layout.addressLimit() - length) {
      throw new MapException(
          "EINVAL",
          call,
          "a page-aligned address in [0x%x, 0x%x)".formatted(LOWEST_ADDRESS, layout.addressLimit()),
          "0x%x".formatted(start));
    }
    return AddrRange.ofLength(start, length);
  }

  /** A file opened for reading keeps MAYSHARE but neither SHARED nor MAYWRITE (mm/mmap.c). */
  private static long flagsFor(MapRequest request) {
    return VmaFlags.of(request.access())
        | VmaFlags.MAYREAD
        | VmaFlags.MAYEXEC
        | VmaFlags.MIXEDMAP
        | (request.shared() ? VmaFlags.MAYSHARE : VmaFlags.MAYWRITE);
  }

  /**
   * Removes the mappings of a range; what it cuts stays at its place. Linux counterpart: {@code
   * do_munmap} (mm/mmap.c).
   *
   * @param range the addresses, page aligned and not empty; it may hold gaps
   * @throws MapException EINVAL if the range is empty, unaligned or past the address limit
   */
  public void unmap(AddrRange range) throws MapException {
    String call = "munmap " + range;
    if (range.length() == 0 || !Pages.isAligned(range.length())) {
      throw new MapException("EINVAL", call, "whole pages", "0x%x bytes".formatted(range.length()));
    }
    checkPlace(call, range.start(), range.length());
    long stamp = lockExclusively();
    try {
      unmapLocked(range);
    } finally {
      mapLock.unlockWrite(stamp);
    }
  }

  private void unmapLocked(AddrRange range) {
    List<Vma> hit = vmas.overlapping(range);
    vmas = vmas.without(range);
    MmuGather gather = new MmuGather(this, manager.memory().allocator());
    for (Vma vma : hit) {
      zap(
          vma,
          Math.max(range.start(), vma.range().start()),
          Math.min(range.end(), vma.range().end()),
          gather);
    }
    table.detachTables(
        vmas.endBefore(range.start(), 0),
        vmas.startAfter(range.start(), layout.addressLimit()),
        gather::add);
    gather.finish();
  }

  /** Linux counterpart: {@code zap_pte_range} (mm/memory.c). */
  private void zap(Vma vma, long start, long end, MmuGather gather) {
    EntryVisitor clear =
        (va, level, slot, seen) -> {
          manager.lockEntry(slot);
          try {
            long pte = table.get(slot);
            table.set(slot, layout.empty());
            long pfn =
                layout.isValid(pte) ? manager.normalFrame(vma, va, pte) : MemoryManager.NO_FRAME;
            if (pfn != MemoryManager.NO_FRAME) {
              frames.removeMapping(pfn);
              fileFrames.decrementAndGet();
              gather.add(pfn);
            }
          } finally {
            manager.unlockEntry(slot);
          }
        };
    table.forEach(start, end, clear);
  }

  /**
   * Answers an access for which there is no entry. Linux counterpart: {@code handle_mm_fault} and
   * {@code xip_file_fault} (mm/memory.c, mm/filemap_xip.c).
   *
   * @param va the address accessed
   * @param wanted what the access does
   * @return whether it may be tried again
   */
  public FaultResult fault(long va, Access wanted) {
    AtomicContext.mightSleep("the map lock of " + name);
    long stamp = mapLock.readLock();
    try {
      Vma vma = vmas.find(va);
      if (vma == null) {
        return segmentationFault(va, "no mapping there");
      }
      if (!vma.access().supersetOf(wanted)) {
        return segmentationFault(va, wanted + " access to " + vma);
      }
      return fileFault(vma, Pages.roundDown(va));
    } finally {
      mapLock.unlockRead(stamp);
    }
  }

  private FaultResult fileFault(Vma vma, long va) {
    long page = vma.pageAt(va);
    if (page >= Pages.covering(vma.file().size())) {
      return busError(
          va,
          "page 0x%x of %s: expected one of its 0x%x pages"
              .formatted(page, vma.file().name(), Pages.covering(vma.file().size())),
          null);
    }
    Translation translation;
    try {
      translation = vma.file().translate(page);
    } catch (IOException e) {
      return busError(va, e.getMessage(), e);
    }
    return translation.isHole()
        ? insertFrame(vma, va, manager.sparsePfn())
        : insertPfn(vma, va, translation.pfn());
  }

  /**
   * Inserts a special entry, for which nothing is counted. Linux counterpart: {@code
   * vm_insert_mixed} (mm/memory.c).
   */
  private FaultResult insertPfn(Vma vma, long va, long pfn) {
    return insert(va, layout.withSpecial(layout.leaf(pfn, vma.access())), MemoryManager.NO_FRAME);
  }

  /**
   * Inserts a normal entry and counts it. Linux counterpart: {@code vm_insert_page} (mm/memory.c).
   */
  private FaultResult insertFrame(Vma vma, long va, long pfn) {
    return insert(va, layout.leaf(pfn, vma.access()), pfn);
  }

  private FaultResult insert(long va, long entry, long counted) {
    long slot = table.slotOrCreate(va);
    if (slot == PageTable.NO_SLOT) {
      return new FaultResult.Refused(
          new MemoryFaultException.OutOfMemory(va, "no free frame of RAM for a page table"));
    }
    manager.lockEntry(slot);
    try {
      if (!layout.isEmpty(table.get(slot))) {
        return FaultResult.Handled.PRESENT;
      }
      if (counted != MemoryManager.NO_FRAME) {
        frames.get(counted);
        frames.addMapping(counted);
        fileFrames.incrementAndGet();
      }
      table.set(slot, entry);
    } finally {
      manager.unlockEntry(slot);
    }
    minorFaults.incrementAndGet();
    return FaultResult.Handled.MAPPED;
  }

  private static FaultResult segmentationFault(long va, String why) {
    return new FaultResult.Refused(new MemoryFaultException.SegmentationFault(va, why));
  }

  private static FaultResult busError(long va, String why, IOException cause) {
    return new FaultResult.Refused(new MemoryFaultException.BusError(va, why, cause));
  }

  private long lockExclusively() throws MapException {
    AtomicContext.mightSleep("the map lock of " + name);
    long stamp = mapLock.writeLock();
    if (closed) {
      mapLock.unlockWrite(stamp);
      throw new MapException("ESRCH", name, "a living address space", "one that has exited");
    }
    return stamp;
  }

  /**
   * Unmaps everything and gives the tables back. Closing twice does nothing. Linux counterpart:
   * {@code exit_mmap} (mm/mmap.c).
   */
  @Override
  public void close() {
    AtomicContext.mightSleep("the map lock of " + name);
    long stamp = mapLock.writeLock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      unmapLocked(new AddrRange(0, layout.addressLimit()));
      table.free();
      manager.forget(this);
    } finally {
      mapLock.unlockWrite(stamp);
    }
  }
}
