package dev.xip.base;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The pages of mapped files that were lost because a file was truncated. A load from a lost page
 * does not fail: libxip's SIGBUS handler records the loss and then maps zeros there. So a reader
 * loads first, then checks here, and discards what it loaded from lost memory. A writer checks
 * after storing: stores to lost memory reach no file. A file that grows again does not restore the
 * mapped page.
 *
 * <p>Whole pages are lost. In the page that a truncation ends in, the kernel itself clears the
 * bytes after the new end and sends no signal: those cannot be told from zeros of the file.
 *
 * <p>A check does not allocate. While no mapped file has lost a page it is one load from native
 * memory.
 */
public final class LostPages {
  /** A cache line, so that no other value shares one with the counter. */
  private static final long LINE_BYTES = 64;

  /** In native memory: each fault on a lost page adds 1 before zeros are mapped. */
  private static final MemorySegment FAULTS = Arena.global().allocate(LINE_BYTES, LINE_BYTES);

  /** Ranges of mapped files by first address; no two overlap. */
  private static final ConcurrentSkipListMap<Long, Range> RANGES = new ConcurrentSkipListMap<>();

  /** Those of them that may be stored into. */
  private static final ConcurrentSkipListMap<Long, Range> WRITABLE = new ConcurrentSkipListMap<>();

  /** The ranges that had lost pages, in order of address, at one value of the counter. */
  private record Losses(long count, Range[] ranges) {}

  private static volatile Losses losses = new Losses(0, new Range[0]);

  /** The value of the counter at which no mapped range had lost a page. */
  private static volatile long clean;

  /** Differs from every value of the counter. */
  private static final long NEVER = -1;

  /** One range of each mapped file. */
  private static final ConcurrentHashMap<String, Range> BY_NAME = new ConcurrentHashMap<>();

  /** Keeps the compiler from removing a load whose value is not used. */
  private static byte touched;

  private LostPages() {}

  /**
   * What is mapped into a range.
   *
   * @param name the name that errors show: of the file, or of the image in a part of it
   * @param file the path of the file
   * @param fileBytes how many bytes the file must have for the range to lose none
   */
  public record Origin(String name, String file, long fileBytes) {
    /**
     * Describes a file that is known by its path.
     *
     * @param file the path
     * @param fileBytes how many bytes it must have
     * @return the origin
     */
    public static Origin of(String file, long fileBytes) {
      return new Origin(file, file, fileBytes);
    }
  }

  /** Memory in which a file is mapped. */
  public static final class Range {
    private final Origin origin;
    private final MemorySegment memory;
    private final boolean readable;
    private final long start;
    private final long end;

    /** In native memory: the address from which on the bytes are lost, or 0. */
    private final MemorySegment lost;

    /**
     * Describes a range that has lost nothing yet.
     *
     * @param origin what is mapped there
     * @param memory the memory, closed when the file is unmapped at the latest
     * @param readable whether it may be read
     */
    public Range(Origin origin, MemorySegment memory, boolean readable) {
      this(origin, memory, readable, Arena.ofAuto().allocate(ValueLayout.JAVA_LONG));
    }

    private Range(Origin origin, MemorySegment memory, boolean readable, MemorySegment lost) {
      this.origin = origin;
      this.memory = memory;
      this.readable = readable;
      this.start = memory.address();
      this.end = start + memory.byteSize();
      this.lost = lost;
    }

    /**
     * Returns a part of this range, which shares its record of losses.
     *
     * @param from the address of its first byte
     * @param to the address behind its last byte
     * @param mayBeRead whether it may be read
     * @return the part
     */
    public Range part(long from, long to, boolean mayBeRead) {
      return new Range(origin, memory.asSlice(from - start, to - from), mayBeRead, lost);
    }

    /** {@return whether it may be read; if not, a load from it is an error} */
    public boolean isReadable() {
      return readable;
    }

    /** {@return what is mapped there} */
    public Origin origin() {
      return origin;
    }

    /** {@return the address of the first byte} */
    public long start() {
      return start;
    }

    /** {@return the address after the last byte} */
    public long end() {
      return end;
    }

    /**
     * {@return the address of the 8 bytes in which the handler records the loss, valid as long as
     * this object is reachable}
     */
    public long lostAddress() {
      return lost.address();
    }

    /**
     * {@return the address of the first lost byte, from which on the range is lost, or {@link #end}
     * if none is}
     */
    public long lostFrom() {
      long from = lost.get(ValueLayout.JAVA_LONG, 0);
      return from == 0 ? end : Math.max(from, start);
    }
  }

  /**
   * Tells whether any mapped file has lost a page. To be called after loading.
   *
   * @return false if everything that the caller has loaded from mapped files so far is valid
   */
  public static boolean any() {
    VarHandle.loadLoadFence();
    return count() != clean;
  }

  /**
   * Returns where faults in mapped files are counted. For the package that handles them.
   *
   * @return the address of 8 bytes, which are there for ever
   */
  public static long faultsAddress() {
    return FAULTS.address();
  }

  private static long count() {
    return FAULTS.get(ValueLayout.JAVA_LONG, 0);
  }

  /** The ranges that have lost pages by now. */
  private static Range[] losses() {
    VarHandle.loadLoadFence();
    Losses known = losses;
    return known != null && known.count == count() ? known.ranges : findLosses();
  }

  private static synchronized Range[] findLosses() {
    // The count first: a loss is recorded before it is counted.
    long count = count();
    VarHandle.loadLoadFence();
    Range[] lost =
        RANGES.values().stream().filter(each -> each.lostFrom() < each.end).toArray(Range[]::new);
    losses = new Losses(count, lost);
    if (lost.length == 0) {
      clean = count;
    }
    return lost;
  }

  /**
   * Finds a loss between two addresses.
   *
   * @param from the address of the first byte
   * @param to the address behind the last byte
   * @return the lowest range of which a byte in between is lost, or null if none is
   */
  public static Range in(long from, long to) {
    for (Range each : losses()) {
      if (each.lostFrom() < Math.min(each.end, to) && each.end > from) {
        return each;
      }
    }
    return null;
  }

  /**
   * Finds a loss in some memory. To be called after the memory was used.
   *
   * @param memory native memory, or an array, which loses nothing
   * @return the lowest range of which a byte in the memory is lost, or null if none is
   */
  public static Range of(MemorySegment memory) {
    return any() && memory.isNative()
        ? in(memory.address(), memory.address() + memory.byteSize())
        : null;
  }

  /**
   * Provokes the fault that records a loss: loads the last byte, which is lost if any byte is.
   *
   * @param memory the memory about which {@link #of} is asked afterwards
   */
  public static void touch(MemorySegment memory) {
    if (memory.byteSize() > 0) {
      byte last = memory.get(ValueLayout.JAVA_BYTE, memory.byteSize() - 1);
      if (touched != last) {
        touched = last;
      }
    }
  }

  /**
   * Finds a loss in what is known by its name alone.
   *
   * @param name the name of a file or image, see {@link Origin#name}
   * @return a range of that name that has lost a byte, or null. If nothing of that name is mapped,
   *     any range that has lost a byte
   */
  public static Range named(String name) {
    Range known = BY_NAME.get(name);
    if (known != null && known.readable) {
      try {
        touch(known.memory);
      } catch (IllegalStateException unmapped) {
        // Unmapped meanwhile: there is nothing to touch.
      }
    }
    if (!any()) {
      return null;
    }
    for (Range each : losses()) {
      if (known == null || each.origin.name.equals(name)) {
        return each;
      }
    }
    return null;
  }

  /**
   * Returns what is mapped at an address.
   *
   * @param address the address
   * @return its origin, or null if no file is known to be mapped there
   */
  public static Origin originAt(long address) {
    Map.Entry<Long, Range> at = RANGES.floorEntry(address);
    return at == null || at.getValue().end <= address ? null : at.getValue().origin;
  }

  /**
   * Tells whether a lost page may hold something other than zeros: a file is mapped there to be
   * stored into, and a store to a lost page stays in memory.
   *
   * @param from the address of the first byte
   * @param to the address after the last byte
   * @return false if what is lost between the two reads as zeros
   */
  public static boolean mayHoldStores(long from, long to) {
    if (WRITABLE.isEmpty()) {
      return false;
    }
    Map.Entry<Long, Range> last = WRITABLE.lowerEntry(to);
    return last != null && last.getValue().end > from;
  }

  /**
   * Adds a range. Called by the package that maps files.
   *
   * @param range the range, which no other overlaps
   * @param writable whether it may be stored into
   */
  public static synchronized void add(Range range, boolean writable) {
    RANGES.put(range.start, range);
    if (writable) {
      WRITABLE.put(range.start, range);
    }
    BY_NAME.putIfAbsent(range.origin.name, range);
    if (range.lostFrom() < range.end) {
      clean = NEVER;
      losses = null;
    }
  }

  /**
   * Removes a range. Called by the package that maps files.
   *
   * @param range a range that was added
   */
  public static synchronized void remove(Range range) {
    RANGES.remove(range.start, range);
    WRITABLE.remove(range.start, range);
    if (range.lostFrom() < range.end) {
      losses = null;
      findLosses();
    }
    String name = range.origin.name;
    if (BY_NAME.remove(name, range) && !RANGES.isEmpty()) {
      // A loop, as in FileName: a program may end with its first image.
      for (Range each : RANGES.values()) {
        if (each.origin.name.equals(name)) {
          BY_NAME.put(name, each);
          break;
        }
      }
    }
  }
}
