package dev.xip.phys;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.host.Reservation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.stream.LongStream;

/**
 * The mem_map: one array of records of 64 bytes, from frame 0 to the end of the last bank of RAM,
 * or of its section. Sized when the machine boots; it never grows, and a segment adds nothing to
 * it, unless the machine is booted with {@link RegionFrames}. Linux counterpart: {@code struct
 * page} (include/linux/mm_types.h).
 *
 * <p>Frames of holes between banks and behind the last bank have records because an array does; no
 * memory is taken for them unless a memory model calls such a frame valid and an entry for it is
 * counted. Then they are what the kernel's boot makes of them ({@code memmap_init_zone} of 2.6.24):
 * a frame in a hole is {@link FrameUse#RESERVED} and has a reference of its own; one behind the
 * last bank is zeroed memory, neither reserved nor free. {@code Verifier} reports both.
 *
 * <p>Counts are changed atomically and need no lock. A reference count of zero belongs to a free
 * frame; a map count never passes the reference count.
 */
public final class PageFrames implements AutoCloseable {
  /** The size of one record in bytes, as {@code struct page} has it on 64-bit machines. */
  public static final long RECORD_BYTES = 64;

  private static final long USE = 0;
  private static final long REFERENCES = 4;
  private static final long MAPPINGS = 8;
  private static final long LOCK = 12;
  private static final long LINK = 16;
  private static final long RUN = 60;

  /** Values of the lock word: free, ... */
  private static final int OPEN = 0;

  /** ... held, ... */
  private static final int LOCKED = 1;

  /** ... or free, and not held since the table was filled. */
  private static final int SEALED = 2;

  private static final VarHandle INT = ValueLayout.JAVA_INT.varHandle();
  private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();

  private final Reservation reservation;
  private final MemorySegment records;
  private final long end;

  /** Alternating first frames and ends of the banks, ascending. */
  private final long[] bounds;

  private final RegionFrames regionFrames;

  /** Changed under the monitor. */
  private final RegionRecords regions;

  private PageFrames(Reservation reservation, RamBanks banks, RegionFrames regionFrames) {
    this.reservation = reservation;
    this.regionFrames = regionFrames;
    this.records = reservation.memory();
    this.end = banks.memMapFrames();
    this.regions = new RegionRecords(reservation, end);
    this.bounds =
        banks.ranges().stream()
            .flatMapToLong(bank -> LongStream.of(bank.start(), bank.end()))
            .map(address -> address >>> Pages.SHIFT)
            .toArray();
  }

  /**
   * Makes the page frames of RAM.
   *
   * @param windowFrames the frames that regions may bring along have numbers below this
   */
  static PageFrames of(RamBanks banks, RegionFrames regionFrames, long windowFrames)
      throws HostException {
    long bytes = Pages.roundUp(Math.multiplyExact(banks.memMapFrames(), RECORD_BYTES));
    long most = regionFrames == RegionFrames.NONE ? 0 : Pages.roundUp(windowFrames * RECORD_BYTES);
    Reservation reservation = Reservation.readableZeros(Math.max(bytes, most));
    try {
      reservation.mapAnonymous(0, bytes, Access.READ_WRITE);
    } catch (HostException e) {
      reservation.close();
      throw e;
    }
    return new PageFrames(reservation, banks, regionFrames);
  }

  /** {@return whether regions bring page frames along, and how these are counted} */
  public RegionFrames regionFrames() {
    return regionFrames;
  }

  /**
   * Makes page frames for a region, all idle, if the machine has them. Linux counterpart: {@code
   * memremap_pages}.
   *
   * @throws IllegalStateException if the host has no memory for them
   */
  synchronized void makeFor(Region region) {
    if (regionFrames == RegionFrames.NONE) {
      return;
    }
    long first = region.range().start() >>> Pages.SHIFT;
    long regionEnd = region.range().end() >>> Pages.SHIFT;
    try {
      regions.add(first, regionEnd);
    } catch (HostException e) {
      throw new IllegalStateException(
          "region %s: expected memory for its page frames".formatted(region), e);
    }
    for (long pfn = first; pfn < regionEnd; pfn++) {
      setUse(pfn, FrameUse.DEVICE);
      setReferences(pfn, regionFrames.idleReferences());
    }
  }

  /**
   * Takes the page frames of a region away, if the machine has made them. Linux counterpart: {@code
   * memunmap_pages}, which waits until all are idle; here that is a precondition.
   *
   * @throws IllegalStateException if a frame is mapped or pinned
   */
  synchronized void dropFor(Region region) throws HostException {
    if (regionFrames == RegionFrames.NONE) {
      return;
    }
    long first = region.range().start() >>> Pages.SHIFT;
    long regionEnd = region.range().end() >>> Pages.SHIFT;
    for (long pfn = first; pfn < regionEnd; pfn++) {
      if (references(pfn) != regionFrames.idleReferences()) {
        throw new IllegalStateException(
            "region %s: expected idle page frames, found %d references to pfn 0x%x"
                .formatted(region, references(pfn), pfn));
      }
    }
    for (long pfn = first; pfn < regionEnd; pfn++) {
      setUse(pfn, FrameUse.FREE);
      setReferences(pfn, 0);
    }
    regions.remove(first, regionEnd);
  }

  /**
   * Counts the references to a frame of a region that neither the device nor an entry holds. Linux
   * counterpart: {@code dax_busy_page} (fs/dax.c).
   *
   * @param pfn a page frame number
   * @return how often the frame is pinned; 0 for RAM and for a page without a frame
   */
  public int pins(long pfn) {
    if (!isOfRegion(pfn)) {
      return 0;
    }
    int entries = regionFrames == RegionFrames.COUNTED ? mappings(pfn) : 0;
    return references(pfn) - regionFrames.idleReferences() - entries;
  }

  /**
   * Tells whether a frame belongs to a region that brought page frames along.
   *
   * @param pfn a page frame number
   * @return false for RAM, and on machines whose regions have no page frames
   */
  public boolean isOfRegion(long pfn) {
    return regions.contain(pfn);
  }

  /** {@return the number of frames of RAM} */
  public long count() {
    long count = 0;
    for (int i = 0; i < bounds.length; i += 2) {
      count += bounds[i + 1] - bounds[i];
    }
    return count;
  }

  /** {@return the first frame number without a record} */
  public long end() {
    return end;
  }

  /** {@return the size of the mem_map in bytes, with the records of holes and of regions} */
  public long bytes() {
    return (end + regions.framesBehindRam()) * RECORD_BYTES;
  }

  /** {@return the first number behind all frames that have records} */
  public long limit() {
    return Math.max(end, regions.limit());
  }

  /**
   * Tells whether a frame number has a record.
   *
   * @param pfn a page frame number
   * @return true for frames of RAM, of regions that have them, of holes between banks, and of the
   *     rest of the last section where the mem_map is made in sections
   */
  public boolean contains(long pfn) {
    return pfn >= 0 && (pfn < end || isOfRegion(pfn));
  }

  /**
   * Tells whether a frame is one of RAM, which may be counted and handed out. This is what
   * pfn_valid is asked for on a machine whose regions have no page frames.
   *
   * @param pfn a page frame number
   * @return false for frames of holes, although they have records
   */
  public boolean isRam(long pfn) {
    int bound = 0;
    while (bound < bounds.length && bounds[bound] <= pfn) {
      bound++;
    }
    return (bound & 1) != 0;
  }

  /**
   * Returns what a frame is used for.
   *
   * @param pfn a frame of RAM
   * @return its use
   */
  public FrameUse use(long pfn) {
    return FrameUse.of((int) INT.getAcquire(records, at(pfn, USE)));
  }

  void setUse(long pfn, FrameUse use) {
    INT.setRelease(records, at(pfn, USE), use.ordinal());
  }

  /**
   * Returns the reference count.
   *
   * @param pfn a frame of RAM
   * @return the number of references, 0 if the frame is free
   */
  public int references(long pfn) {
    return (int) INT.getAcquire(records, at(pfn, REFERENCES));
  }

  void setReferences(long pfn, int value) {
    INT.setRelease(records, at(pfn, REFERENCES), value);
  }

  /**
   * Takes a reference. Linux counterpart: {@code get_page}.
   *
   * @param pfn a frame of RAM that is in use
   * @throws IllegalStateException if the frame is free
   */
  public void get(long pfn) {
    if ((int) INT.getAndAdd(records, at(pfn, REFERENCES), 1) <= 0) {
      requireOutsideRam(pfn);
    }
  }

  /** The first reference to a frame of a hole finds it reserved, with a reference of its own. */
  private void requireOutsideRam(long pfn) {
    if (isRam(pfn)) {
      throw new IllegalStateException("reference taken on free frame, pfn 0x%x".formatted(pfn));
    }
    if (pfn < bounds[bounds.length - 1] && use(pfn) != FrameUse.DEVICE) {
      setUse(pfn, FrameUse.RESERVED);
      INT.getAndAdd(records, at(pfn, REFERENCES), 1);
    }
  }

  /**
   * Takes a reference to a frame that may be free by now. Linux counterpart: {@code
   * get_page_unless_zero}.
   *
   * @param pfn any page frame number
   * @return false if it has no record or is free
   */
  public boolean tryGet(long pfn) {
    if (!contains(pfn)) {
      return false;
    }
    int seen = references(pfn);
    while (seen > 0) {
      int found = (int) INT.compareAndExchange(records, at(pfn, REFERENCES), seen, seen + 1);
      if (found == seen) {
        return true;
      }
      seen = found;
    }
    return false;
  }

  /**
   * Drops a reference without freeing; callers use {@link FrameAllocator#put}.
   *
   * @param pfn a frame of RAM that is in use
   * @return the count that is left
   * @throws IllegalStateException if there was none to drop
   */
  int drop(long pfn) {
    int left = (int) INT.getAndAdd(records, at(pfn, REFERENCES), -1) - 1;
    if (left < 0) {
      throw new IllegalStateException("reference dropped on free frame, pfn 0x%x".formatted(pfn));
    }
    return left;
  }

  /**
   * Returns how many page-table entries map a frame. Linux counterpart: {@code page_mapcount}.
   *
   * @param pfn a frame of RAM
   * @return the number of entries
   */
  public int mappings(long pfn) {
    return (int) INT.getAcquire(records, at(pfn, MAPPINGS));
  }

  /**
   * Counts one more entry. Linux counterpart: {@code page_add_file_rmap}.
   *
   * @param pfn a frame of RAM
   */
  public void addMapping(long pfn) {
    INT.getAndAdd(records, at(pfn, MAPPINGS), 1);
  }

  /**
   * Counts one entry less. Linux counterpart: {@code page_remove_rmap}, which counts below zero.
   *
   * @param pfn a frame of RAM
   * @return false if no entry was counted: then the count stays zero
   */
  public boolean removeMapping(long pfn) {
    long mappings = at(pfn, MAPPINGS);
    if ((int) INT.getAndAdd(records, mappings, -1) > 0) {
      return true;
    }
    INT.getAndAdd(records, mappings, 1);
    return false;
  }

  /**
   * Tries to take the lock word in a frame's record, which guards the entries when the frame is a
   * page table. Linux counterpart: {@code page->ptl} (split page-table locks).
   *
   * @param pfn a frame of RAM
   * @return true if the lock is now the caller's
   */
  public boolean tryLock(long pfn) {
    long lock = at(pfn, LOCK);
    return INT.compareAndSet(records, lock, OPEN, LOCKED)
        || INT.compareAndSet(records, lock, SEALED, LOCKED);
  }

  /**
   * Seals a table that was just filled. Taking the lock breaks the seal, so the entries of a sealed
   * table are unchanged.
   *
   * @param pfn a frame of RAM to which no entry points yet. If a walker that found the frame in its
   *     former use holds the lock, the table is not sealed
   */
  public void seal(long pfn) {
    INT.compareAndSet(records, at(pfn, LOCK), OPEN, SEALED);
  }

  /**
   * Breaks the seal of a table, without taking its lock.
   *
   * @param pfn a frame of RAM
   * @return false if there was none
   */
  public boolean unseal(long pfn) {
    return INT.compareAndSet(records, at(pfn, LOCK), SEALED, OPEN);
  }

  /**
   * Tells whether the lock has not been taken since {@link #seal}.
   *
   * @param pfn a frame of RAM
   * @return true if the table is sealed
   */
  public boolean isSealed(long pfn) {
    return (int) INT.getAcquire(records, at(pfn, LOCK)) == SEALED;
  }

  /**
   * Releases the lock word.
   *
   * @param pfn a frame of RAM whose lock the caller holds
   * @throws IllegalStateException if it is not held
   */
  public void unlock(long pfn) {
    if ((int) INT.getOpaque(records, at(pfn, LOCK)) != LOCKED) {
      throw new IllegalStateException("lock of pfn 0x%x released but not held".formatted(pfn));
    }
    INT.setRelease(records, at(pfn, LOCK), OPEN);
  }

  /** The next free frame, while this one is free. Guarded by the allocator's lock. */
  long link(long pfn) {
    return (long) LONG.get(records, at(pfn, LINK));
  }

  void setLink(long pfn, long next) {
    LONG.set(records, at(pfn, LINK), next);
  }

  /** The frames of the run that begins with this one: 1 unless it was allocated as a longer one. */
  int run(long pfn) {
    return Math.max(1, (int) INT.getAcquire(records, at(pfn, RUN)));
  }

  void setRun(long pfn, int pages) {
    INT.setRelease(records, at(pfn, RUN), pages);
  }

  @Override
  public void close() {
    reservation.close();
  }

  private long at(long pfn, long field) {
    if (!contains(pfn)) {
      throw new IllegalArgumentException(
          "pfn 0x%x: expected a page frame with a record, 0..0x%x".formatted(pfn, end - 1));
    }
    return pfn * RECORD_BYTES + field;
  }
}
