package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import dev.xip.base.LostPages;
import dev.xip.host.HostException;
import dev.xip.phys.PhysicalMemory;
import dev.xip.phys.Region;
import dev.xip.phys.RegionBusyException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Loads the segments of a store into one machine's physical memory. Linux counterpart:
 * arch/s390/mm/extmem.c, in the order of checks and the codes of Linux 6.19.
 *
 * <p>Invariants: a segment on the list has at least one reference and owns a region of its own; no
 * two have part of the same megabyte; a load that fails leaves memory and list as they were. The
 * list is guarded by one mutex, {@code dcss_lock}, which sleeps: calling in here under a spin lock
 * throws {@link dev.xip.base.SleepingInAtomicException}.
 */
public final class SegmentLoader {
  private final SegmentStore store;
  private final PhysicalMemory memory;
  private final ReentrantLock dcssLock = new ReentrantLock();

  /** The loaded segments by name. Guarded by the mutex. */
  private final Map<SegmentName, SavedSegment> loaded = new HashMap<>();

  /**
   * The loaded segments by first address; no two have part of the same megabyte. Guarded likewise.
   */
  private final NavigableMap<Long, SavedSegment> byAddress = new TreeMap<>();

  /**
   * Makes a loader with nothing loaded.
   *
   * @param store where segments come from
   * @param memory where they go
   */
  public SegmentLoader(SegmentStore store, PhysicalMemory memory) {
    this.store = store;
    this.memory = memory;
  }

  /** {@return the physical memory into which segments are loaded} */
  public PhysicalMemory memory() {
    return memory;
  }

  /** {@return the store from which segments are loaded} */
  public SegmentStore store() {
    return store;
  }

  /**
   * Loads a segment at its physical address, or takes one more reference if it is loaded in the
   * same mode. Linux counterpart: {@code segment_load}.
   *
   * @param name the segment
   * @param mode shared or as a private copy
   * @return the loaded segment
   * @throws SegmentException EPERM if it is loaded in the other mode; ENOSYS if the store is gone;
   *     ENOENT if there is none of that name; EIO if its definition is damaged or its data file
   *     missing or short; EOPNOTSUPP if its parts break a rule; EBUSY if a loaded segment has part
   *     of the same megabyte or RAM or another region part of the range; ERANGE if it lies beyond
   *     the window; ENOMEM and other codes of the host if it cannot be mapped
   */
  public SavedSegment load(SegmentName name, SharingMode mode) throws SegmentException {
    lock();
    try {
      SavedSegment held = loaded.get(name);
      if (held == null) {
        return add(name, mode);
      }
      if (held.mode() != mode) {
        throw new SegmentException(
            Errno.EPERM,
            "segment %s: already loaded %s, not %s".formatted(name, held.mode(), mode));
      }
      held.addReference();
      return held;
    } catch (SegmentException e) {
      throw SegmentWarning.explain(e, name);
    } finally {
      dcssLock.unlock();
    }
  }

  /**
   * Says of which type a segment is, without loading it. Linux counterpart: {@code segment_type}.
   *
   * @param name the segment
   * @return its type
   * @throws SegmentException ENOENT if there is none of that name; EIO if its definition is
   *     damaged; EOPNOTSUPP if its parts break a rule
   */
  public SegmentType type(SegmentName name) throws SegmentException {
    return store.query(name).definition().type();
  }

  /**
   * Reloads a segment in another mode; stores to a private copy that was not saved are lost. Linux
   * counterpart: {@code segment_modify_shared}.
   *
   * @param name a loaded segment
   * @param mode the mode that it is to have
   * @return the segment as loaded now, the same one if it had that mode already
   * @throws SegmentException EINVAL if it is not loaded and EAGAIN if it has other references, both
   *     leaving it as it was; any code of {@link #load} if it cannot be loaded again, and then it
   *     is unloaded
   */
  public SavedSegment modifyShared(SegmentName name, SharingMode mode) throws SegmentException {
    lock();
    try {
      SavedSegment held = requireLoaded(name);
      if (held.mode() == mode) {
        return held;
      }
      requireAlone(held);
      discard(held);
      try {
        return add(name, mode);
      } catch (SegmentException e) {
        throw SegmentException.withCode(
            e.errno(),
            "segment %s was unloaded, as it cannot be loaded %s".formatted(name, mode),
            SegmentWarning.explain(e, name));
      }
    } finally {
      dcssLock.unlock();
    }
  }

  /**
   * Reloads the segments of a device in another mode: none if one of them has other references
   * (EAGAIN); and if one cannot be loaded again, the others are unloaded too.
   */
  List<SavedSegment> modifyAll(List<SegmentName> names, SharingMode mode) throws SegmentException {
    lock();
    try {
      for (SegmentName each : names) {
        SavedSegment held = loaded.get(each);
        if (held != null && held.mode() != mode) {
          requireAlone(held);
        }
      }
      List<SavedSegment> reloaded = new ArrayList<>(names.size());
      try {
        for (SegmentName each : names) {
          reloaded.add(modifyShared(each, mode));
        }
      } catch (SegmentException e) {
        unloadAll(names, e);
        throw e;
      }
      return reloaded;
    } finally {
      dcssLock.unlock();
    }
  }

  private void unloadAll(List<SegmentName> names, SegmentException cause) {
    for (SegmentName each : names) {
      try {
        if (loaded.containsKey(each)) {
          unload(each);
        }
      } catch (SegmentException e) {
        cause.addSuppressed(e);
      }
    }
  }

  /**
   * Drops a reference; the last one unmaps the segment, and later loads see zeros. Linux
   * counterpart: {@code segment_unload}, which only logs what this reports.
   *
   * @param name a loaded segment
   * @throws SegmentException EINVAL if it is not loaded; EBUSY if a native call uses its memory, or
   *     one of its page frames is mapped or pinned, or a code of the host if its memory cannot be
   *     unmapped, and then it stays loaded; EIO if stores were lost, as its data file was shortened
   *     while it was loaded or the disk is full: then it is unloaded all the same
   */
  public void unload(SegmentName name) throws SegmentException {
    lock();
    try {
      SavedSegment held = requireLoaded(name);
      if (held.references() == 1) {
        boolean lost =
            held.mode() == SharingMode.SHARED
                && !held.region().readOnly()
                && LostPages.of(bytes(held)) != null;
        discard(held);
        requireNothingLost(lost, name);
      } else {
        held.dropReference();
      }
    } finally {
      dcssLock.unlock();
    }
  }

  /**
   * Saves a loaded segment as it stands in memory now, as a new version under the definition that
   * it was loaded by. Parts of type EN are saved as zeros. Linux counterpart: {@code segment_save},
   * which only logs what this reports.
   *
   * @param name a loaded segment
   * @return the segment as stored now
   * @throws SegmentException EINVAL if it is not loaded or keeps no contents (SN, EN); EIO if its
   *     data file was shortened while it was loaded; a code of the host if it cannot be written
   */
  public StoredSegment save(SegmentName name) throws SegmentException {
    lock();
    try {
      SavedSegment held = requireLoaded(name);
      return store.replace(held.definition(), held.contents(bytes(held)));
    } finally {
      dcssLock.unlock();
    }
  }

  /** {@return the loaded segments in order of address} */
  public List<SavedSegment> loaded() {
    lock();
    try {
      return List.copyOf(byAddress.values());
    } finally {
      dcssLock.unlock();
    }
  }

  private static void requireNothingLost(boolean lost, SegmentName name) throws SegmentException {
    if (lost) {
      throw new SegmentException(
          Errno.EIO,
          "unloading segment " + name,
          "all that was stored in its data file",
          "a data file shortened while it was loaded, or a full disk");
    }
  }

  /** The bytes of a loaded segment in the window. */
  private MemorySegment bytes(SavedSegment segment) {
    return memory.window().asSlice(segment.range().start(), segment.range().length());
  }

  private void lock() {
    AtomicContext.mightSleep("dcss_lock");
    dcssLock.lock();
  }

  /** Preconditions: the mutex is held. */
  private SavedSegment requireLoaded(SegmentName name) throws SegmentException {
    SavedSegment held = loaded.get(name);
    if (held == null) {
      throw new SegmentException(Errno.EINVAL, "segment %s: not loaded".formatted(name));
    }
    return held;
  }

  private static void requireAlone(SavedSegment held) throws SegmentException {
    if (held.references() != 1) {
      throw new SegmentException(
          Errno.EAGAIN,
          "segment " + held.name(),
          "1 reference",
          Integer.toString(held.references()));
    }
  }

  /** Unmaps the segment and takes it off the list. Precondition: the mutex is held. */
  private void discard(SavedSegment held) throws SegmentException {
    try {
      memory.release(held.region());
    } catch (HostException e) {
      throw SegmentException.of("unloading segment " + held.name(), e);
    } catch (IllegalStateException inUse) {
      throw SegmentException.withCode(Errno.EBUSY, "unloading segment " + held.name(), inUse);
    }
    held.markUnloaded();
    loaded.remove(held.name());
    byAddress.remove(held.range().start());
    store.releaseVersion(held.stored());
  }

  /** Loads a segment. Preconditions: it is not loaded, the mutex is held. */
  private SavedSegment add(SegmentName name, SharingMode mode) throws SegmentException {
    try (StoreFolder folder = StoreFolder.open(store.folder(), name)) {
      for (; ; ) {
        StoredSegment stored = folder.current(name);
        requireRoom(stored.definition());
        try {
          SavedSegment segment = place(folder, stored, mode);
          loaded.put(name, segment);
          byAddress.put(segment.range().start(), segment);
          return segment;
        } catch (IOException e) {
          // If a save has replaced and deleted this version meanwhile, load the next one.
          boolean superseded = e instanceof SegmentException s && s.errno() == Errno.EAGAIN;
          if (superseded) {
            store.releaseVersion(stored);
          } else if (folder.current(name).equals(stored)) {
            throw SegmentException.of("loading segment " + name, e);
          }
        }
      }
    }
  }

  /** Checks collisions before the limit of the window, as the kernel does. */
  private void requireRoom(SegmentDefinition wanted) throws SegmentException {
    String subject = "segment %s %s".formatted(wanted.name(), wanted.range());
    // Loaded segments do not overlap, so the last that starts below the wanted end decides.
    AddrRange megabytes = wanted.megabytes();
    Map.Entry<Long, SavedSegment> last = byAddress.lowerEntry(megabytes.end());
    if (last != null && last.getValue().definition().megabytes().overlaps(megabytes)) {
      throw new SegmentException(
          Errno.EBUSY, subject, "megabytes without a segment", last.getValue().region().toString());
    }
    Region other = memory.holder(wanted.range()).orElse(null);
    if (other != null) {
      throw new SegmentException(Errno.EBUSY, subject, "free memory", other.toString());
    }
    if (wanted.range().end() > memory.windowBytes()) {
      throw new SegmentException(
          Errno.ERANGE,
          subject,
          "a place in physical memory",
          "its end past " + new AddrRange(0, memory.windowBytes()));
    }
  }

  /** Becomes a user of the data file and maps it; a failure undoes both. */
  private SavedSegment place(StoreFolder folder, StoredSegment stored, SharingMode mode)
      throws IOException {
    DataUse data = DataUse.begin(folder, stored, mode, store.waitLimit());
    Region region = null;
    try {
      if (!folder.current(stored.name()).equals(stored) || !data.isStored(folder, stored)) {
        throw new SegmentException(
            Errno.EAGAIN, "segment " + stored.name(), "version " + stored.version(), "a newer one");
      }
      region = claim(stored.definition(), mode);
      long start = region.range().start();
      for (SegmentPart part : stored.definition().parts()) {
        AddrRange range = part.range();
        SegmentType type = part.type();
        memory.mapFile(
            region,
            range.start() - start,
            data.file(),
            range.start() - start,
            range.length(),
            type.access(mode),
            type.sharing(mode));
      }
      return new SavedSegment(stored, mode, region, data);
    } catch (IOException | RuntimeException e) {
      release(region, e);
      data.close();
      throw e;
    }
  }

  private Region claim(SegmentDefinition definition, SharingMode mode) throws IOException {
    String resource = definition.name() + " (DCSS)";
    try {
      return memory.claim(resource, definition.range(), !definition.type().isWritable(mode));
    } catch (RegionBusyException e) {
      throw SegmentException.withCode(Errno.EBUSY, "segment " + definition.name(), e);
    }
  }

  private void release(Region region, Exception cause) {
    try {
      if (region != null) {
        memory.release(region);
      }
    } catch (HostException e) {
      cause.addSuppressed(e);
    }
  }
}
