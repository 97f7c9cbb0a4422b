package dev.xip.host;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.xip.base.AddrRange;
import dev.xip.base.Errno;
import dev.xip.base.LostPages;
import dev.xip.base.Pages;
import dev.xip.bindings.Xip;
import dev.xip.bindings.xip_entry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The functions of libxip.so, typed: C code that walks the same entries that Java wrote. The
 * library is the file that system property {@code xip.library} names, or else {@code
 * native/libxip.so} beside the jar or the folder of classes, or else the jar's own entry, which is
 * linked from memory and never unpacked. If several class loaders of a JVM load these classes, each
 * has a library of its own.
 *
 * <p>Every function but {@link #sumOfLongs} takes the physical memory window: native memory in
 * which physical address {@code pa} lies at offset {@code pa}, page aligned and in whole pages.
 * Tables must lie in memory that no truncation can take away: for {@link #walk} and {@link #dump}
 * pass the part of the window that is RAM.
 */
public final class Libxip {
  private static final Libxip ONLY = new Libxip();

  private Libxip() {}

  /**
   * Returns the library.
   *
   * @return the library, loaded once
   * @throws UnsatisfiedLinkError if it was not found or has another ABI version; the message has
   *     the searched places and the property to set
   */
  public static Libxip get() {
    LibxipLoader.requireLoaded();
    return ONLY;
  }

  /**
   * {@return where the library was found: the path of a file, or the URL of a jar and its entry}
   */
  public String place() {
    return LibxipLoader.PLACE;
  }

  /**
   * Walks from the root to the entry that decides about an address.
   *
   * @param window the window, or the part of it that holds tables
   * @param layout the number of the entry layout, one of XIP_LAYOUT_*
   * @param rootPfn the first frame of the top table
   * @param va one of the user's addresses
   * @return the entry and its meaning
   */
  public WalkResult walk(MemorySegment window, int layout, long rootPfn, long va) {
    checkTables(window, rootPfn);
    checkAddress(va);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = xip_entry.allocate(arena);
      int result = Xip.xip_walk(window, window.byteSize(), rootPfn, layout, va, out);
      requireAccepted("xip_walk", layout, rootPfn, result, "va 0x" + Long.toHexString(va));
      return WalkResult.read(out);
    }
  }

  /**
   * Copies bytes through tables that may lie anywhere in the window; else as the other method of
   * this name.
   *
   * @param window the whole window, in which no file can be truncated
   * @param layout the number of the entry layout, one of XIP_LAYOUT_*
   * @param rootPfn the first frame of the top table
   * @param va the first address
   * @param dst native memory to fill
   * @return the bytes copied, above 0 unless the target is empty
   * @throws HostException if not even the first byte can be read (EFAULT)
   */
  public long read(MemorySegment window, int layout, long rootPfn, long va, MemorySegment dst)
      throws HostException {
    return read(window, window.byteSize(), layout, rootPfn, va, dst);
  }

  /**
   * Copies bytes through the tables until the target is full or an address cannot be read: no
   * present entry, a frame outside the window, or a lost page of a truncated file.
   *
   * @param window the whole window
   * @param tableBytes the length of the part that may hold tables, from the window's beginning,
   *     whole pages: the RAM, because a table in a file that is truncated would end the JVM
   * @param layout the number of the entry layout, one of XIP_LAYOUT_*
   * @param rootPfn the first frame of the top table
   * @param va the first address
   * @param dst native memory to fill
   * @return the bytes copied, above 0 unless the target is empty
   * @throws HostException if not even the first byte can be read (EFAULT), or the host forbids
   *     process_vm_readv(2)
   */
  public long read(
      MemorySegment window, long tableBytes, int layout, long rootPfn, long va, MemorySegment dst)
      throws HostException {
    checkTables(window, rootPfn);
    Args.inside(0, tableBytes, window.byteSize());
    checkTables(window.asSlice(0, tableBytes), rootPfn);
    checkAddress(va);
    Args.nativeMemory(dst, "target");
    if (dst.isReadOnly()) {
      throw new IllegalArgumentException("target: expected writable memory");
    }
    long size = window.byteSize();
    long length = dst.byteSize();
    long n = Xip.xip_read(window, size, tableBytes, rootPfn, layout, va, dst, length);
    if (n < 0) {
      throw new HostException("xip_read", "va=0x%x, len=0x%x".formatted(va, length), (int) -n);
    }
    long intact = LostPages.any() ? intactBytes(window, tableBytes, layout, rootPfn, va, n) : n;
    if (intact == 0 && length > 0) {
      throw new HostException("xip_read", "va=0x%x, len=0x%x".formatted(va, length), Errno.EFAULT);
    }
    return intact;
  }

  /** Counts the bytes before the first lost page. */
  private long intactBytes(
      MemorySegment window, long tableBytes, int layout, long rootPfn, long va, long length) {
    MemorySegment tables = window.asSlice(0, tableBytes);
    long done = 0;
    while (done < length) {
      WalkResult page = walk(tables, layout, rootPfn, va + done);
      long pageBytes = 1L << page.pageShift();
      long bytes = Math.min(length - done, pageBytes - (va + done & pageBytes - 1));
      long at = window.address() + page.pa();
      LostPages.Range lost = LostPages.in(at, at + bytes);
      if (lost != null) {
        return done + Math.max(0, lost.lostFrom() - at);
      }
      done += bytes;
    }
    return length;
  }

  /**
   * Lists the entries that are not empty.
   *
   * @param window the window, or the part of it that holds tables
   * @param layout the number of the entry layout, one of XIP_LAYOUT_*
   * @param rootPfn the first frame of the top table
   * @param range the addresses to look at, all of them the user's
   * @return what decides about them, in address order; entries that the range cuts are part of it
   */
  public List<WalkResult> dump(MemorySegment window, int layout, long rootPfn, AddrRange range) {
    checkTables(window, rootPfn);
    // A writer may add entries between the count and the list: repeat until all fit.
    for (long capacity = 256; ; ) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment out = xip_entry.allocateArray(capacity, arena);
        long count = dump(window, layout, rootPfn, range, out, capacity);
        if (count <= capacity) {
          return records(out, count);
        }
        capacity = count;
      }
    }
  }

  private static long dump(
      MemorySegment window,
      int layout,
      long rootPfn,
      AddrRange range,
      MemorySegment out,
      long capacity) {
    long count =
        Xip.xip_dump(
            window, window.byteSize(), rootPfn, layout, range.start(), range.end(), out, capacity);
    requireAccepted("xip_dump", layout, rootPfn, count, range.toString());
    return count;
  }

  private static List<WalkResult> records(MemorySegment out, long count) {
    List<WalkResult> results = new ArrayList<>(Math.toIntExact(count));
    for (long i = 0; i < count; i++) {
      results.add(WalkResult.read(xip_entry.asSlice(out, i)));
    }
    return List.copyOf(results);
  }

  /**
   * Stores an entry, making the tables above it as needed. One thread may write to one root at a
   * time; walks may run concurrently.
   *
   * @param window the window
   * @param layout the number of the entry layout, one of XIP_LAYOUT_*
   * @param rootPfn the first frame of the top table
   * @param va the first address that the entry covers
   * @param pte the entry; the layout's empty one clears
   * @param level where it goes: 0 PTE, 1 PMD, 2 PUD
   * @param supply frames of the window that become tables
   * @throws HostException if the entry does not fit the level (EINVAL), a huge entry, a non-present
   *     entry or a table is already there (EEXIST) or a bad entry (ELOOP), or the supply has run
   *     out or lies outside the window (ENOMEM)
   */
  public void set(
      MemorySegment window,
      int layout,
      long rootPfn,
      long va,
      long pte,
      int level,
      TablePages supply)
      throws HostException {
    checkTables(window, rootPfn);
    checkAddress(va);
    if (window.isReadOnly()) {
      throw new IllegalArgumentException("window: expected writable memory");
    }
    int result;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment next = arena.allocateFrom(JAVA_LONG, supply.nextPfn());
      result =
          Xip.xip_set(
              window, window.byteSize(), rootPfn, layout, va, pte, level, next, supply.endPfn());
      supply.advanceTo(next.get(JAVA_LONG, 0));
    }
    if (result < 0) {
      String arguments = "va=0x%x, pte=0x%x, level=%d".formatted(va, pte, level);
      throw new HostException("xip_set", arguments, -result);
    }
  }

  /**
   * Adds up numbers in a plain C loop, compiled with -O2: for benchmarks only, as the limit for
   * sums of mapped files.
   *
   * @param memory native memory, aligned to 8 bytes and a multiple of 8 bytes long
   * @return the sum of its numbers in native byte order, modulo 2^64
   */
  public long sumOfLongs(MemorySegment memory) {
    Args.nativeMemory(memory, "memory");
    if (((memory.address() | memory.byteSize()) & Long.BYTES - 1) != 0) {
      throw new IllegalArgumentException(
          "memory of 0x%x bytes at 0x%x: expected both multiples of 8"
              .formatted(memory.byteSize(), memory.address()));
    }
    return sum(memory.address(), memory.byteSize() / Long.BYTES);
  }

  /** Implemented in native/sum.c; no function of the C ABI, since benchmarks alone use it. */
  private static native long sum(long address, long count);

  private static void checkTables(MemorySegment window, long rootPfn) {
    Args.nativeMemory(window, "window");
    Pages.requireAligned(window.address(), "window address");
    Args.wholePages(window.byteSize(), "window size");
    if (rootPfn < 0 || rootPfn >= window.byteSize() >>> Pages.SHIFT) {
      throw new IllegalArgumentException(
          "root frame 0x%x: expected inside a window of 0x%x bytes"
              .formatted(rootPfn, window.byteSize()));
    }
  }

  private static void checkAddress(long va) {
    if (va < 0) {
      throw new IllegalArgumentException("address 0x%x: expected 0 or above".formatted(va));
    }
  }

  /** C has checked the rest: the layout's number, its addresses and its tables. */
  private static void requireAccepted(
      String call, int layout, long rootPfn, long result, String where) {
    if (result < 0 && Errno.of((int) -result) == Errno.EFAULT) {
      throw new IllegalArgumentException(
          "%s, %s: expected addresses of layout %d".formatted(call, where, layout));
    }
    if (result < 0) {
      throw new IllegalArgumentException(
          "%s: expected a known layout and a whole root table, found layout %d and root frame 0x%x"
              .formatted(call, layout, rootPfn));
    }
  }
}
