package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.LockOrder;
import dev.xip.base.Pfn;
import dev.xip.base.RankedLock;
import dev.xip.mapping.Mappable;
import dev.xip.pagetable.EntryLayout;
import dev.xip.pagetable.PageTable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.BitSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

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

  private static final VarHandle EPOCH;

  static {
    try {
      EPOCH = MethodHandles.lookup().findVarHandle(AddressSpace.class, "epoch", Epoch.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final MemoryManager manager;
  private final String name;
  private final EntryLayout layout;
  private final PageTable table;
  private final RankedLock mapLock;
  private final SpaceCounters counters;
  private final HugeLeaves hugeLeaves;
  private final Zapper zapper;
  private final FaultHandler faultHandler;
  private final MappingCalls calls;
  private final UnmapCall unmapCall;
  private final RemapCall remapCall;
  private final RangeCalls rangeCalls;
  private final Insertion insertion;

  /** The files that are mapped; guarded by the map lock held exclusively. */
  private final Map<Mappable, FileMappings> files = new IdentityHashMap<>();

  /** Replaced by {@link #install} alone. */
  private volatile VmaList vmas = VmaList.EMPTY;

  private Epoch epoch = new Epoch(0);

  /** Set under the map lock held exclusively, and before the last flush. */
  private volatile boolean closed;

  AddressSpace(MemoryManager manager, String name) throws MapException {
    this.manager = manager;
    this.counters = new SpaceCounters(manager.counters());
    this.name = name;
    this.mapLock = new RankedLock(LockOrder.Rank.MAP, "the map lock of " + name);
    this.layout = manager.layout();
    this.table = PageTable.create(manager.memory().ram(), layout, manager);
    if (table == null) {
      throw new MapException(Errno.ENOMEM, "new address space", "a free frame of RAM", "none");
    }
    this.hugeLeaves = new HugeLeaves(this);
    this.zapper = new Zapper(this);
    this.faultHandler = new FaultHandler(this);
    this.calls = new MappingCalls(this);
    this.unmapCall = new UnmapCall(this);
    this.remapCall = new RemapCall(this, calls);
    this.rangeCalls = new RangeCalls(this);
    this.insertion = new Insertion(this);
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
    return epoch().number();
  }

  /** The signal that an access gets whose page was cut away from the file behind it. */
  MemoryFaultException lostAt(long va) {
    Vma vma = find(va);
    return new MemoryFaultException.BusError(
        va,
        vma == null || vma.isAnonymous()
            ? "the memory behind it is gone"
            : "the file behind %s was cut while mapped, in or after page 0x%x"
                .formatted(vma.file().name(), vma.pageAt(va)),
        null);
  }

  /** The epoch that translations can be looked up in, unless it has ended already. */
  Epoch epoch() {
    return (Epoch) EPOCH.getAcquire(this);
  }

  /** Ends the epoch. Another thread that does the same may begin the next one first. */
  void flushTranslations() {
    Epoch now = epoch();
    now.end();
    EPOCH.compareAndSet(this, now, new Epoch(now.number() + 1));
  }

  /**
   * Counts page frames of files that this space maps: normal entries only.
   *
   * @return file_rss in pages
   */
  public long fileFrames() {
    return counters.fileFrames();
  }

  /**
   * Counts page frames of this space's own: anonymous memory and private copies.
   *
   * @return anon_rss in pages
   */
  public long anonymousFrames() {
    return counters.anonymousFrames();
  }

  /**
   * Counts pages that a store has copied.
   *
   * @return the number of copies made on write
   */
  public long copies() {
    return counters.copies();
  }

  /**
   * Counts faults that were answered.
   *
   * @return min_flt
   */
  public long minorFaults() {
    return counters.minorFaults();
  }

  /**
   * Maps a file or anonymous memory. Linux counterpart: {@code mmap} (mm/mmap.c) with {@code
   * xip_file_mmap}.
   *
   * @param request what to map and where
   * @return the addresses that it lies at
   * @throws MapException EINVAL for an empty or unaligned request, EACCES for shared write access
   *     to a file that is read-only, EEXIST if a place that must be free is taken, ENOMEM if there
   *     is no place, EOVERFLOW for an offset too far into the file, EPERM for a place too low
   */
  public AddrRange map(MapRequest request) throws MapException {
    return calls.map(request);
  }

  /**
   * Removes the mappings of a range; what it cuts stays at its place. Linux counterpart: {@code
   * munmap} (mm/mmap.c).
   *
   * @param range the addresses, from a page's first one on; it may hold gaps
   * @throws MapException EINVAL if the range is empty, unaligned or past the address limit
   */
  public void unmap(AddrRange range) throws MapException {
    calls.unmap(range);
  }

  /**
   * Changes the length or the place of a mapping, or both. Linux counterpart: {@code mremap}
   * (mm/mremap.c).
   *
   * @param request what to do with what
   * @return the addresses that it lies at from now on
   * @throws MapException EINVAL for a length of nothing, a place that is not a page's or that
   *     overlaps; EFAULT if the range is not all of one mapping or of one that may not grow; ENOMEM
   *     if there is no room
   */
  public AddrRange remap(RemapRequest request) throws MapException {
    return remapCall.remap(request);
  }

  /**
   * Changes what may be done with the pages of a range. Linux counterpart: {@code mprotect}
   * (mm/mprotect.c).
   *
   * @param range the addresses, from a page's first one on
   * @param access the rights from now on
   * @throws MapException EINVAL if the range is unaligned; EACCES if a mapping does not allow it
   *     and ENOMEM at the first gap: what lies before has been changed then, as in the kernel
   */
  public void protect(AddrRange range, Access access) throws MapException {
    rangeCalls.protect(range, access);
  }

  /**
   * Takes advice about the pages of a range. Linux counterpart: {@code madvise} (mm/madvise.c).
   *
   * @param range the addresses, from a page's first one on
   * @param advice what is said about them
   * @throws MapException EINVAL if the range is unaligned or a mapping does not take this advice;
   *     ENOMEM if there is a gap, after all that is mapped has been done
   */
  public void advise(AddrRange range, Advice advice) throws MapException {
    rangeCalls.advise(range, advice);
  }

  /**
   * Writes shared pages back; where files lie in memory they are there already. Linux counterpart:
   * {@code msync} (mm/msync.c).
   *
   * @param range the addresses, from a page's first one on
   * @param flags how
   * @throws MapException EINVAL if the range is unaligned or the flags exclude each other, EBUSY if
   *     locked pages are to be invalidated, ENOMEM if there is a gap
   */
  public void sync(AddrRange range, Set<SyncFlag> flags) throws MapException {
    rangeCalls.sync(range, flags);
  }

  /**
   * Tells which pages are in memory: those that have an entry. A page of a file that was never
   * touched counts as absent, though its bytes are in memory. Linux counterpart: {@code mincore}
   * (mm/mincore.c).
   *
   * @param range the addresses, from a page's first one on
   * @return one bit for each page
   * @throws MapException EINVAL if the range is unaligned, ENOMEM if there is a gap
   */
  public BitSet inCore(AddrRange range) throws MapException {
    return rangeCalls.inCore(range);
  }

  /**
   * Locks the pages that a range touches in memory. Mappings of files are passed over but still
   * faulted in: private writable ones are copied page by page, others fail at the first page that
   * has no page frame. Linux counterpart: {@code mlock} (mm/mlock.c).
   *
   * @param range the addresses
   * @throws MapException ENOMEM if there is a gap or a page without a page frame, EAGAIN if RAM ran
   *     out; what lies before stays locked, as in the kernel
   */
  public void lock(AddrRange range) throws MapException {
    rangeCalls.lock(range);
  }

  /**
   * Unlocks the pages that a range touches. Linux counterpart: {@code munlock} (mm/mlock.c).
   *
   * @param range the addresses
   * @throws MapException ENOMEM at the first gap; what lies before is unlocked then
   */
  public void unlock(AddrRange range) throws MapException {
    rangeCalls.unlock(range);
  }

  /** Empties and removes the mappings of a range. The map lock is held exclusively. */
  void unmapLocked(AddrRange range) {
    unmapCall.unmap(range);
  }

  /**
   * Puts another list of mappings in force. Files that are new in it are told first; files that no
   * longer are in it are let go afterwards, when no walk can be in this space on their account. The
   * map lock is held exclusively.
   */
  void install(VmaList next) {
    for (Vma vma : next.toList()) {
      if (!vma.isAnonymous() && !files.containsKey(vma.file())) {
        files.put(vma.file(), manager.reverseMap().link(vma.file(), this));
      }
    }
    hugeLeaves.splitAtBounds(next);
    vmas = next;
    files
        .values()
        .removeIf(
            mappings -> {
              boolean unused = !next.maps(mappings.file());
              if (unused) {
                manager.reverseMap().unlink(mappings, this);
              }
              return unused;
            });
  }

  /** Takes over the mappings of a parent. */
  void adopt(VmaList mappings) {
    long stamp = mapLock.writeLock();
    try {
      install(mappings);
    } finally {
      mapLock.unlockWrite(stamp);
    }
  }

  /** The mappings of a file that this space maps, or null. Some map lock is held. */
  FileMappings mappingsOf(Mappable file) {
    return files.get(file);
  }

  /**
   * Answers an access for which there is no entry, or none that allows it. The access is then to be
   * tried again, and may fault again. Linux counterpart: {@code handle_mm_fault} (mm/memory.c).
   *
   * @param va the address accessed
   * @param wanted what the access does
   * @return whether it may be tried again
   */
  public FaultResult fault(long va, Access wanted) {
    return fault(va, wanted, false);
  }

  /** A fault that, if forced, needs only rights that the mapping could be given. */
  FaultResult fault(long va, Access wanted, boolean force) {
    while (true) {
      long stamp = lockShared();
      try {
        if (StackGrowth.stackAbove(vmas, va) == null) {
          FaultResult result = faultHandler.handle(vmas.find(va), va, wanted, force);
          if (result instanceof FaultResult.Handled) {
            counters.faulted();
          }
          return result;
        }
      } finally {
        mapLock.unlockRead(stamp);
      }
      if (!growStack(va)) {
        return FaultHandler.segmentationFault(va, "the stack above it may not grow that far");
      }
    }
  }

  private boolean growStack(long va) {
    long stamp = mapLock.writeLock();
    try {
      Vma stack = StackGrowth.stackAbove(vmas, va);
      VmaList grown = stack == null ? vmas : StackGrowth.grown(vmas, stack, va);
      if (grown == null) {
        return false;
      }
      install(grown);
      return true;
    } finally {
      mapLock.unlockWrite(stamp);
    }
  }

  /**
   * Makes a child with the same mappings. Private pages are shared until one side writes; shared
   * ones stay shared. Linux counterpart: {@code dup_mmap} (kernel/fork.c).
   *
   * @param childName the child's name
   * @return the child, to be closed by its owner
   * @throws MapException ENOMEM if RAM for tables runs out: there is no child then
   */
  public AddressSpace fork(String childName) throws MapException {
    AddressSpace child = manager.newAddressSpace(childName);
    boolean whole = false;
    long stamp = 0;
    try {
      stamp = lockExclusively();
      new Forker(this, child).copy();
      whole = true;
      return child;
    } finally {
      if (stamp != 0) {
        mapLock.unlockWrite(stamp);
      }
      if (!whole) {
        child.close();
      }
    }
  }

  /**
   * Inserts a special entry, for which nothing is ever counted. Linux counterpart: {@code
   * vm_insert_pfn} (mm/memory.c).
   *
   * @param va the address, page aligned
   * @param pfn the page frame number, of a page without a page frame if the mapping is mixed
   * @return how it ended
   * @throws IllegalStateException if the mapping is not one for such entries (BUG)
   */
  public Errno insertPfn(long va, Pfn pfn) {
    return insert(va, vma -> insertion.insertPfn(vma, va, pfn.value()));
  }

  /**
   * Inserts a special entry whether or not there is a page frame; without a special bit, a counted
   * one if there is. Linux counterpart: {@code vm_insert_mixed} (mm/memory.c).
   *
   * @param va the address, page aligned
   * @param pfn the page frame number
   * @return how it ended
   * @throws IllegalStateException if the mapping lacks MIXEDMAP (BUG)
   */
  public Errno insertMixed(long va, Pfn pfn) {
    return insert(va, vma -> insertion.insertMixed(vma, va, pfn.value()));
  }

  /**
   * Inserts a normal entry and counts it; the mapping becomes mixed. Linux counterpart: {@code
   * vm_insert_page} (mm/memory.c).
   *
   * @param va the address, page aligned
   * @param pfn a frame of RAM in use, and not anonymous
   * @return how it ended
   * @throws IllegalStateException if the mapping has PFNMAP (BUG)
   */
  public Errno insertFrame(long va, Pfn pfn) {
    long stamp = mapLock.writeLock();
    try {
      Vma vma = vmas.find(va);
      if (vma == null) {
        return Errno.EFAULT;
      }
      if (!vma.has(VmaFlags.PFNMAP)
          && !vma.has(VmaFlags.MIXEDMAP)
          && insertion.isFrame(pfn.value())) {
        vma = vma.withFlags(vma.flags() | VmaFlags.MIXEDMAP);
        install(vmas.without(vma.range()).with(vma));
      }
      return insertion.insertFrame(vma, va, pfn.value());
    } finally {
      mapLock.unlockWrite(stamp);
    }
  }

  private Errno insert(long va, Function<Vma, Errno> how) {
    long stamp = lockShared();
    try {
      Vma vma = vmas.find(va);
      return vma == null ? Errno.EFAULT : how.apply(vma);
    } finally {
      mapLock.unlockRead(stamp);
    }
  }

  /** Takes the map lock so that nobody changes the mappings; faults may come in beside. */
  long lockShared() {
    return mapLock.readLock();
  }

  void unlockShared(long stamp) {
    mapLock.unlockRead(stamp);
  }

  void unlockExclusively(long stamp) {
    mapLock.unlockWrite(stamp);
  }

  VmaList vmaList() {
    return vmas;
  }

  SpaceCounters counters() {
    return counters;
  }

  HugeLeaves hugeLeaves() {
    return hugeLeaves;
  }

  FileFault fileFault() {
    return faultHandler.fileFault();
  }

  Zapper zapper() {
    return zapper;
  }

  /** Takes the map lock to change the mappings; fails if the space has exited. */
  long lockExclusively() throws MapException {
    long stamp = mapLock.writeLock();
    if (closed) {
      mapLock.unlockWrite(stamp);
      throw new MapException(Errno.ESRCH, name, "a living address space", "one that has exited");
    }
    return stamp;
  }

  /**
   * Tells whether the space has exited. Who walks its tables without the map lock asks after noting
   * the generation: if the answer is no, tables are freed only after the generation has moved.
   */
  boolean isClosed() {
    return closed;
  }

  /**
   * Unmaps everything and gives the tables back. Closing twice does nothing. Linux counterpart:
   * {@code exit_mmap} (mm/mmap.c).
   */
  @Override
  public void close() {
    long stamp = mapLock.writeLock();
    try {
      if (closed) {
        return;
      }
      closed = true;
      unmapLocked(new AddrRange(0, layout.addressLimit()));
      // Even if nothing was mapped: who walks the tables now must notice that they are gone.
      flushTranslations();
      table.free();
      manager.forget(this);
    } finally {
      mapLock.unlockWrite(stamp);
    }
  }
}
