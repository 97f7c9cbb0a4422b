package dev.xip.host;

import dev.xip.base.Access;
import dev.xip.base.LostPages;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The files mapped into one range of addresses, under libxip's guard (include/xip/guard.h): a page
 * that a truncation takes away becomes zeros and is recorded in {@link LostPages}, instead of a
 * SIGBUS that ends the JVM. Preconditions: a range is added before the file is mapped, and removed
 * before anything else is mapped there.
 */
final class Guard {
  static {
    LibxipLoader.requireLoaded();
    GuardCalls.watch(LostPages.faultsAddress());
  }

  /** The guarded ranges by first address; no two overlap. */
  private final TreeMap<Long, Guarded> parts = new TreeMap<>();

  /** Whether the memory lives as long as something refers to it. */
  private final boolean collected;

  private boolean ended;

  /** Makes a guard of memory that is unmapped after {@link #clear}, by its owner. */
  Guard() {
    this(false);
  }

  /**
   * Makes a guard.
   *
   * @param collected whether the memory is unmapped when nothing refers to it: the records of this
   *     guard do not, and so {@link LostPages} never loads from it
   */
  Guard(boolean collected) {
    this.collected = collected;
  }

  record Guarded(LostPages.Range range, boolean writable, int id) {}

  /** Guards a range before a file is mapped there. Precondition: no part of it is guarded. */
  synchronized void add(LostPages.Origin origin, MemorySegment memory, Access access)
      throws HostException {
    if (ended) {
      throw new IllegalStateException("the memory is unmapped");
    }
    MemorySegment range =
        collected ? MappedMemory.forever(memory.address(), memory.byteSize()) : memory;
    add(new LostPages.Range(origin, range, access.read() && !collected), access.write());
  }

  private void add(LostPages.Range range, boolean writable) throws HostException {
    long bytes = range.end() - range.start();
    int id = GuardCalls.add(range.start(), bytes, writable, range.lostAddress());
    if (id < 0) {
      String arguments = "start=0x%x, bytes=0x%x".formatted(range.start(), bytes);
      throw new HostException("xip_guard_add", arguments, -id);
    }
    parts.put(range.start(), new Guarded(range, writable, id));
    LostPages.add(range, writable);
  }

  /**
   * Ends the guarding of a part, whole pages; the rest of its ranges stays guarded.
   *
   * @return what was guarded there, for {@link #putBack}
   */
  synchronized List<Guarded> remove(long start, long bytes) throws HostException {
    long end = start + bytes;
    List<Guarded> removed = new ArrayList<>();
    Map.Entry<Long, Guarded> last;
    while ((last = parts.lowerEntry(end)) != null && last.getValue().range.end() > start) {
      Guarded old = last.getValue();
      LostPages.Range range = old.range;
      parts.remove(range.start());
      end(old);
      if (range.end() > end) {
        add(range.part(end, range.end(), range.isReadable()), old.writable);
      }
      if (range.start() < start) {
        add(range.part(range.start(), start, range.isReadable()), old.writable);
      }
      long from = Math.max(start, range.start());
      LostPages.Range part = range.part(from, Math.min(end, range.end()), range.isReadable());
      removed.add(new Guarded(part, old.writable, old.id));
      end = from;
    }
    return removed;
  }

  /** Guards again what was removed, with its record of losses. */
  synchronized void putBack(List<Guarded> removed) throws HostException {
    for (Guarded each : removed) {
      add(each.range, each.writable);
    }
  }

  /** Records that a part, whole pages, now has other rights. */
  synchronized void protect(long start, long bytes, Access access) throws HostException {
    for (Guarded each : remove(start, bytes)) {
      LostPages.Range range = each.range;
      add(range.part(range.start(), range.end(), access.read()), access.write());
    }
  }

  /** Ends all guarding, for ever. */
  synchronized void clear() {
    ended = true;
    for (Guarded each : parts.values()) {
      end(each);
    }
    parts.clear();
  }

  private static void end(Guarded old) {
    GuardCalls.remove(old.id);
    LostPages.remove(old.range);
  }

  /** Tells what is mapped at an address, for a second mapping of it. */
  static LostPages.Origin originAt(long address) {
    LostPages.Origin origin = LostPages.originAt(address);
    return origin == null ? LostPages.Origin.of("a file at 0x%x".formatted(address), 0) : origin;
  }
}
