package dev.xip.vm;

/** How msync is to write back. Linux counterpart: MS_* (mm/msync.c). */
public enum SyncFlag {
  /** Later. */
  ASYNC,
  /** Now. */
  SYNC,
  /** And make other mappings see it. */
  INVALIDATE
}
