package dev.xip.host;

import dev.xip.base.Errno;
import dev.xip.bindings.Libc;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;

/**
 * The range of addresses from which windows are taken: readable zeros, reserved once and never
 * unmapped. A closed window becomes readable zeros again, and its addresses are reused. So a reader
 * that still uses an old translation, which it validates afterwards, loads zeros or other bytes,
 * never from a hole, and need not check before each load that the window is open: {@link #MEMORY}
 * is a constant to the compiler, and a load from it is one comparison and one instruction.
 *
 * <p>The zeros take no memory and no swap.
 */
public final class WindowSpace {
  private static final long MOST_BYTES = 1L << 46;
  private static final long FEWEST_BYTES = 1L << 32;

  /** The size of the largest page that the host may use for a file in a window. */
  private static final long ALIGNMENT = 2L << 20;

  private static final int ZEROS = Libc.MAP_PRIVATE() | Libc.MAP_ANONYMOUS() | Libc.MAP_NORESERVE();

  /** The whole range, read-only. Only the bytes of an open window mean anything. */
  public static final MemorySegment MEMORY = reserve();

  /** The free parts, start to length; no two adjoin. Guarded by itself. */
  private static final TreeMap<Long, Long> FREE = new TreeMap<>();

  static {
    long start = (MEMORY.address() + ALIGNMENT - 1) & -ALIGNMENT;
    FREE.put(start, (MEMORY.address() + MEMORY.byteSize() - start) & -ALIGNMENT);
  }

  private WindowSpace() {}

  /** Reserves as much as the host allows; RLIMIT_AS makes it less. */
  private static MemorySegment reserve() {
    for (long bytes = MOST_BYTES; ; bytes >>= 1) {
      try {
        return MappedMemory.forever(zeros(bytes), bytes).asReadOnly();
      } catch (HostException refused) {
        if (bytes == FEWEST_BYTES) {
          throw new ExceptionInInitializerError(refused);
        }
      }
    }
  }

  private static long zeros(long bytes) throws HostException {
    return MemoryCalls.mmap(0, bytes, Libc.PROT_READ(), ZEROS, -1, "", 0);
  }

  /**
   * Takes a part, which reads as zeros.
   *
   * @throws HostException if there is no such part left (ENOMEM)
   */
  static long take(long bytes) throws HostException {
    long whole = (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    synchronized (FREE) {
      for (Map.Entry<Long, Long> part : FREE.entrySet()) {
        long start = part.getKey();
        long length = part.getValue();
        if (whole > 0 && whole <= length) {
          FREE.remove(start);
          if (whole < length) {
            FREE.put(start + whole, length - whole);
          }
          return start;
        }
      }
    }
    throw new HostException(
        "mmap",
        "a window of 0x%x bytes out of 0x%x".formatted(bytes, MEMORY.byteSize()),
        Errno.ENOMEM);
  }

  /**
   * Makes a part zeros again.
   *
   * @throws HostException if the system refuses; the part is then not to be used again
   */
  static void empty(long start, long bytes) throws HostException {
    MemoryCalls.move(zeros(bytes), MappedMemory.forever(start, bytes));
  }

  /** Frees a part. Precondition: it is zeros again. */
  static void giveBack(long start, long bytes) {
    long first = start;
    long length = (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    synchronized (FREE) {
      Map.Entry<Long, Long> before = FREE.lowerEntry(first);
      if (before != null && before.getKey() + before.getValue() == first) {
        first = before.getKey();
        length += before.getValue();
      }
      Long after = FREE.remove(first + length);
      FREE.put(first, after == null ? length : length + after);
    }
  }
}
