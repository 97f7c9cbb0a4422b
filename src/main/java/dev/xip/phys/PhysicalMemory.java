package dev.xip.phys;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.host.HostException;
import dev.xip.host.HostFile;
import dev.xip.host.Reservation;
import dev.xip.host.Sharing;
import dev.xip.host.WindowSpace;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Stream;

/**
 * The physical memory window of one machine. Invariants: RAM begins at pfn 0 and is the only part
 * with page frames to hand out; every other page, in a hole between banks too, belongs to exactly
 * one {@link Region} or is a readable zero page. Stores go to RAM and to where a file is mapped for
 * writing, through memory that is closed to them before anything else is mapped there; a store
 * anywhere else is refused before it is made.
 *
 * <p>Reserving the window commits nothing: it may be terabytes wide. Claims and releases are
 * serialised by this object's monitor; reading the window needs no lock.
 */
public final class PhysicalMemory implements AutoCloseable {
  /** The default size of the window: 64 GiB. */
  public static final long DEFAULT_WINDOW_BYTES = 64L << 30;

  /** The default size of RAM: 1 GiB. */
  public static final long DEFAULT_RAM_BYTES = 1L << 30;

  /**
   * The range that contains the windows of all machines: a constant, so that the bounds check of a
   * load compares with constants. Read-only, and readable at any time.
   */
  public static final MemorySegment ALL_WINDOWS = WindowSpace.MEMORY;

  private final Reservation reservation;
  private final MemorySegment window;
  private final MemorySegment ram;
  private final RamBanks banks;
  private final PageFrames frames;
  private final FrameAllocator allocator;

  /**
   * By first address; a bank of RAM is the first, and no two overlap. Changed under this object's
   * monitor.
   */
  private final NavigableMap<Long, Region> regions = new ConcurrentSkipListMap<>();

  /** The open memories by the address of their window. */
  private static final ConcurrentSkipListMap<Long, PhysicalMemory> OPEN =
      new ConcurrentSkipListMap<>();

  /** The parts that may be stored into, in order of address. Replaced under the monitor. */
  private volatile StorablePart[] storable;

  /** Guarded by this object's monitor. */
  private final Boot boot;

  /** Guarded by this object's monitor. */
  private final List<RegionListener> listeners = new ArrayList<>();

  private PhysicalMemory(Reservation reservation, RamBanks banks, PageFrames frames) {
    this.reservation = reservation;
    this.window = reservation.memory().asReadOnly();
    this.ram = reservation.memory().asSlice(0, banks.end());
    this.banks = banks;
    this.boot = new Boot(banks);
    this.frames = frames;
    this.storable =
        banks.ranges().stream()
            .map(bank -> new StorablePart(bank, ram.asSlice(bank.start(), bank.length()), null))
            .toArray(StorablePart[]::new);
    this.allocator = new FrameAllocator(ram, frames, banks);
    banks.ranges().forEach(bank -> regions.put(bank.start(), new Region("RAM", bank, false)));
    OPEN.put(window.address(), this);
  }

  /**
   * Boots with RAM in one bank at the bottom of the window.
   *
   * @param windowBytes the window's size in bytes, page aligned
   * @param ramBytes the size of RAM in bytes, page aligned, at least one page and at most the
   *     window
   * @return the memory
   * @throws IllegalArgumentException if a size is not aligned or RAM does not fit (EINVAL)
   * @throws HostException if the host refuses the address space
   */
  public static PhysicalMemory boot(long windowBytes, long ramBytes) throws HostException {
    return boot(windowBytes, RamBanks.of(ramBytes));
  }

  /**
   * Boots with RAM in banks, through all steps.
   *
   * @param windowBytes the window's size in bytes, page aligned
   * @param banks where RAM lies
   * @return the memory
   * @throws IllegalArgumentException if RAM does not fit into the window (EINVAL)
   * @throws HostException if the host refuses the address space
   */
  public static PhysicalMemory boot(long windowBytes, RamBanks banks) throws HostException {
    return boot(windowBytes, banks, RegionFrames.NONE);
  }

  /**
   * Boots with RAM in banks, and chooses whether regions bring page frames along.
   *
   * @param windowBytes the window's size in bytes, page aligned
   * @param banks where RAM lies
   * @param regionFrames whether each claimed region gets page frames
   * @return the memory
   * @throws IllegalArgumentException if RAM does not fit into the window (EINVAL)
   * @throws HostException if the host refuses the address space
   */
  public static PhysicalMemory boot(long windowBytes, RamBanks banks, RegionFrames regionFrames)
      throws HostException {
    PhysicalMemory memory = start(windowBytes, banks, regionFrames);
    memory.reach(BootStep.SEGMENTS);
    return memory;
  }

  /**
   * Reserves a window and maps RAM into it. The boot is at {@link BootStep#START}: memory models
   * are told of nothing before {@link #reach}.
   *
   * @param windowBytes the window's size in bytes, page aligned
   * @param banks where RAM lies
   * @return the memory
   * @throws IllegalArgumentException if RAM does not fit into the window (EINVAL)
   * @throws HostException if the host refuses the address space
   */
  public static PhysicalMemory start(long windowBytes, RamBanks banks) throws HostException {
    return start(windowBytes, banks, RegionFrames.NONE);
  }

  private static PhysicalMemory start(long windowBytes, RamBanks banks, RegionFrames regionFrames)
      throws HostException {
    Pages.requireAligned(windowBytes, "window size");
    if (banks.end() > windowBytes) {
      throw new IllegalArgumentException(
          Errno.EINVAL.message(
              "RAM %s: expected its end inside the window of 0x%x bytes", banks, windowBytes));
    }
    Reservation reservation = Reservation.window(windowBytes);
    try {
      for (AddrRange bank : banks.ranges()) {
        reservation.mapAnonymous(bank.start(), bank.length(), Access.READ_WRITE);
      }
      return new PhysicalMemory(
          reservation, banks, PageFrames.of(banks, regionFrames, windowBytes >>> Pages.SHIFT));
    } catch (HostException | RuntimeException e) {
      reservation.close();
      throw e;
    }
  }

  /**
   * Goes on with the boot and tells the attached memory models what each step makes known.
   *
   * @param last the last step to be made
   * @throws IllegalStateException if the boot is past it
   */
  public synchronized void reach(BootStep last) {
    boot.reach(last);
  }

  /**
   * {@return the whole window: read-only memory in which byte {@code pfn << 12} is the first byte
   * of frame {@code pfn}; {@link #storable} returns a writable part}
   */
  public MemorySegment window() {
    return window;
  }

  /**
   * {@return the window up to the end of RAM: memory in which byte {@code pfn << 12} is the first
   * byte of frame {@code pfn}} Precondition of a store: the frame is one of a bank. {@link #store}
   * and {@link #storable} check it.
   */
  public MemorySegment ram() {
    return ram;
  }

  /**
   * Returns a part of a window as writable memory.
   *
   * @param part some of a machine's {@link #window}
   * @return the same bytes, writable until the region that contains them is released or something
   *     else is mapped there
   * @throws IllegalArgumentException if they do not all lie in RAM, or all in one region where
   *     files are mapped for writing (EACCES)
   */
  public static MemorySegment storable(MemorySegment part) {
    Map.Entry<Long, PhysicalMemory> owner = OPEN.floorEntry(part.address());
    MemorySegment found =
        owner == null
            ? null
            : owner.getValue().storable(part.address() - owner.getKey(), part.byteSize());
    if (found == null) {
      throw new IllegalArgumentException(
          Errno.EACCES.message(
              "0x%x bytes at 0x%x: expected RAM or a file mapped for writing in a window",
              part.byteSize(), part.address()));
    }
    return found;
  }

  private MemorySegment storable(long physical, long bytes) {
    StorablePart first = storablePart(physical);
    StorablePart last = first;
    while (last != null && last.arena() == first.arena() && last.range().end() < physical + bytes) {
      last = storablePart(last.range().end());
    }
    if (last == null || last.arena() != first.arena()) {
      return null;
    }
    return first.arena() == null
        ? ram.asSlice(physical, bytes)
        : reservation.part(physical, bytes, first.arena());
  }

  private StorablePart storablePart(long physical) {
    StorablePart[] parts = storable;
    int low = 0;
    int high = parts.length - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (parts[middle].range().start() <= physical) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return parts[low].holds(physical) ? parts[low] : null;
  }

  /**
   * Stores bytes at physical addresses, if all of them may be stored into. Does not allocate.
   *
   * @param source where the bytes come from
   * @param offset the byte offset there
   * @param physical the address that the first goes to
   * @param bytes how many
   * @return false if an address does not lie in RAM or where a file is mapped for writing: then
   *     nothing was stored, unless a region was released meanwhile
   */
  public boolean store(MemorySegment source, long offset, long physical, long bytes) {
    return physical >= 0
        && bytes <= windowBytes() - physical
        && eachPart(null, 0, physical, bytes)
        && eachPart(source, offset, physical, bytes);
  }

  /** Stores part by part; without a source it only checks that a part contains each byte. */
  private boolean eachPart(MemorySegment source, long offset, long physical, long bytes) {
    for (long done = 0; done < bytes; ) {
      StorablePart part = storablePart(physical + done);
      if (part == null) {
        return false;
      }
      long to = physical + done - part.range().start();
      long length = Math.min(bytes - done, part.memory().byteSize() - to);
      if (source != null && !copied(source, offset + done, part, to, length)) {
        return false;
      }
      done += length;
    }
    return true;
  }

  private static boolean copied(
      MemorySegment source, long from, StorablePart part, long to, long length) {
    try {
      MemorySegment.copy(source, from, part.memory(), to, length);
      return true;
    } catch (IllegalStateException closed) {
      if (part.memory().scope().isAlive()) {
        throw closed;
      }
      return false;
    }
  }

  /** {@return the byte offset of frame 0 in {@link #ALL_WINDOWS}} */
  public long windowOffset() {
    return window.address() - ALL_WINDOWS.address();
  }

  /** {@return the window's size in bytes} */
  public long windowBytes() {
    return window.byteSize();
  }

  /** {@return where RAM lies} */
  public RamBanks banks() {
    return banks;
  }

  /** {@return the size of RAM in bytes, without holes} */
  public long ramBytes() {
    return banks.bytes();
  }

  /** {@return the mem_map: the page frames of RAM} */
  public PageFrames frames() {
    return frames;
  }

  /** {@return the frame allocator of RAM} */
  public FrameAllocator allocator() {
    return allocator;
  }

  /**
   * Claims a range. Linux counterpart: {@code request_resource} (kernel/resource.c).
   *
   * @param name the claimant
   * @param physical the physical addresses, page aligned, not empty, inside the window
   * @param readOnly whether files are only ever mapped into it for reading
   * @return the region, readable zero pages until something is mapped into it
   * @throws RegionBusyException if RAM or another region holds part of the range
   * @throws IllegalArgumentException if the range is empty, not aligned or past the window
   * @throws IllegalStateException if the boot has not come to {@link BootStep#SEGMENTS}, or the
   *     host has no memory for the region's page frames
   */
  public synchronized Region claim(String name, AddrRange physical, boolean readOnly)
      throws RegionBusyException {
    Pages.requireAligned(physical.start(), "region start");
    Pages.requireAligned(physical.length(), "region length");
    if (physical.length() == 0 || physical.end() > windowBytes()) {
      throw new IllegalArgumentException(
          Errno.ERANGE.message(
              "region %s %s: expected a range inside the window of 0x%x bytes",
              name, physical, windowBytes()));
    }
    boot.requireDone(name);
    Region wanted = new Region(name, physical, readOnly);
    Region holder = holder(physical).orElse(null);
    if (holder != null) {
      throw new RegionBusyException(wanted, holder);
    }
    frames.makeFor(wanted);
    listeners.forEach(listener -> listener.claimed(wanted));
    boot.added(physical);
    regions.put(physical.start(), wanted);
    return wanted;
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
   * @throws HostException if the host refuses; what was there before stays, but it cannot be stored
   *     into any more
   * @throws IllegalStateException if a native call is using memory there that may be stored into
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
          Errno.EINVAL.message(
              "0x%x bytes at offset 0x%x: expected a range inside region %s",
              length, offsetInRegion, region));
    }
    if (region.readOnly() && access.write()) {
      throw new IllegalArgumentException(Errno.EACCES.message("write access to region %s", region));
    }
    AddrRange place = AddrRange.ofLength(region.range().start() + offsetInRegion, length);
    closeToStores(place);
    reservation.mapFile(place.start(), length, file, fileOffset, access, sharing);
    if (access.write()) {
      openToStores(region, place);
    }
  }

  /** Parts of one region share an arena, so that one memory segment may span them. */
  private void openToStores(Region region, AddrRange place) {
    Arena arena =
        Arrays.stream(storable)
            .filter(each -> each.arena() != null && each.range().overlaps(region.range()))
            .map(StorablePart::arena)
            .findFirst()
            .orElseGet(Arena::ofShared);
    MemorySegment part = reservation.part(place.start(), place.length(), arena);
    storable =
        Stream.concat(Arrays.stream(storable), Stream.of(new StorablePart(place, part, arena)))
            .sorted(Comparator.comparingLong(each -> each.range().start()))
            .toArray(StorablePart[]::new);
  }

  private void closeToStores(AddrRange place) {
    for (StorablePart each : storable) {
      Arena arena = each.arena();
      if (arena != null && arena.scope().isAlive() && each.range().overlaps(place)) {
        arena.close();
      }
    }
    storable =
        Arrays.stream(storable)
            .filter(each -> each.memory().scope().isAlive())
            .toArray(StorablePart[]::new);
  }

  /**
   * Releases a region. Later loads see zeros, never a fault; later stores are refused.
   *
   * @param region a claimed region
   * @throws HostException if the host refuses; the region then stays claimed, but it cannot be
   *     stored into any more
   * @throws IllegalStateException if a native call is using memory of the region that may be stored
   *     into, or one of its page frames is mapped or pinned
   * @throws IllegalArgumentException if the region is not claimed
   */
  public synchronized void release(Region region) throws HostException {
    requireClaimed(region);
    frames.dropFor(region);
    AddrRange range = region.range();
    closeToStores(range);
    reservation.mapZeros(range.start(), range.length());
    listeners.forEach(listener -> listener.released(region));
    regions.remove(range.start());
    boot.removed(range);
  }

  /**
   * Attaches a memory model: tells it what the boot has made known and of the regions claimed so
   * far, and from now on of every step, claim and release.
   *
   * @param model a model that was told nothing before
   */
  public synchronized void attach(MemoryModel model) {
    boot.attach(
        model, regions.values().stream().filter(each -> !isRam(each)).map(Region::range).toList());
  }

  /**
   * Tells a listener of the regions claimed so far, banks of RAM among them, and from now on of
   * every claim and release.
   *
   * @param listener the listener
   */
  public synchronized void listen(RegionListener listener) {
    regions.values().forEach(listener::claimed);
    listeners.add(listener);
  }

  /**
   * Stops telling a listener.
   *
   * @param listener a listener
   */
  public synchronized void forget(RegionListener listener) {
    listeners.remove(listener);
  }

  /** {@return the regions of the window by address, banks of RAM among them} */
  public List<Region> regions() {
    return List.copyOf(regions.values());
  }

  /**
   * Gives the window and the page frames back to the host. Later accesses through {@link #window}
   * throw. Precondition: every address space through whose tables {@link #ALL_WINDOWS} is read is
   * closed.
   */
  @Override
  public synchronized void close() {
    closeToStores(new AddrRange(0, windowBytes()));
    OPEN.remove(window.address(), this);
    regions.clear();
    frames.close();
    reservation.close();
  }

  private void requireClaimed(Region region) {
    if (!region.equals(regions.get(region.range().start())) || isRam(region)) {
      throw new IllegalArgumentException(Errno.EINVAL.message("region %s is not claimed", region));
    }
  }

  private boolean isRam(Region region) {
    return banks.ranges().contains(region.range());
  }
}
