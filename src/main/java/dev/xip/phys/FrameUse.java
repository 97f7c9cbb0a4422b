package dev.xip.phys;

/** The use of a page frame. The frame's record holds the ordinal. */
public enum FrameUse {
  /** Free. */
  FREE,
  /** A page of page-table entries. */
  TABLE,
  /** Memory of one address space, or a private copy. */
  ANONYMOUS,
  /** A copy of file bytes in a page cache. */
  PAGE_CACHE,
  /** The page of zeros that every hole of every file shares. */
  SPARSE,
  /** A page of a device, which brought the frame along: it is never allocated or freed. */
  DEVICE,
  /** The page of zeros behind anonymous memory that was never written. */
  ZERO,
  /** Not RAM: a frame of a hole between banks that was counted. Linux: {@code PG_reserved}. */
  RESERVED,
  /** Tables, code and stacks of the kernel half of the addresses. */
  KERNEL;

  private static final FrameUse[] VALUES = values();

  static FrameUse of(int ordinal) {
    return VALUES[ordinal];
  }
}
