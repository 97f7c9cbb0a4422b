package dev.xip.host;

import dev.xip.base.Access;
import dev.xip.base.Pages;
import dev.xip.bindings.Libc;
import java.lang.foreign.MemorySegment;

/** Checks of arguments that are made before memory or the system is touched. */
final class Args {
  private Args() {}

  /** Demands a length above 0. */
  static long positive(long bytes, String what) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("%s 0x%x: expected more than 0".formatted(what, bytes));
    }
    return bytes;
  }

  /** Demands a length above 0 in whole pages. */
  static long wholePages(long bytes, String what) {
    return Pages.requireAligned(positive(bytes, what), what);
  }

  /** Demands whole pages inside something of the given size: overflow first, then bounds. */
  static void pagesInside(long offset, long length, long size) {
    Pages.requireAligned(offset, "offset");
    wholePages(length, "length");
    inside(offset, length, size);
  }

  /** Demands a range inside something of the given size: overflow first, then bounds. */
  static void inside(long offset, long length, long size) {
    if (offset < 0 || length < 0 || offset > size - length) {
      throw new IllegalArgumentException(
          "offset 0x%x with length 0x%x: expected inside 0x%x bytes"
              .formatted(offset, length, size));
    }
  }

  /** Demands that an end fits into 63 bits. */
  static void noOverflow(long offset, long length, String what) {
    if (offset > Long.MAX_VALUE - length) {
      throw new IllegalArgumentException(
          "%s 0x%x with length 0x%x: expected an end below 2^63".formatted(what, offset, length));
    }
  }

  /** Demands memory outside the heap: native code cannot use an array's address. */
  static MemorySegment nativeMemory(MemorySegment mem, String what) {
    if (!mem.isNative()) {
      throw new IllegalArgumentException(what + ": expected native memory, found an array");
    }
    return mem;
  }

  /** The PROT_ bits of access rights. */
  static int protection(Access access) {
    return (access.read() ? Libc.PROT_READ() : Libc.PROT_NONE())
        | (access.write() ? Libc.PROT_WRITE() : Libc.PROT_NONE())
        | (access.execute() ? Libc.PROT_EXEC() : Libc.PROT_NONE());
  }
}
