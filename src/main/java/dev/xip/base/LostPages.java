package dev.xip.base;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * What is known of mapped files that were cut underneath us. A load of a page that is gone does not
 * fail: libxip's handler of SIGBUS puts zeros in its place, and notes that before any thread can
 * load one. So the reader reads first, then asks here, and believes nothing that it read from
 * memory that is lost. The same holds for stores: what was stored there is in no file. A file that
 * grows again does not bring a page back to where it was mapped.
 *
 * <p>Asking makes no garbage, and as long as nothing that is mapped has lost a page it is one load
 * from native memory.
 */
public final class LostPages {
  /** A cache line, so that nothing else is written beside the counter. */
  private static final long LINE_BYTES = 64;

  /** In native memory: each fault in a mapped file adds 1 before it puts zeros in place. */
  private static final MemorySegment FAULTS = Arena.global().allocate(LINE_BYTES, LINE_BYTES);

  /** Ranges of mapped files by first address; no two overlap. */
  private static final ConcurrentSkipListMap<Long, Range> RANGES = new ConcurrentSkipListMap<>();

  /** The ranges that have lost pages, in order of address, when so many faults had been counted. */
  private record Losses(long count, Range[] ranges) {}

  private static volatile Losses losses = new Losses(0, new Range[0]);

  /** How many faults had been counted when no range that is mapped had lost a page. */
  private static volatile long clean;

  /** No count. */
  private static final long NEVER = -1;

  /** One range of each file that is mapped. */
  private static final ConcurrentHashMap<String, Range> BY_NAME = new ConcurrentHashMap<>();

  /** Keeps a load alive whose value is not needed. */
  private static byte touched;

  private LostPages() {}

  /** Memory in which a file is mapped. */
  public static final class Range {
    private final String file;
    private final MemorySegment memory;
    private final boolean readable;
    private final long start;
    private final long end;

    /** In native memory: the address from which on the bytes are lost, or 0. */
    private final MemorySegment lost;

    /**
     * Describes a range of which nothing is lost yet.
     *
     * @param file the name of the file that is mapped there
     * @param memory the memory, closed when the file is unmapped at the latest
     * @param readable whether it may be read
     */
    public Range(String file, MemorySegment memory, boolean readable) {
      this(file, memory, readable, Arena.ofAuto().allocate(ValueLayout.JAVA_LONG));
    }

    private Range(String file, MemorySegment memory, boolean readable, MemorySegment lost) {
      this.file = file;
      this.memory = memory;
      this.readable = readable;
      this.start = memory.address();
      this.end = start + memory.byteSize();
      this.lost = lost;
    }

    /**
     * Returns a part of this range, which loses what this range loses.
     *
     * @param from the address of its first byte
     * @param to the address behind its last byte
     * @param mayBeRead whether it may be read
     * @return the part
     */
    public Range part(long from, long to, boolean mayBeRead) {
      return new Range(file, memory.asSlice(from - start, to - from), mayBeRead, lost);
    }

    /**
     * Tells whether it may be read.
     *
     * @return false if a load from it is an error
     */
    public boolean isReadable() {
      return readable;
    }

    /**
     * Names the file.
     *
     * @return the name of the file that is mapped there
     */
    public String file() {
      return file;
    }

    /**
     * Returns where the range begins.
     *
     * @return the address of its first byte
     */
    public long start() {
      return start;
    }

    /**
     * Returns where the range ends.
     *
     * @return the address behind its last byte
     */
    public long end() {
      return end;
    }

    /**
     * Returns where to write what is lost.
     *
     * @return the address of 8 bytes, which are there as long as this object is
     */
    public long lostAddress() {
      return lost.address();
    }

    /**
     * Says from where on the bytes of the range are lost.
     *
     * @return an address in the range, or {@link #end} if nothing is lost
     */
    public long lostFrom() {
      long from = lost.get(ValueLayout.JAVA_LONG, 0);
      return from == 0 ? end : Math.max(from, start);
    }
  }

  /**
   * Tells whether any file that is mapped now has lost a page. To be asked after reading.
   *
   * @return false if all that the caller has loaded until now from what is mapped is true
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
    // First the count: each loss that it counts was noted before.
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
   * Finds what is lost between two addresses.
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
   * Finds what is lost of some memory. To be asked after it was used.
   *
   * @param memory native memory, or an array, of which nothing gets lost
   * @return the lowest range of which a byte in the memory is lost, or null if none is
   */
  public static Range of(MemorySegment memory) {
    return any() && memory.isNative()
        ? in(memory.address(), memory.address() + memory.byteSize())
        : null;
  }

  /**
   * Looks whether some memory is all there: loads the last byte of it, which is lost if any is.
   *
   * @param memory what is to be there afterwards, for {@link #of} to tell
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
   * Finds what is lost of a file that is known by its name alone, now.
   *
   * @param file the name, as the file was opened by
   * @return a range of it of which a byte is lost, or null if none is. If no file of that name is
   *     mapped, there is no telling which one is meant, and any range that lost a byte will do
   */
  public static Range named(String file) {
    Range known = BY_NAME.get(file);
    if (known != null && known.readable) {
      try {
        touch(known.memory);
      } catch (IllegalStateException unmapped) {
        // It was there as long as it was mapped.
      }
    }
    if (!any()) {
      return null;
    }
    for (Range each : losses()) {
      if (known == null || each.file.equals(file)) {
        return each;
      }
    }
    return null;
  }

  /**
   * Names the file that is mapped at an address.
   *
   * @param address the address
   * @return its name, or null if no file is known to be mapped there
   */
  public static String fileAt(long address) {
    Map.Entry<Long, Range> at = RANGES.floorEntry(address);
    return at == null || at.getValue().end <= address ? null : at.getValue().file;
  }

  /**
   * Adds a range. For the package that maps files.
   *
   * @param range the range, which no other overlaps
   */
  public static synchronized void add(Range range) {
    RANGES.put(range.start, range);
    BY_NAME.putIfAbsent(range.file, range);
    if (range.lostFrom() < range.end) {
      clean = NEVER;
      losses = null;
    }
  }

  /**
   * Removes a range. For the package that maps files.
   *
   * @param range a range that was added
   */
  public static synchronized void remove(Range range) {
    RANGES.remove(range.start, range);
    if (range.lostFrom() < range.end) {
      losses = null;
      findLosses();
    }
    if (BY_NAME.remove(range.file, range)) {
      RANGES.values().stream()
          .filter(each -> each.file.equals(range.file))
          .findFirst()
          .ifPresent(each -> BY_NAME.put(each.file, each));
    }
  }
}
