package dev.xip.segment;

import dev.xip.base.Errno;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The rules of extmem and of the store as plain data: a store with the versions of each segment,
 * processes that load from it, and for each call the code that it must end with, null for success.
 * It shares no code with the tested classes but the types of names and parts.
 */
final class ExtmemModel {
  private static final int PAGE = 4096;

  /** Why a definition cannot be used. */
  enum Damage {
    NONE,
    UNREADABLE,
    UNSUPPORTED
  }

  /** One version of a segment. The first byte of each page stands for the page. */
  static final class Stored {
    final List<SegmentPart> parts;
    final long version;
    final byte[] pages;

    /** The loads of it, of all processes. */
    final List<Held> users = new ArrayList<>();

    Damage damage = Damage.NONE;

    /** Whether its data file is too short to be loaded, or missing. */
    boolean broken;

    /** Whether it has no data file. */
    boolean gone;

    /** Whether the store still has the definition, when it is not the current version any more. */
    boolean isListed = true;

    Stored(List<SegmentPart> parts, long version, int pages) {
      this.parts = parts;
      this.version = version;
      this.pages = new byte[pages];
    }

    /** EX stands for several parts. */
    String letters() {
      return parts.size() > 1 ? "EX" : parts.getFirst().type().name();
    }

    String type() {
      return parts.size() > 1 ? "EWEN" : letters();
    }

    long firstByte() {
      return parts.getFirst().firstPage() * PAGE;
    }

    long lastByte() {
      return parts.getLast().lastPage() * PAGE + PAGE - 1;
    }

    boolean keepsNothing() {
      return parts.stream().allMatch(part -> part.type().name().endsWith("N"));
    }
  }

  /** A segment that a process has loaded. */
  static final class Held {
    final SegmentName name;
    final Owner owner;
    final Stored stored;
    final SharingMode mode;
    int references = 1;

    /** Pages that were stored to in a private copy. */
    final Map<Integer, Byte> own = new TreeMap<>();

    Held(SegmentName name, Owner owner, Stored stored, SharingMode mode) {
      this.name = name;
      this.owner = owner;
      this.stored = stored;
      this.mode = mode;
    }

    boolean isPrivate() {
      return mode == SharingMode.EXCLUSIVE || stored.letters().startsWith("E");
    }

    boolean isReadOnly() {
      return isReadOnly(stored.letters(), mode);
    }

    static boolean isReadOnly(String letters, SharingMode mode) {
      return letters.equals("SC") || letters.endsWith("R") && mode == SharingMode.SHARED;
    }

    byte page(int page) {
      return own.getOrDefault(page, stored.pages[page]);
    }

    void write(int page, byte value) {
      if (isPrivate()) {
        own.put(page, value);
      } else {
        stored.pages[page] = value;
      }
    }
  }

  /** One process that loads segments. */
  static final class Owner {
    final Map<SegmentName, Held> held = new TreeMap<>();

    /** First and last byte of memory that is not free: RAM, and what the test claimed. */
    final List<long[]> claimed = new ArrayList<>();

    final long pid;

    Owner(long pid, long ramBytes) {
      this.pid = pid;
      claimed.add(new long[] {0, ramBytes - 1});
    }
  }

  private final Map<SegmentName, Stored> store = new TreeMap<>();

  /** Versions that are kept for their users after a save or a removal, the oldest first. */
  private final Map<SegmentName, List<Stored>> pending = new TreeMap<>();

  private final long windowBytes;

  /** Segments for which the host has no private memory. */
  private final SegmentName tooLarge;

  /** Whether the store's folder is moved away for now. */
  private boolean away;

  ExtmemModel(long windowBytes, SegmentName tooLarge) {
    this.windowBytes = windowBytes;
    this.tooLarge = tooLarge;
  }

  Map<SegmentName, Stored> store() {
    return store;
  }

  List<Stored> pending(SegmentName name) {
    return pending.getOrDefault(name, List.of());
  }

  Errno define(SegmentName name, List<SegmentPart> parts) {
    if (store.containsKey(name)) {
      return Errno.EEXIST;
    }
    put(name, parts);
    return null;
  }

  /** Makes a version, one above the highest. */
  private Stored put(SegmentName name, List<SegmentPart> parts) {
    long pages = parts.getLast().lastPage() - parts.getFirst().firstPage() + 1;
    sweep(name);
    retire(name);
    long before = pending(name).stream().mapToLong(each -> each.version).max().orElse(0);
    Stored next = new Stored(parts, before + 1, name.equals(tooLarge) ? 0 : (int) pages);
    store.put(name, next);
    sweep(name);
    return next;
  }

  /** The current version becomes one that is kept for its users. */
  private void retire(SegmentName name) {
    Stored current = store.remove(name);
    if (current != null) {
      current.isListed = current.damage == Damage.NONE;
      pending.computeIfAbsent(name, _ -> new ArrayList<>()).add(current);
    }
  }

  /**
   * A change of a segment, or the unload of an old version, deletes old versions without users;
   * unless the current one is unknown.
   */
  private void sweep(SegmentName name) {
    Stored current = store.get(name);
    if (pending.containsKey(name) && !away && (current == null || current.damage == Damage.NONE)) {
      pending.get(name).removeIf(each -> each.users.isEmpty());
    }
  }

  void setAway(boolean away) {
    this.away = away;
  }

  /** The survey that the store must give: the versions by name, with their users. */
  List<String> survey() {
    List<String> states = new ArrayList<>();
    Set<SegmentName> names = new TreeSet<>(store.keySet());
    names.addAll(pending.keySet());
    for (SegmentName name : names) {
      pending(name).stream()
          .filter(each -> each.isListed)
          .forEach(each -> states.add(shown(name, each, "pending purge")));
      Stored current = store.get(name);
      if (current != null && !current.gone && current.damage == Damage.NONE) {
        states.add(shown(name, current, "current"));
      }
    }
    return states;
  }

  private static String shown(SegmentName name, Stored stored, String state) {
    List<String> users =
        stored.users.stream()
            .map(held -> "%d %s".formatted(held.owner.pid, held.mode))
            .sorted()
            .toList();
    return "%s %d %s %s".formatted(name, stored.version, state, users);
  }

  /** How many segments the store has to call damaged. */
  long damaged() {
    return store.values().stream().filter(each -> each.gone || each.damage != Damage.NONE).count();
  }

  Errno remove(SegmentName name) {
    if (!store.containsKey(name)) {
      return Errno.ENOENT;
    }
    retire(name);
    sweep(name);
    return null;
  }

  /** Whether a definition can be read, which is also all that the type of a segment needs. */
  Errno query(SegmentName name) {
    if (away) {
      return Errno.ENOSYS;
    }
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
      put(name, store.get(name).parts);
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
    long first = stored.firstByte();
    long last = stored.lastByte();
    for (Held held : owner.held.values()) {
      Stored other = held.stored;
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
    if (stored.broken) {
      return Errno.EIO;
    }
    if (name.equals(tooLarge)) {
      return Errno.ENOMEM;
    }
    if (stored.users.isEmpty() && stored.letters().equals("SN")) {
      Arrays.fill(stored.pages, (byte) 0);
    }
    Held held = new Held(name, owner, stored, mode);
    stored.users.add(held);
    owner.held.put(name, held);
    return null;
  }

  Errno unload(Owner owner, SegmentName name) {
    Held held = owner.held.get(name);
    if (held == null) {
      return Errno.EINVAL;
    }
    held.references--;
    if (held.references == 0) {
      drop(held);
    }
    return null;
  }

  private void drop(Held held) {
    held.references = 0;
    held.owner.held.remove(held.name);
    held.stored.users.remove(held);
    if (store.get(held.name) != held.stored) {
      sweep(held.name);
    }
  }

  /** All loads of a process end, but nothing is swept. */
  void kill(Owner owner) {
    owner.held.values().forEach(each -> each.stored.users.remove(each));
    owner.held.clear();
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
    drop(held);
    return add(owner, name, mode);
  }

  Errno save(Owner owner, SegmentName name) {
    Held held = owner.held.get(name);
    if (held == null || held.stored.keepsNothing()) {
      return Errno.EINVAL;
    }
    if (store.containsKey(name) && query(name) != null) {
      return query(name);
    }
    List<SegmentPart> parts = held.stored.parts;
    Stored saved = put(name, parts);
    for (SegmentPart part : parts) {
      if (!part.type().name().endsWith("N")) {
        for (long page = part.firstPage(); page <= part.lastPage(); page++) {
          int at = (int) (page - parts.getFirst().firstPage());
          saved.pages[at] = held.page(at);
        }
      }
    }
    return null;
  }
}
