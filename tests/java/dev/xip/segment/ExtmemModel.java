package dev.xip.segment;

import dev.xip.host.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The rules of extmem as plain data: a store, owners who load from it, and for each call the code
 * that it must end with, null for success. It shares no code with what it judges but the types of
 * names and parts.
 */
final class ExtmemModel {
  private static final int PAGE = 4096;

  /** Why a definition cannot be used. */
  enum Damage {
    NONE,
    UNREADABLE,
    UNSUPPORTED
  }

  /** The data file of one version: the first byte of each page stands for the page. */
  static final class Contents {
    final byte[] pages;
    int users;
    boolean broken;

    Contents(int pages) {
      this.pages = new byte[pages];
    }
  }

  /** A segment in the store. */
  static final class Stored {
    final List<SegmentPart> parts;
    final long version;
    final Contents contents;
    Damage damage = Damage.NONE;

    Stored(List<SegmentPart> parts, long version, Contents contents) {
      this.parts = parts;
      this.version = version;
      this.contents = contents;
    }
  }

  /** A segment that somebody has loaded. */
  static final class Held {
    final Stored stored;
    final SharingMode mode;
    int references = 1;

    /** Pages that were stored to in a private copy. */
    final Map<Integer, Byte> own = new TreeMap<>();

    Held(Stored stored, SharingMode mode) {
      this.stored = stored;
      this.mode = mode;
    }

    private String letters() {
      return stored.parts.size() > 1 ? "EX" : stored.parts.getFirst().type().name();
    }

    boolean isPrivate() {
      return mode == SharingMode.EXCLUSIVE || letters().startsWith("E");
    }

    boolean isReadOnly() {
      String letters = letters();
      return letters.equals("SC") || letters.endsWith("R") && mode == SharingMode.SHARED;
    }

    byte page(int page) {
      return own.getOrDefault(page, stored.contents.pages[page]);
    }

    void write(int page, byte value) {
      if (isPrivate()) {
        own.put(page, value);
      } else {
        stored.contents.pages[page] = value;
      }
    }

    long firstByte() {
      return ExtmemModel.firstByte(stored.parts);
    }

    long lastByte() {
      return ExtmemModel.lastByte(stored.parts);
    }
  }

  /** One who loads segments. */
  static final class Owner {
    final Map<SegmentName, Held> held = new TreeMap<>();

    /** First and last byte of memory that is not free: RAM, and what somebody else claimed. */
    final List<long[]> claimed = new ArrayList<>();
  }

  private final Map<SegmentName, Stored> store = new TreeMap<>();

  /** Versions that were current once. Those that have users are still there. */
  private final Map<SegmentName, List<Stored>> former = new TreeMap<>();

  private final long windowBytes;

  /** What the host cannot give private memory for. */
  private final SegmentName tooLarge;

  ExtmemModel(long windowBytes, SegmentName tooLarge) {
    this.windowBytes = windowBytes;
    this.tooLarge = tooLarge;
  }

  Map<SegmentName, Stored> store() {
    return store;
  }

  static long firstByte(List<SegmentPart> parts) {
    return parts.getFirst().firstPage() * PAGE;
  }

  static long lastByte(List<SegmentPart> parts) {
    return parts.getLast().lastPage() * PAGE + PAGE - 1;
  }

  private static int pages(List<SegmentPart> parts) {
    return (int) (parts.getLast().lastPage() - parts.getFirst().firstPage() + 1);
  }

  private static boolean keepsNothing(List<SegmentPart> parts) {
    return parts.stream().allMatch(part -> part.type().name().endsWith("N"));
  }

  Errno define(SegmentName name, List<SegmentPart> parts) {
    if (store.containsKey(name)) {
      return Errno.EEXIST;
    }
    put(name, parts, new Contents(name.equals(tooLarge) ? 0 : pages(parts)));
    return null;
  }

  private void put(SegmentName name, List<SegmentPart> parts, Contents contents) {
    long last = store.containsKey(name) ? store.get(name).version : 0;
    for (Stored each : former.getOrDefault(name, List.of())) {
      last = each.contents.users > 0 ? Math.max(last, each.version) : last;
    }
    remove(name);
    store.put(name, new Stored(parts, last + 1, contents));
  }

  Errno remove(SegmentName name) {
    Stored removed = store.remove(name);
    if (removed == null) {
      return Errno.ENOENT;
    }
    former.computeIfAbsent(name, any -> new ArrayList<>()).add(removed);
    return null;
  }

  /** Whether a definition can be read, which is also all that the type of a segment needs. */
  Errno query(SegmentName name) {
    Stored stored = store.get(name);
    if (stored == null) {
      return Errno.ENOENT;
    }
    return switch (stored.damage) {
      case NONE -> null;
      case UNREADABLE -> Errno.EIO;
      case UNSUPPORTED -> Errno.EOPNOTSUPP;
    };
  }

  Errno saveZeros(SegmentName name) {
    Errno unusable = query(name);
    if (unusable == null) {
      Stored before = store.get(name);
      put(name, before.parts, new Contents(before.contents.pages.length));
    }
    return unusable;
  }

  Errno load(Owner owner, SegmentName name, SharingMode mode) {
    Held held = owner.held.get(name);
    if (held == null) {
      return add(owner, name, mode);
    }
    if (held.mode != mode) {
      return Errno.EPERM;
    }
    held.references++;
    return null;
  }

  private Errno add(Owner owner, SegmentName name, SharingMode mode) {
    Errno unusable = query(name);
    if (unusable != null) {
      return unusable;
    }
    Stored stored = store.get(name);
    long first = firstByte(stored.parts);
    long last = lastByte(stored.parts);
    for (Held other : owner.held.values()) {
      if (other.firstByte() >> 20 <= last >> 20 && first >> 20 <= other.lastByte() >> 20) {
        return Errno.EBUSY;
      }
    }
    for (long[] other : owner.claimed) {
      if (other[0] <= last && first <= other[1]) {
        return Errno.EBUSY;
      }
    }
    if (last >= windowBytes) {
      return Errno.ERANGE;
    }
    if (stored.contents.broken) {
      return Errno.EIO;
    }
    if (name.equals(tooLarge)) {
      return Errno.ENOMEM;
    }
    if (stored.contents.users == 0
        && stored.parts.size() == 1
        && stored.parts.getFirst().type() == SegmentType.SN) {
      Arrays.fill(stored.contents.pages, (byte) 0);
    }
    stored.contents.users++;
    owner.held.put(name, new Held(stored, mode));
    return null;
  }

  Errno unload(Owner owner, SegmentName name) {
    Held held = owner.held.get(name);
    if (held == null) {
      return Errno.EINVAL;
    }
    held.references--;
    if (held.references == 0) {
      drop(owner, name);
    }
    return null;
  }

  private static void drop(Owner owner, SegmentName name) {
    owner.held.remove(name).stored.contents.users--;
  }

  Errno modify(Owner owner, SegmentName name, SharingMode mode) {
    Held held = owner.held.get(name);
    if (held == null) {
      return Errno.EINVAL;
    }
    if (held.mode == mode) {
      return null;
    }
    if (held.references != 1) {
      return Errno.EAGAIN;
    }
    drop(owner, name);
    return add(owner, name, mode);
  }

  Errno save(Owner owner, SegmentName name) {
    Held held = owner.held.get(name);
    if (held == null || keepsNothing(held.stored.parts)) {
      return Errno.EINVAL;
    }
    Stored before = store.get(name);
    if (before != null && query(name) != null) {
      return query(name);
    }
    List<SegmentPart> parts = held.stored.parts;
    Contents contents = new Contents(pages(parts));
    for (SegmentPart part : parts) {
      if (!part.type().name().endsWith("N")) {
        for (long page = part.firstPage(); page <= part.lastPage(); page++) {
          int at = (int) (page - parts.getFirst().firstPage());
          contents.pages[at] = held.page(at);
        }
      }
    }
    put(name, parts, contents);
    return null;
  }
}
