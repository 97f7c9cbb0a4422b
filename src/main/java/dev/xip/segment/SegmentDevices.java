package dev.xip.segment;

import dev.xip.base.AtomicContext;
import dev.xip.base.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The segment devices of one machine. Invariants: no segment belongs to two devices; a device on
 * the list holds one reference to each of its segments. Linux counterpart: the root attributes
 * {@code add} and {@code remove} and the parameter {@code segments} of
 * drivers/s390/block/dcssblk.c.
 *
 * <p>The list and the state of its devices are guarded by one lock, {@code dcssblk_devices_sem},
 * which sleeps.
 */
public final class SegmentDevices {
  private static final int MINORS = 1 << 20;

  private final SegmentLoader loader;
  private final int minors;
  private final ReentrantLock devicesSem = new ReentrantLock();

  /** By number. Guarded by the lock. */
  private final TreeMap<Integer, SegmentDevice> devices = new TreeMap<>();

  /**
   * Makes an empty list.
   *
   * @param loader where the segments are loaded
   */
  public SegmentDevices(SegmentLoader loader) {
    this(loader, MINORS);
  }

  /** As the public one, with a smaller limit on the number of devices. */
  SegmentDevices(SegmentLoader loader, int minors) {
    this.loader = loader;
    this.minors = minors;
  }

  /**
   * The result of {@link #addAll}.
   *
   * @param added the devices, in the order given
   * @param failures why others were not added, or not made private
   */
  public record Added(List<SegmentDevice> added, List<SegmentException> failures) {}

  /** {@return the loader of the segments} */
  public SegmentLoader loader() {
    return loader;
  }

  /** {@return the devices by number} */
  public List<SegmentDevice> devices() {
    lock();
    try {
      return List.copyOf(devices.values());
    } finally {
      unlock();
    }
  }

  /**
   * Finds a device.
   *
   * @param name the name of the segment that is listed first
   * @return the device of that name
   */
  public Optional<SegmentDevice> find(SegmentName name) {
    lock();
    try {
      return devices.values().stream().filter(each -> each.name().equals(name)).findFirst();
    } finally {
      unlock();
    }
  }

  /**
   * Writes the attribute {@code add}.
   *
   * @param text names with a colon between any two, such as {@code A:B:C}; a newline or a NUL ends
   *     it
   * @return the new device
   * @throws SegmentException if a name is empty or too long, also because a colon is doubled or
   *     trailing (ENAMETOOLONG), or holds a character that no name has (EINVAL); else as {@link
   *     #add(List)}
   */
  public SegmentDevice add(String text) throws SegmentException {
    return add(DeviceText.names(text));
  }

  /**
   * Loads segments shared and makes a device of them. Linux counterpart: {@code dcssblk_add_store}.
   *
   * @param names the segments, at least one, in any order; the first gives the device its name and
   *     its type
   * @return the device
   * @throws SegmentException EEXIST if a device has one of the segments; what a load failed with;
   *     EINVAL if the segments are not exactly adjacent or neighbours' types differ, other than EW,
   *     EN and EWEN among each other; EBUSY if all numbers are taken. Then nothing stays loaded
   */
  public SegmentDevice add(List<SegmentName> names) throws SegmentException {
    return add(names, false);
  }

  private SegmentDevice add(List<SegmentName> names, boolean temporary) throws SegmentException {
    if (names.isEmpty()) {
      throw new SegmentException(Errno.ENAMETOOLONG, "segment device", "a segment name", "none");
    }
    lock();
    List<SavedSegment> held = new ArrayList<>(names.size());
    try {
      for (SegmentName each : names) {
        requireUnused(each);
        held.add(loader.load(each, SharingMode.SHARED));
      }
      JoinedSegments joined = JoinedSegments.of(held);
      SegmentDevice device = new SegmentDevice(this, freeMinor(), held, joined, temporary);
      devices.put(device.minor(), device);
      return device;
    } catch (SegmentException e) {
      unload(held.stream().map(SavedSegment::name).toList()).forEach(e::addSuppressed);
      throw e;
    } finally {
      unlock();
    }
  }

  private void requireUnused(SegmentName name) throws SegmentException {
    for (SegmentDevice other : devices.values()) {
      if (other.names().contains(name)) {
        throw new SegmentException(
            Errno.EEXIST, "segment " + name, "a segment without a device", "it in " + other);
      }
    }
  }

  private int freeMinor() throws SegmentException {
    for (int minor = 0; minor < minors; minor++) {
      if (!devices.containsKey(minor)) {
        return minor;
      }
    }
    throw new SegmentException(
        Errno.EBUSY, "segment device", "fewer than %d devices".formatted(minors), "that many");
  }

  /**
   * Reads the driver's parameter, such as {@code a,b:c(local)}: a comma separates devices, a colon
   * joins segments, and {@code (local)} asks for private copies. A failure does not stop the rest.
   * Linux counterpart: {@code dcssblk_check_params}, which reports no failure.
   *
   * @param parameter the text
   * @return the devices added and the failures
   */
  public Added addAll(String parameter) {
    List<SegmentDevice> added = new ArrayList<>();
    List<SegmentException> failures = new ArrayList<>();
    for (DeviceText.Entry entry : DeviceText.entries(parameter)) {
      try {
        boolean local = entry.isLocal();
        SegmentDevice device = add(entry.names());
        added.add(device);
        if (local) {
          device.setSharing(SharingMode.EXCLUSIVE);
        }
      } catch (SegmentException e) {
        failures.add(e);
      }
    }
    added.retainAll(devices());
    return new Added(List.copyOf(added), List.copyOf(failures));
  }

  /**
   * Uses the device that consists of the segments named. If there is none, one is added, and
   * removed when its last use ends.
   *
   * @param names the segments, as for {@link #add(List)}
   * @return the use, to be closed
   * @throws SegmentException as {@link #add(List)}; EEXIST only if a device has some of the
   *     segments and others, or has them in another order
   */
  public OpenSegmentDevice use(List<SegmentName> names) throws SegmentException {
    lock();
    try {
      for (SegmentDevice each : devices.values()) {
        if (each.names().equals(names)) {
          return each.open();
        }
      }
      return add(names, true).open();
    } finally {
      unlock();
    }
  }

  /**
   * Writes the attribute {@code remove}.
   *
   * @param text the name of a device; a newline or a NUL ends it
   * @throws SegmentException if the name is empty or too long (ENAMETOOLONG) or holds a character
   *     that no name has (EINVAL); else as {@link #remove(SegmentName)}
   */
  public void remove(String text) throws SegmentException {
    remove(DeviceText.name(text));
  }

  /**
   * Removes a device and unloads its segments. Linux counterpart: {@code dcssblk_remove_store}.
   *
   * @param name the name of the segment that is listed first
   * @throws SegmentException ENODEV if no device has that name, EBUSY if it is open; what an unload
   *     failed with, and then the device is removed all the same
   */
  public void remove(SegmentName name) throws SegmentException {
    lock();
    try {
      SegmentDevice device =
          find(name)
              .orElseThrow(
                  () ->
                      new SegmentException(
                          Errno.ENODEV, "segment device %s: not added".formatted(name)));
      if (device.uses() > 0) {
        throw new SegmentException(
            Errno.EBUSY, "segment device %s: open %d times".formatted(name, device.uses()));
      }
      remove(device);
    } finally {
      unlock();
    }
  }

  /** Removes a device. Preconditions: it is not open, the lock is held. */
  void remove(SegmentDevice device) throws SegmentException {
    forget(device);
    List<SegmentException> failures = unload(device.names());
    if (!failures.isEmpty()) {
      SegmentException first = failures.getFirst();
      failures.stream().skip(1).forEach(first::addSuppressed);
      throw first;
    }
  }

  /**
   * Takes a device off the list; the caller owns its references. Precondition: the lock is held.
   */
  void forget(SegmentDevice device) {
    devices.remove(device.minor());
    device.markRemoved();
  }

  /** Unloads all, and returns the failures. */
  private List<SegmentException> unload(List<SegmentName> names) {
    List<SegmentException> failures = new ArrayList<>();
    for (SegmentName each : names) {
      try {
        loader.unload(each);
      } catch (SegmentException e) {
        failures.add(e);
      }
    }
    return failures;
  }

  void lock() {
    AtomicContext.mightSleep("dcssblk_devices_sem");
    devicesSem.lock();
  }

  void unlock() {
    devicesSem.unlock();
  }
}
