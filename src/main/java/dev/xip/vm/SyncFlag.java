package dev.xip.vm;

/**
 * The flags of msync. Linux counterpart: MS_* (mm/msync.c).
 *
 * <p>Lock held by the caller: none needed.
 */
public enum SyncFlag {
  /** Write back later. */
  ASYNC,
  /** Write back before the call returns. */
  SYNC,
  /** Invalidate cached copies in other mappings. */
  INVALIDATE
}
