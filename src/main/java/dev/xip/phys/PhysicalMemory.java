package dev.xip.phys;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.host.Errno;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.Reservation;
import dev.xip.host.Sharing;
import dev.xip.host.WindowSpace;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The physical memory window of one machine. Invariants: RAM lies at pfn 0 and is the only part
 * with page frames; every other page belongs to exactly one {@link Region}, or is a readable zero
 * page, or lies where a writable region was released and is private memory, zero at first: a store
 * that comes late, through an entry that outlived the region, goes nowhere and kills nobody. That
 * lasts until a region is claimed there.
 *
 * <p>Reserving the window commits nothing: it may be terabytes wide. Claims and releases are
 * serialised by this object's monitor; reading the window needs no lock.
 */
public final class PhysicalMemory implements AutoCloseable {
  /** The window's size when nobody says otherwise: 64 GiB. */
  public static final long DEFAULT_WINDOW_BYTES = 64L << 30;

  /** The size of RAM when nobody says otherwise: 1 GiB. */
  public static final long DEFAULT_RAM_BYTES = 1L << 30;

  /**
   * What the windows of all machines are parts of: a constant, so that loads from it are checked
   * against constants alone. Readable at any time, whatever lies there; written through {@link
   * #window} only.
   */
  public static final MemorySegment ALL_WINDOWS = WindowSpace.MEMORY;

  private final Reservation reservation;
  private final MemorySegment window;
  private final long ramBytes;
  private final PageFrames frames;
  private final FrameAllocator allocator;

  /**
   * By first address; RAM is the first, and no two overlap. Changed under this object's monitor.
   */
  private final NavigableMap<Long, Region> regions = new ConcurrentSkipListMap<>();

  /**
   * Where writable regions were released and nothing has been claimed since, by first address; no
   * two overlap. Guarded by this object's monitor.
   */
  private final NavigableMap<Long, AddrRange> lateStores = new TreeMap<>();

  /** Told of every claim and release. Guarded by this object's monitor. */
  private final List<MemoryModel> models = new ArrayList<>();

  private PhysicalMemory(Reservation reservation, long ramBytes, PageFrames frames) {
    this.reservation = reservation;
    this.window = reservation.memory();
    this.ramBytes = ramBytes;
    this.frames = frames;
    this.allocator = new FrameAllocator(window, frames);
    regions.put(0L, new Region("RAM", new AddrRange(0, ramBytes), false));
  }

  /**
   * Reserves a window and maps RAM at its bottom.
   *
   * @param windowBytes the window's size in bytes, page aligned
   * @param ramBytes the size of RAM in bytes, page aligned, at least one page and at most the
   *     window
   * @return the memory
   * @throws IllegalArgumentException if a size is not aligned or RAM does not fit (EINVAL)
   * @throws HostException if the host does not give the address space
   */
  public static PhysicalMemory boot(long windowBytes, long ramBytes) throws HostException {
    Pages.requireAligned(windowBytes, "window size");
    Pages.requireAligned(ramBytes, "RAM size");
    if (ramBytes < Pages.SIZE || ramBytes > windowBytes) {
      throw new IllegalArgumentException(
          "EINVAL: RAM size 0x%x: expected 0x1000 up to the window's 0x%x"
              .formatted(ramBytes, windowBytes));
    }
    Reservation reservation = Reservation.window(windowBytes);
    try {
      reservation.mapAnonymous(0, ramBytes, Access.READ_WRITE);
      return new PhysicalMemory(reservation, ramBytes, PageFrames.forRam(ramBytes >>> Pages.SHIFT));
    } catch (HostException | RuntimeException e) {
      reservation.close();
      throw e;
    }
  }

  /**
   * Returns the whole window.
   *
   * @return memory in which byte {@code pfn << 12} is the first byte of frame {@code pfn}
   */
  public MemorySegment window() {
    return window;
  }

  /**
   * Returns where the window lies in {@link #ALL_WINDOWS}.
   *
   * @return the byte offset of frame 0
   */
  public long windowOffset() {
    return window.address() - ALL_WINDOWS.address();
  }

  /**
   * Returns the window's size.
   *
   * @return the size in bytes
   */
  public long windowBytes() {
    return window.byteSize();
  }

  /**
   * Returns the size of RAM.
   *
   * @return the size in bytes
   */
  public long ramBytes() {
    return ramBytes;
  }

  /**
   * Returns the mem_map.
   *
   * @return the page frames of RAM
   */
  public PageFrames frames() {
    return frames;
  }

  /**
   * Returns the allocator of RAM.
   *
   * @return the frame allocator
   */
  public FrameAllocator allocator() {
    return allocator;
  }

  /**
   * Claims a range. Linux counterpart: {@code request_resource} (kernel/resource.c).
   *
   * @param name who claims it
   * @param physical the physical addresses, page aligned, not empty, inside the window
   * @param readOnly whether files are only ever mapped into it for reading
   * @return the region, readable zero pages until something is mapped into it
   * @throws RegionBusyException if RAM or another region holds part of the range
   * @throws HostException if the host refuses to take back what late stores left there
   * @throws IllegalArgumentException if the range is empty, not aligned or past the window
   */
  public synchronized Region claim(String name, AddrRange physical, boolean readOnly)
      throws RegionBusyException, HostException {
    Pages.requireAligned(physical.start(), "region start");
    Pages.requireAligned(physical.length(), "region length");
    if (physical.length() == 0 || physical.end() > windowBytes()) {
      throw new IllegalArgumentException(
          "ERANGE: region %s %s: expected a range inside the window of 0x%x bytes"
              .formatted(name, physical, windowBytes()));
    }
    Region wanted = new Region(name, physical, readOnly);
    Region holder = holder(physical).orElse(null);
    if (holder != null) {
      throw new RegionBusyException(wanted, holder);
    }
    forgetLateStores(physical);
    models.forEach(model -> model.addSegment(wanted));
    regions.put(physical.start(), wanted);
    return wanted;
  }

  private void forgetLateStores(AddrRange physical) throws HostException {
    Map.Entry<Long, AddrRange> last;
    while ((last = lateStores.lowerEntry(physical.end())) != null
        && last.getValue().overlaps(physical)) {
      reservation.mapZeros(last.getKey(), last.getValue().length());
      lateStores.remove(last.getKey());
    }
  }

  /**
   * Finds what holds a part of a range.
   *
   * @param physical physical addresses
   * @return the region that overlaps the range, the highest if there are several
   */
  public Optional<Region> holder(AddrRange physical) {
    // Regions do not overlap, so if the last that starts below the end does not, none does.
    Map.Entry<Long, Region> last = regions.lowerEntry(physical.end());
    return last != null && last.getValue().range().overlaps(physical)
        ? Optional.of(last.getValue())
        : Optional.empty();
  }

  /**
   * Maps part of a file at its place in a region.
   *
   * @param region a claimed region
   * @param offsetInRegion where in the region, in bytes, page aligned
   * @param file the file
   * @param fileOffset where in the file, in bytes, page aligned
   * @param length how many bytes, page aligned
   * @param access the rights of the mapping
   * @param sharing whether stores reach the file
   * @throws HostException if the host refuses; what was there before stays
   * @throws IllegalArgumentException if the range leaves the region, the region is not claimed, or
   *     write access to a read-only region is asked for
   */
  public synchronized void mapFile(
      Region region,
      long offsetInRegion,
      HostFile file,
      long fileOffset,
      long length,
      Access access,
      Sharing sharing)
      throws HostException {
    requireClaimed(region);
    if (offsetInRegion < 0 || length < 0 || offsetInRegion > region.range().length() - length) {
      throw new IllegalArgumentException(
          "EINVAL: 0x%x bytes at offset 0x%x: expected a range inside region %s"
              .formatted(length, offsetInRegion, region));
    }
    if (region.readOnly() && access.write()) {
      throw new IllegalArgumentException("EACCES: write access to region " + region);
    }
    reservation.mapFile(
        region.range().start() + offsetInRegion, length, file, fileOffset, access, sharing);
  }

  /**
   * Gives a region back. Readers that are late see zeros, never a fault. If the region was
   * writable, so do writers: what they store is seen by late readers alone, and takes memory until
   * the place is claimed again. (A host that counts all private memory may refuse that much of it;
   * late writers are then not caught.)
   *
   * @param region a claimed region
   * @throws HostException if the host refuses; the region then stays claimed
   * @throws IllegalArgumentException if the region is not claimed
   */
  public synchronized void release(Region region) throws HostException {
    requireClaimed(region);
    AddrRange range = region.range();
    if (region.readOnly() || !mapForLateStores(range)) {
      reservation.mapZeros(range.start(), range.length());
    }
    regions.remove(range.start());
    models.forEach(model -> model.removeSegment(region));
  }

  private boolean mapForLateStores(AddrRange range) throws HostException {
    try {
      reservation.mapAnonymous(range.start(), range.length(), Access.READ_WRITE);
      lateStores.put(range.start(), range);
      return true;
    } catch (HostException e) {
      if (e.errno() == Errno.ENOMEM) {
        return false;
      }
      throw e;
    }
  }

  /**
   * Initialises a memory model: tells it of RAM and of the regions claimed so far, and from now on
   * of every claim and release.
   *
   * @param model a model that was not attached before
   */
  public synchronized void attach(MemoryModel model) {
    model.addRam(new AddrRange(0, ramBytes));
    regions.values().stream().filter(region -> !isRam(region)).forEach(model::addSegment);
    models.add(model);
  }

  /**
   * Lists what lies in the window.
   *
   * @return the regions by address, RAM first
   */
  public List<Region> regions() {
    return List.copyOf(regions.values());
  }

  /** Gives the window and the page frames back to the host. Late accesses throw. */
  @Override
  public synchronized void close() {
    regions.clear();
    frames.close();
    reservation.close();
  }

  private void requireClaimed(Region region) {
    if (!region.equals(regions.get(region.range().start())) || isRam(region)) {
      throw new IllegalArgumentException("EINVAL: region " + region + " is not claimed");
    }
  }

  private boolean isRam(Region region) {
    return region.range().start() < ramBytes;
  }
}
