package dev.xip.segment;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.Pages;
import dev.xip.mapping.DirectAccess;
import dev.xip.mapping.PageRun;
import dev.xip.phys.PhysicalMemory;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Optional;

/**
 * A block device over one segment or several adjacent ones. Its bytes are one run of physical
 * memory, from the lowest segment's start to the highest one's end. It holds one reference to each
 * segment until {@link SegmentDevices} removes it, and is loaded shared until {@link #setSharing}
 * says otherwise. Linux counterpart: {@code struct dcssblk_dev_info}
 * (drivers/s390/block/dcssblk.c).
 */
public final class SegmentDevice implements DirectAccess {
  private final SegmentDevices devices;
  private final int minor;
  private final List<SegmentName> names;
  private final AddrRange range;

  /** Whether the end of its last use removes it, as {@link SegmentDevices#use} added it. */
  private final boolean temporary;

  /** Written under the lock of the devices, as are the next five. */
  private volatile JoinedSegments joined;

  private volatile SharingMode sharing = SharingMode.SHARED;
  private volatile int uses;
  private volatile boolean savePending;
  private volatile Optional<SaveResult> lastSave = Optional.empty();
  private volatile boolean removed;

  /** Preconditions: the segments are loaded. The device takes over one reference to each. */
  SegmentDevice(
      SegmentDevices devices,
      int minor,
      List<SavedSegment> listed,
      JoinedSegments joined,
      boolean temporary) {
    this.devices = devices;
    this.minor = minor;
    this.names = listed.stream().map(SavedSegment::name).toList();
    this.joined = joined;
    this.range = joined.range();
    this.temporary = temporary;
  }

  /** {@return the device's name, which is that of the segment listed first} */
  public SegmentName name() {
    return names.getFirst();
  }

  /** {@return the device's number, the lowest that was free, 0 or more} */
  public int minor() {
    return minor;
  }

  /** {@return the name of the disk: {@code dcssblk} and the number} */
  public String diskName() {
    return "dcssblk" + minor;
  }

  /**
   * {@return the segments' names in the order listed, which the attribute {@code seglist} shows}
   */
  public List<SegmentName> names() {
    return names;
  }

  /** {@return the segments in order of address, as loaded now} */
  public List<SavedSegment> segments() {
    return joined.byAddress();
  }

  /**
   * {@return the type that decides about stores: that of the segment listed first, as it is loaded
   * now}
   */
  public SegmentType type() {
    return segments().stream()
        .filter(each -> each.name().equals(name()))
        .findFirst()
        .orElseThrow()
        .type();
  }

  /** {@return the physical addresses, half-open} */
  public AddrRange range() {
    return range;
  }

  /** {@return how the segments are loaded, which the attribute {@code shared} shows} */
  public SharingMode sharing() {
    return sharing;
  }

  /** {@return whether the disk is marked read-only: it is SR, ER or SC and shared} */
  public boolean isReadOnly() {
    return !type().isWritable(sharing);
  }

  /** {@return the number of uses that have not ended} */
  public int uses() {
    return uses;
  }

  /**
   * {@return whether the end of the last use will save the device, which the attribute {@code save}
   * shows}
   */
  public boolean isSavePending() {
    return savePending;
  }

  /** {@return the result of the last save, even if a close did it; empty if there was none yet} */
  public Optional<SaveResult> lastSave() {
    return lastSave;
  }

  /**
   * Returns the device's bytes, for an image reader.
   *
   * @return read-only memory of {@link #byteSize} bytes in the window; zeros once the segments are
   *     unloaded
   * @throws SegmentException if the device is removed (ENODEV)
   */
  public MemorySegment memory() throws SegmentException {
    requirePresent();
    return physicalMemory().window().asSlice(range.start(), range.length());
  }

  /** The memory that contains the device. */
  PhysicalMemory physicalMemory() {
    return devices.loader().memory();
  }

  @Override
  public long byteSize() {
    return range.length();
  }

  /**
   * {@inheritDoc} Linux counterpart: {@code dcssblk_direct_access}, which has no check for
   * read-only segments either: mappings of a read-only mount are not writable.
   *
   * @throws SegmentException if the offset is not page aligned (EINVAL), the range is empty or not
   *     wholly on the device (ERANGE), or the device is removed (ENODEV)
   */
  @Override
  public PageRun directAccess(long offset, long length) throws SegmentException {
    requirePresent();
    if (!Pages.isAligned(offset)) {
      throw refused(Errno.EINVAL, offset, length, "a page-aligned offset");
    }
    if (offset < 0 || length < 1 || offset > byteSize() - length) {
      throw refused(
          Errno.ERANGE, offset, length, "a range inside 0x%x bytes".formatted(byteSize()));
    }
    return new PageRun(range.start() + offset >>> Pages.SHIFT, Pages.covering(length));
  }

  private SegmentException refused(Errno code, long offset, long length, String expected) {
    return new SegmentException(
        code, subject(), expected, "offset 0x%x, length 0x%x".formatted(offset, length));
  }

  private String subject() {
    return "segment device " + name();
  }

  /** A segment that was unloaded too often may be unloaded although the device exists. */
  private void requirePresent() throws SegmentException {
    if (removed || segments().stream().anyMatch(each -> each.references() == 0)) {
      throw new SegmentException(
          Errno.ENODEV, subject() + (removed ? ": removed" : ": a segment of it is unloaded"));
    }
  }

  /**
   * Uses the device. Linux counterpart: {@code dcssblk_open}.
   *
   * @return the use, to be closed
   * @throws SegmentException ENODEV if the device is removed
   */
  public OpenSegmentDevice open() throws SegmentException {
    devices.lock();
    try {
      requirePresent();
      uses++;
      return new OpenSegmentDevice(this);
    } finally {
      devices.unlock();
    }
  }

  /** Ends a use. Linux counterpart: {@code dcssblk_release}. */
  void release() throws SegmentException {
    devices.lock();
    try {
      uses--;
      if (uses > 0) {
        return;
      }
      try {
        if (savePending) {
          savePending = false;
          saveNow().orThrow();
        }
      } finally {
        if (temporary) {
          devices.remove(this);
        }
      }
    } finally {
      devices.unlock();
    }
  }

  /**
   * Writes the attribute {@code shared}.
   *
   * @param text "1" to share, "0" for private copies
   * @throws SegmentException EINVAL for any other text, else as {@link #setSharing}
   */
  public void writeShared(String text) throws SegmentException {
    setSharing(DeviceText.flag("shared", text) ? SharingMode.SHARED : SharingMode.EXCLUSIVE);
  }

  /**
   * Reloads all segments in another mode; stores to private copies that were not saved are lost.
   * Linux counterpart: {@code dcssblk_shared_store}, which reports EAGAIN as success.
   *
   * @param wanted the mode
   * @throws SegmentException EBUSY if the device is open, EINVAL for private copies of SC and
   *     EAGAIN if a segment has other references, each leaving all as it was; any other error of a
   *     reload, and then the device is removed and its segments are unloaded; ENODEV if it was
   *     removed before
   */
  public void setSharing(SharingMode wanted) throws SegmentException {
    devices.lock();
    try {
      requirePresent();
      if (uses > 0) {
        throw new SegmentException(Errno.EBUSY, subject() + ": open %d times".formatted(uses));
      }
      if (type() == SegmentType.SC && wanted == SharingMode.EXCLUSIVE) {
        throw new SegmentException(
            Errno.EINVAL, subject(), "a type that can be loaded " + wanted, type().toString());
      }
      reload(wanted);
    } finally {
      devices.unlock();
    }
  }

  private void reload(SharingMode wanted) throws SegmentException {
    List<SavedSegment> reloaded;
    try {
      reloaded = devices.loader().modifyAll(names, wanted);
    } catch (SegmentException e) {
      if (e.errno() == Errno.EAGAIN) {
        throw e;
      }
      devices.forget(this);
      throw lost(e);
    }
    try {
      joined = JoinedSegments.of(reloaded).requireAt(range);
      sharing = wanted;
    } catch (SegmentException e) {
      devices.remove(this);
      throw lost(e);
    }
  }

  private SegmentException lost(SegmentException cause) {
    return SegmentException.withCode(cause.errno(), subject() + " is removed", cause);
  }

  /**
   * Writes the attribute {@code save}.
   *
   * @param text "1" to save, "0" to cancel a save that is pending
   * @return what was done, or nothing if nothing was saved yet
   * @throws SegmentException EINVAL for any other text, else as {@link #save}
   */
  public Optional<SaveResult> writeSave(String text) throws SegmentException {
    if (DeviceText.flag("save", text)) {
      return save();
    }
    cancelSave();
    return Optional.empty();
  }

  /**
   * Saves all segments, now if the device is not open, else when the last use ends. Linux
   * counterpart: {@code dcssblk_save_store}.
   *
   * @return what was done, or nothing if the save is pending
   * @throws SegmentException the first of the failures, which {@link #lastSave} has all of; ENODEV
   *     if the device is removed
   */
  public Optional<SaveResult> save() throws SegmentException {
    devices.lock();
    try {
      requirePresent();
      if (uses > 0) {
        savePending = true;
        return Optional.empty();
      }
      return Optional.of(saveNow().orThrow());
    } finally {
      devices.unlock();
    }
  }

  /**
   * Cancels a save that is pending.
   *
   * @return false if none was
   */
  public boolean cancelSave() {
    devices.lock();
    try {
      boolean pending = savePending;
      savePending = false;
      return pending;
    } finally {
      devices.unlock();
    }
  }

  /** Saves all segments. Precondition: the lock of the devices is held. */
  private SaveResult saveNow() {
    SaveResult result = SaveResult.of(devices.loader(), segments());
    lastSave = Optional.of(result);
    return result;
  }

  /** Called when it is off the list. */
  void markRemoved() {
    removed = true;
  }

  @Override
  public String toString() {
    return "%s %s %s".formatted(diskName(), range, names);
  }
}
