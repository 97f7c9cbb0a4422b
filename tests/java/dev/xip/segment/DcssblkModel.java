package dev.xip.segment;

import dev.xip.base.Errno;
import dev.xip.segment.ExtmemModel.Held;
import dev.xip.segment.ExtmemModel.Owner;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;

/**
 * The rules of dcssblk for one process as plain data, over {@link ExtmemModel}: for each call the
 * code that it must end with, null for success.
 */
final class DcssblkModel {
  private static final int PAGE = 4096;
  private static final int SECTORS_OF_PAGE = 8;
  private static final Set<String> MIXABLE = Set.of("EW", "EN", "EX");

  /** A device. */
  static final class Device {
    final int minor;
    final List<SegmentName> names;

    /** The segments as the device has loaded them, by address. */
    List<Held> segments;

    SharingMode sharing = SharingMode.SHARED;
    int opened;
    boolean toBeSaved;

    Device(int minor, List<SegmentName> names, List<Held> segments) {
      this.minor = minor;
      this.names = names;
      this.segments = segments;
    }

    Held first() {
      return segments.stream()
          .filter(each -> each.name.equals(names.getFirst()))
          .findFirst()
          .orElseThrow();
    }

    boolean isReadOnly() {
      return Held.isReadOnly(first().stored.letters(), sharing);
    }

    boolean isGone() {
      return segments.stream().anyMatch(each -> each.references == 0);
    }

    long firstByte() {
      return segments.getFirst().stored.firstByte();
    }

    long lastByte() {
      return segments.getLast().stored.lastByte();
    }

    long bytes() {
      return lastByte() - firstByte() + 1;
    }

    /** Which segment a byte of the device is in. */
    private Held at(long offset) {
      return segments.stream()
          .filter(each -> firstByte() + offset <= each.stored.lastByte())
          .findFirst()
          .orElseThrow();
    }

    byte page(long offset) {
      Held there = at(offset);
      return there.page((int) ((firstByte() + offset - there.stored.firstByte()) / PAGE));
    }

    private void write(long offset, byte value) {
      Held there = at(offset);
      there.write((int) ((firstByte() + offset - there.stored.firstByte()) / PAGE), value);
    }
  }

  private final ExtmemModel extmem;
  private final Owner owner;
  private final TreeMap<Integer, Device> devices = new TreeMap<>();
  private Device last;

  DcssblkModel(ExtmemModel extmem, Owner owner) {
    this.extmem = extmem;
    this.owner = owner;
  }

  List<Device> devices() {
    return List.copyOf(devices.values());
  }

  /** The device that was added last. */
  Device last() {
    return last;
  }

  boolean has(SegmentName name) {
    return devices.values().stream().anyMatch(each -> each.names.contains(name));
  }

  private Device find(SegmentName name) {
    return devices.values().stream()
        .filter(each -> each.names.getFirst().equals(name))
        .findFirst()
        .orElse(null);
  }

  /** The list is read to the end before anything is loaded. */
  Errno add(String text) {
    List<SegmentName> names = new ArrayList<>();
    for (String each : text.split("[\n\0]", -1)[0].split(":", -1)) {
      if (each.isEmpty() || each.length() > 8) {
        return Errno.ENAMETOOLONG;
      }
      if (each.contains("/")) {
        return Errno.EINVAL;
      }
      names.add(new SegmentName(each.toUpperCase(Locale.ROOT)));
    }
    List<SegmentName> loaded = new ArrayList<>();
    Errno code = null;
    for (SegmentName each : names) {
      code = has(each) ? Errno.EEXIST : extmem.load(owner, each, SharingMode.SHARED);
      if (code != null) {
        break;
      }
      loaded.add(each);
    }
    List<Held> segments = byAddress(loaded);
    if (code == null && areJoined(segments)) {
      int minor = 0;
      while (devices.containsKey(minor)) {
        minor++;
      }
      last = new Device(minor, names, segments);
      devices.put(minor, last);
      return null;
    }
    loaded.forEach(each -> extmem.unload(owner, each));
    return code == null ? Errno.EINVAL : code;
  }

  private List<Held> byAddress(List<SegmentName> names) {
    return names.stream()
        .map(owner.held::get)
        .sorted(Comparator.comparingLong(each -> each.stored.firstByte()))
        .toList();
  }

  private static boolean areJoined(List<Held> segments) {
    for (int i = 1; i < segments.size(); i++) {
      ExtmemModel.Stored low = segments.get(i - 1).stored;
      ExtmemModel.Stored high = segments.get(i).stored;
      boolean fit =
          low.letters().equals(high.letters())
              || MIXABLE.containsAll(Set.of(low.letters(), high.letters()));
      if (low.lastByte() + 1 != high.firstByte() || !fit) {
        return false;
      }
    }
    return true;
  }

  Errno remove(String text) {
    if (text.isEmpty() || text.length() > 8) {
      return Errno.ENAMETOOLONG;
    }
    Device device = find(new SegmentName(text.toUpperCase(Locale.ROOT)));
    if (device == null) {
      return Errno.ENODEV;
    }
    return device.opened > 0 ? Errno.EBUSY : discard(device);
  }

  /**
   * Removes a device. A segment that was unloaded before is an error, but the device is removed.
   */
  private Errno discard(Device device) {
    devices.remove(device.minor);
    Errno code = null;
    for (SegmentName each : device.names) {
      Errno failed = extmem.unload(owner, each);
      code = code == null ? failed : code;
    }
    return code;
  }

  private static boolean isFlag(String text) {
    return text.matches("(?s)[01]([\n\0].*)?");
  }

  Errno shared(Device device, String text) {
    if (!isFlag(text)) {
      return Errno.EINVAL;
    }
    SharingMode wanted = text.startsWith("1") ? SharingMode.SHARED : SharingMode.EXCLUSIVE;
    if (device.isGone()) {
      return Errno.ENODEV;
    }
    if (device.opened > 0) {
      return Errno.EBUSY;
    }
    if (device.first().stored.letters().equals("SC") && wanted == SharingMode.EXCLUSIVE) {
      return Errno.EINVAL;
    }
    if (device.segments.stream().anyMatch(each -> each.mode != wanted && each.references > 1)) {
      return Errno.EAGAIN;
    }
    long firstByte = device.firstByte();
    long lastByte = device.lastByte();
    for (SegmentName each : device.names) {
      Errno code = extmem.modify(owner, each, wanted);
      if (code != null) {
        discard(device);
        return code;
      }
    }
    device.segments = byAddress(device.names);
    device.sharing = wanted;
    if (!areJoined(device.segments)
        || device.firstByte() != firstByte
        || device.lastByte() != lastByte) {
      discard(device);
      return Errno.EINVAL;
    }
    return null;
  }

  Errno save(Device device, String text) {
    if (!isFlag(text)) {
      return Errno.EINVAL;
    }
    if (text.startsWith("0")) {
      device.toBeSaved = false;
      return null;
    }
    if (device.isGone()) {
      return Errno.ENODEV;
    }
    if (device.opened > 0) {
      device.toBeSaved = true;
      return null;
    }
    return saveNow(device);
  }

  private Errno saveNow(Device device) {
    Errno code = null;
    for (Held each : device.segments) {
      if (!each.stored.letters().endsWith("N")) {
        Errno failed = extmem.save(owner, each.name);
        code = code == null ? failed : code;
      }
    }
    return code;
  }

  Errno open(Device device) {
    if (device.isGone()) {
      return Errno.ENODEV;
    }
    device.opened++;
    return null;
  }

  Errno close(Device device) {
    device.opened--;
    if (device.opened > 0 || !device.toBeSaved) {
      return null;
    }
    device.toBeSaved = false;
    return saveNow(device);
  }

  /** A request of one piece: whole pages inside the device. */
  private static Errno request(Device device, boolean write, long sector, long bytes) {
    boolean fits =
        sector % SECTORS_OF_PAGE == 0
            && bytes % PAGE == 0
            && sector * 512 + bytes <= device.bytes();
    if (!fits || write && device.isReadOnly()) {
      return Errno.EIO;
    }
    return device.isGone() ? Errno.ENODEV : null;
  }

  Errno read(Device device, long sector, long bytes) {
    return request(device, false, sector, bytes);
  }

  Errno write(Device device, long sector, long bytes, byte value) {
    Errno refused = request(device, true, sector, bytes);
    for (long at = 0; refused == null && at < bytes; at += PAGE) {
      device.write(sector * 512 + at, value);
    }
    return refused;
  }

  Errno access(Device device, long offset, long length) {
    if (device.isGone()) {
      return Errno.ENODEV;
    }
    if (offset % PAGE != 0) {
      return Errno.EINVAL;
    }
    return length < 1 || offset + length > device.bytes() ? Errno.ERANGE : null;
  }
}
