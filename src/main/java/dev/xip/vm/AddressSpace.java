package dev.xip.vm;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pfn;
import dev.xip.pagetable.Mmu;
import dev.xip.pagetable.PageTable;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * An address space: mappings and the page table that faults fill. Linux counterpart: {@code struct
 * mm_struct}.
 *
 * <p>This is the facade: it makes the operations on an {@link Mm} and passes calls on. Faults hold
 * the map lock shared; map, unmap and close hold it exclusively. Entries change under the lock of
 * their table page. When a cached translation stops being true, the generation moves before any
 * frame is used again.
 *
 * <p>Lock held by the caller: none; the operations take the map lock.
 */
public final class AddressSpace implements AutoCloseable {
  /** The lowest address that is given out; below it a null pointer must fault. */
  public static final long LOWEST_ADDRESS = Mm.LOWEST_ADDRESS;

  private final Mm mm;
  private final Insertion insertion;
  private final FaultHandler faults;
  private final UnmapCall unmapCall;
  private final MappingCalls calls;
  private final RemapCall remapCall;
  private final RangeCalls rangeCalls;

  AddressSpace(Mm mm) {
    this.mm = mm;
    this.insertion = new Insertion(mm);
    this.faults = new FaultHandler(mm, insertion);
    Populate populate = new Populate(mm, faults);
    this.unmapCall = new UnmapCall(mm);
    this.calls = new MappingCalls(mm, unmapCall, populate);
    this.remapCall = new RemapCall(mm, calls, unmapCall, populate);
    this.rangeCalls = new RangeCalls(mm, populate);
  }

  Mm mm() {
    return mm;
  }

  FaultHandler faults() {
    return faults;
  }

  /** {@return the name given at creation} */
  public String name() {
    return mm.name();
  }

  /** {@return the page table that faults fill} */
  public PageTable table() {
    return mm.table();
  }

  /** {@return the machine's memory manager, which all spaces share} */
  public MemoryManager manager() {
    return mm.manager();
  }

  /** {@return the mappings by address} */
  public List<Vma> vmas() {
    return mm.vmas().toList();
  }

  /**
   * Finds the mapping that holds an address. Linux counterpart: {@code find_vma}.
   *
   * @param va a virtual address
   * @return the mapping, or null
   */
  public Vma find(long va) {
    return mm.find(va);
  }

  /**
   * Returns the translation generation. A reader that caches translations notes it before the walk,
   * uses the translation, and then asks again: if it has moved, the bytes read are discarded.
   *
   * @return a number that only grows
   */
  public long generation() {
    return mm.generation();
  }

  /** {@return file_rss in pages: the page frames of files that normal entries map} */
  public long fileFrames() {
    return mm.counters().fileFrames();
  }

  /** {@return anon_rss in pages: the page frames of anonymous memory and private copies} */
  public long anonymousFrames() {
    return mm.counters().anonymousFrames();
  }

  /** {@return the pages of its tables, 0 if it is closed} */
  public long tablePages() {
    long stamp = mm.lockShared();
    try {
      return mm.isClosed() ? 0 : mm.table().countTables();
    } finally {
      mm.unlockShared(stamp);
    }
  }

  /**
   * Limits the length of the stack, which is else 8 MiB. Linux counterpart: RLIMIT_STACK.
   *
   * @param bytes the longest stack, in bytes; one that is longer stays
   */
  public void limitStack(long bytes) {
    mm.setStackLimit(bytes);
  }

  /** {@return the number of pages copied on write} */
  public long copies() {
    return mm.counters().copies();
  }

  /** {@return min_flt: the number of faults that were answered} */
  public long minorFaults() {
    return mm.counters().minorFaults();
  }

  /**
   * Maps a file or anonymous memory. Linux counterpart: {@code mmap} (mm/mmap.c) with {@code
   * xip_file_mmap}.
   *
   * @param request what to map and where
   * @return its addresses
   * @throws MapException EINVAL for an empty or unaligned request, or if a {@link
   *     dev.xip.mapping.DeviceMemory} cannot be mapped so; EACCES for shared write access to a file
   *     that is read-only, EEXIST if a place that must be free is taken, ENOMEM if there is no
   *     place, EOVERFLOW for an offset too far into the file, EPERM for a place too low
   */
  public AddrRange map(MapRequest request) throws MapException {
    return calls.map(request);
  }

  /**
   * Removes the mappings of a range; the rest of a mapping that it cuts stays in place. Linux
   * counterpart: {@code munmap} (mm/mmap.c).
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
   * @param request which mapping to change, and how
   * @return its new addresses
   * @throws MapException EINVAL for an empty length, or a place that is unaligned or overlaps the
   *     old one; EFAULT if the range is not inside one mapping, or the mapping may not grow; ENOMEM
   *     if there is no room
   */
  public AddrRange remap(RemapRequest request) throws MapException {
    return remapCall.remap(request);
  }

  /**
   * Changes the access rights of a range. Linux counterpart: {@code mprotect} (mm/mprotect.c).
   *
   * @param range the addresses, from a page's first one on
   * @param access the rights from now on
   * @throws MapException EINVAL if the range is unaligned; EACCES if a mapping does not allow it
   *     and ENOMEM at the first gap: the mappings before it are changed then, as in the kernel
   */
  public void protect(AddrRange range, Access access) throws MapException {
    rangeCalls.protect(range, access);
  }

  /**
   * Takes advice about the pages of a range. Linux counterpart: {@code madvise} (mm/madvise.c).
   *
   * @param range the addresses, from a page's first one on
   * @param advice the advice
   * @throws MapException EINVAL if the range is unaligned or a mapping does not take this advice;
   *     ENOMEM if there is a gap, after the advice was applied to every mapping
   */
  public void advise(AddrRange range, Advice advice) throws MapException {
    rangeCalls.advise(range, advice);
  }

  /**
   * Writes shared pages back: only checks, since a file in memory holds each store already. Linux
   * counterpart: {@code msync} (mm/msync.c).
   *
   * @param range the addresses, from a page's first one on
   * @param flags how to write back
   * @throws MapException EINVAL if the range is unaligned or the flags exclude each other, EBUSY if
   *     locked pages are to be invalidated, ENOMEM if there is a gap
   */
  public void sync(AddrRange range, Set<SyncFlag> flags) throws MapException {
    rangeCalls.sync(range, flags);
  }

  /**
   * Tells which pages have an entry or lie in a page cache. A page of a file in place that was
   * never touched counts as absent, though its bytes are in memory. Linux counterpart: {@code
   * mincore} (mm/mincore.c).
   *
   * @param range the addresses, from a page's first one on
   * @return one bit for each page
   * @throws MapException EINVAL if the range is unaligned, ENOMEM if there is a gap, EFAULT if it
   *     has more than 2^31 - 1 pages: the answer has no room for them
   */
  public BitSet inCore(AddrRange range) throws MapException {
    return rangeCalls.inCore(range);
  }

  /**
   * Locks the pages that a range touches in memory. Mappings of files in place do not become locked
   * but are faulted in: pages of private writable ones are copied, others fail at the first page
   * without a page frame. Linux counterpart: {@code mlock} (mm/mlock.c).
   *
   * @param range the addresses
   * @throws MapException ENOMEM if there is a gap or a page without a page frame, EAGAIN if RAM ran
   *     out; pages before it stay locked, as in the kernel
   */
  public void lock(AddrRange range) throws MapException {
    rangeCalls.lock(range);
  }

  /**
   * Unlocks the pages that a range touches. Linux counterpart: {@code munlock} (mm/mlock.c).
   *
   * @param range the addresses
   * @throws MapException ENOMEM at the first gap; pages before it are unlocked then
   */
  public void unlock(AddrRange range) throws MapException {
    rangeCalls.unlock(range);
  }

  /**
   * Answers a fault: an access for which there is no entry, or none that allows it. The caller then
   * tries the access again, and may fault again. Linux counterpart: {@code handle_mm_fault}
   * (mm/memory.c).
   *
   * @param va the address accessed
   * @param wanted what the access does
   * @return whether it may be tried again
   */
  public FaultResult fault(long va, Access wanted) {
    return faults.fault(va, wanted, false);
  }

  /**
   * Gives out the page frames behind addresses. Linux counterpart: {@code get_user_pages}.
   *
   * @return a new one, for one thread
   */
  public GetUserPages getUserPages() {
    return new GetUserPages(mm, faults);
  }

  /**
   * Finds the entry for an address of I/O memory or of page frame numbers, and keeps it as it is
   * until the answer is closed. A MIXEDMAP mapping is refused. Linux counterpart: {@code
   * follow_pfnmap_start} (mm/memory.c).
   *
   * @param va the address
   * @return the entry, to be closed by the same thread
   * @throws MapException EINVAL if the mapping has neither IO nor PFNMAP, or nothing is mapped
   */
  public FollowedPfn followPfnMap(long va) throws MapException {
    return FollowedPfn.start(mm, va);
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
    AddressSpace child = mm.manager().newAddressSpace(childName);
    boolean whole = false;
    try {
      new Forker(mm, child.mm).copy();
      whole = true;
      return child;
    } finally {
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
   * @param pfn the page frame number; in a MIXEDMAP mapping one that has no page frame
   * @return how it ended
   * @throws IllegalStateException if the mapping is not one for such entries (BUG)
   */
  public Errno insertPfn(long va, Pfn pfn) {
    return insertion.insertPfn(va, pfn.value());
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
    return insertion.insertMixed(va, pfn.value());
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
    return insertion.insertFrame(va, pfn.value());
  }

  /**
   * Lets the MMU of a processor walk the page table. From now on its marks in present entries are
   * kept, and it is flushed whenever a translation that it may have cached stops being true.
   *
   * @param mmu the MMU
   * @throws MapException ESRCH if the space is closed
   */
  public void attach(Mmu mmu) throws MapException {
    mm.attach(mmu);
  }

  /**
   * Notes that an MMU does not walk the page table any more.
   *
   * @param mmu an MMU that was attached
   */
  public void detach(Mmu mmu) {
    mm.detach(mmu);
  }

  /**
   * Unmaps everything and frees the tables. The second call does nothing. Linux counterpart: {@code
   * exit_mmap} (mm/mmap.c).
   *
   * @throws IllegalStateException if an MMU is attached
   */
  @Override
  public void close() {
    unmapCall.exit();
  }
}
